"""trim_encoder: the same pieces and outputs on the given texts, smaller files, and what it refuses."""

from pathlib import Path

import pytest
import torch
from tokenizers import BertWordPieceTokenizer
from transformers import AutoConfig, AutoModel, AutoTokenizer, BertConfig, BertModel, BertTokenizerFast

from xquality import toy
from xquality.errors import DamagedError, ModelError
from xquality.models import trim_encoder

TEXTS = [text for language in ("es", "ru") for text in toy.sentences.load(language, "train")["source_sentence"][:60]]
ODD = ["", "  ", "¡Ñandú! 12/3 — “x”", "日本語", "a\u0301e\u0301"]


@pytest.fixture(scope="module")
def wordpiece(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small encoder of mBERT's shape: WordPiece pieces, a pooler, three layers."""
    folder = tmp_path_factory.mktemp("wordpiece")
    trained = BertWordPieceTokenizer(lowercase=False)
    trained.train_from_iterator(
        toy.sentences.load("es", "train")["source_sentence"][:] + ODD, vocab_size=700, show_progress=False
    )
    trained.save_model(str(folder))
    tokenizer = BertTokenizerFast(str(folder / "vocab.txt"), do_lower_case=False)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(vocab_size=len(tokenizer), **shape)).save_pretrained(folder)
    return folder


def outputs(folder: Path, texts: list[str]) -> torch.Tensor:
    network, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        return network(**tokenizer(texts, return_tensors="pt", padding=True, truncation=True)).last_hidden_state


def pieces(folder: Path, texts: list[str]) -> list[list[str]]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return [tokenizer.convert_ids_to_tokens(ids) for ids in tokenizer(texts)["input_ids"]]


@pytest.fixture(params=["unigram", "wordpiece"])
def whole(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue("encoder" if request.param == "unigram" else "wordpiece")


def test_pieces_and_outputs_are_the_same_on_the_given_texts(whole: Path, tmp_path: Path) -> None:
    given = [*TEXTS, *ODD]
    small = trim_encoder(whole, given, folder=tmp_path / "small")
    assert len(AutoTokenizer.from_pretrained(small)) < len(AutoTokenizer.from_pretrained(whole))
    assert pieces(small, given) == pieces(whole, given)
    assert torch.equal(outputs(small, given), outputs(whole, given))


def test_nothing_becomes_unknown_that_was_not(whole: Path, tmp_path: Path) -> None:
    small = trim_encoder(whole, TEXTS[:1], folder=tmp_path / "small")
    others = toy.sentences.load("es", "test")["source_sentence"][:] + ODD
    unknown = AutoTokenizer.from_pretrained(whole).unk_token
    for before, after in zip(pieces(whole, others), pieces(small, others), strict=True):
        assert (unknown in after) <= (unknown in before)


def test_the_layers_that_are_kept(whole: Path, tmp_path: Path) -> None:
    count = AutoConfig.from_pretrained(whole).num_hidden_layers
    small = trim_encoder(whole, TEXTS, folder=tmp_path / "small", layers=[count - 1])
    config = AutoConfig.from_pretrained(small)
    assert config.num_hidden_layers == 1
    assert config.trimmed["layers"] == [count - 1]
    assert outputs(small, TEXTS).shape == outputs(whole, TEXTS).shape


def test_the_same_call_finds_the_folder_and_another_one_is_refused(encoder: Path, tmp_path: Path) -> None:
    small = trim_encoder(encoder, TEXTS, folder=tmp_path / "small")
    written = (small / "model.safetensors").stat().st_mtime_ns
    assert trim_encoder(encoder, reversed(TEXTS), folder=tmp_path / "small") == small
    assert (small / "model.safetensors").stat().st_mtime_ns == written
    with pytest.raises(ModelError, match="something other"):
        trim_encoder(encoder, TEXTS[:3], folder=tmp_path / "small")


def test_training_starts_from_a_trimmed_encoder(encoder: Path, tmp_path: Path) -> None:
    from xquality.train import Stage, fit

    texts = toy.topics.load("en", "train")["text"][:] + toy.topics.load("en", "validation")["text"][:]
    small = trim_encoder(encoder, texts, folder=tmp_path / "small")
    stages = [Stage(toy.topics, steps=3, batch_size=8)]
    small_loss, whole_loss = (
        next(
            point.value
            for point in fit(stages, model=model, seed=1, threads=1).history.points
            if point.metric == "loss"
        )
        for model in (small, encoder)
    )
    assert small_loss == whole_loss


def test_what_it_refuses(encoder: Path, tmp_path: Path) -> None:
    for layers in ([], [1, 0], [0, 0], [99]):
        with pytest.raises(ModelError, match="ascending, each once"):
            trim_encoder(encoder, TEXTS, folder=tmp_path / "none", layers=layers)
    with pytest.raises(ModelError, match="needs the texts"):
        trim_encoder(encoder, [], folder=tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_found_encoder_whose_weights_were_changed_is_not_believed(encoder: Path, tmp_path: Path) -> None:
    folder = trim_encoder(encoder, TEXTS, folder=tmp_path / "small")
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[-5] ^= 1
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(DamagedError, match="other bytes"):
        trim_encoder(encoder, TEXTS, folder=folder)
