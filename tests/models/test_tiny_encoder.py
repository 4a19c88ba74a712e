"""tiny_encoder: loadable, deterministic, aligned, written whole."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from xquality import toy
from xquality._files import checksum
from xquality.errors import DamagedError, ModelError, SettingError
from xquality.models import tiny_encoder

SMALL = {"pieces": 400, "width": 16, "steps": 10}


def sentences(language: str) -> list[str]:
    return toy.sentences.load(language, "train")["source_sentence"][:200]


def test_the_same_arguments_give_the_same_bytes_and_are_found_again(tmp_path: Path) -> None:
    parallel = {"en": sentences("en"), "zh": sentences("zh")}
    texts = parallel["en"] + parallel["zh"]
    first, second = (
        tiny_encoder(texts, folder=tmp_path / name, parallel=parallel, **SMALL) for name in ("first", "second")
    )
    for file in sorted(first.iterdir()):
        assert checksum(file) == checksum(second / file.name), file.name
    stamp = (first / "model.safetensors").stat().st_mtime_ns
    tiny_encoder(texts, folder=first, parallel=parallel, **SMALL)
    assert (first / "model.safetensors").stat().st_mtime_ns == stamp


def test_another_encoder_does_not_overwrite_it(tmp_path: Path) -> None:
    tiny_encoder(sentences("en"), folder=tmp_path / "one", **SMALL)
    with pytest.raises(ModelError, match="something other"):
        tiny_encoder(sentences("es"), folder=tmp_path / "one", **SMALL)


def test_transformers_loads_it_and_text_survives_the_tokenizer(encoder: Path) -> None:
    tokenizer, network = AutoTokenizer.from_pretrained(encoder), AutoModel.from_pretrained(encoder)
    assert network.config.model_type == "xlm-roberta"
    for text in ("The notes mention tennis.", "Las notas mencionan tenis.", "ذكرت الملاحظات"):
        ids = tokenizer(text)["input_ids"]
        assert tokenizer.decode(ids, skip_special_tokens=True) == text
    out = network(**tokenizer(["tenis", "wind and rain"], padding=True, return_tensors="pt"))
    assert torch.isfinite(out.last_hidden_state).all()


def test_translations_lie_closer_than_other_sentences(encoder: Path) -> None:
    tokenizer, network = AutoTokenizer.from_pretrained(encoder), AutoModel.from_pretrained(encoder)

    def embed(language: str) -> np.ndarray:
        rows = toy.sentences.load(language, "test")["source_sentence"][:60]
        with torch.no_grad():
            out = network(**tokenizer(rows, padding=True, return_tensors="pt")).last_hidden_state[:, 0].numpy()
        out = out - out.mean(0)
        return out / np.linalg.norm(out, axis=1, keepdims=True)

    similarity = embed("de") @ embed("es").T
    right = (similarity.argmax(1) == np.arange(60)).mean()
    assert right > 10 / 60  # ten times chance


def test_the_embedded_default_transfers_and_the_effect_of_an_intermediate_task_is_seen(tmp_path: Path) -> None:
    from xquality.evaluation import evaluate, zero_shot_mean
    from xquality.train import Stage, fit

    parallel = {
        language: toy.sentences.load(language, "train")["source_sentence"][:]
        for language in ("en", "es", "de", "sw", "ru")
    }
    texts = [text for rows in parallel.values() for text in rows]
    folder = tiny_encoder(texts, folder=tmp_path / "tiny", parallel=parallel, pieces=2500, steps=800)
    english = toy.topics.load("en", "validation").select(range(100))
    target = Stage(toy.topics, english, steps=30, batch_size=16)
    spanish = Stage(toy.topics, language="es", steps=150, batch_size=16)
    means = []
    for stages in ([target], [spanish, target]):
        scores = evaluate(fit(stages, model=folder, seed=1, threads=1), toy.topics, ["de", "sw", "ru"], threads=1)
        means.append(zero_shot_mean(scores, ["en", "es"], "accuracy"))
    assert means[1] > means[0] + 8
    assert means[1] > 30  # chance is 16.7


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"texts": []}, ModelError),
        ({"texts": ["  "]}, ModelError),
        ({"texts": ["a"], "pieces": 5}, SettingError),
        ({"texts": ["a"], "seed": 0.5}, SettingError),
        ({"texts": ["a"], "parallel": {"en": ["a"]}}, ModelError),
        ({"texts": ["a"], "parallel": {"en": ["a"], "es": ["b", "c"]}}, ModelError),
        ({"texts": ["a"], "parallel": {"en": [], "es": []}}, ModelError),
    ],
)
def test_what_cannot_be_built_is_refused(tmp_path: Path, arguments, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        tiny_encoder(folder=tmp_path / "x", **arguments)
    assert not (tmp_path / "x").exists()


def test_ordinary_widths_are_built(tmp_path: Path) -> None:
    for width in (100, 130):
        built = tiny_encoder(sentences("en"), folder=tmp_path / str(width), pieces=300, width=width, steps=1)
        assert AutoModel.from_pretrained(built).config.hidden_size == width


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_found_encoder_whose_files_were_changed_is_not_believed(tmp_path: Path, name: str) -> None:
    folder = tiny_encoder(sentences("en"), folder=tmp_path / "kept", **SMALL)
    content = bytearray((folder / name).read_bytes())
    content[-5] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(DamagedError, match="other bytes"):
        tiny_encoder(sentences("en"), folder=folder, **SMALL)
