"""Neural engines: languages of each family, order and batches, sampling, and checkpoints that would mislead."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
import tiny_translators as tiny
import torch
from tiny_translators import FAMILIES, TEXTS

from xquality.errors import LanguagePairError, ModelError, SettingError, TranslationError
from xquality.translators import Cached, Transformers, from_dict
from xquality.translators.transformers import batches_by_length

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*were cut off:UserWarning"),
    pytest.mark.usefixtures("one_thread"),
]


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    """One folder with a model of each family."""
    return tiny.write_families(tmp_path_factory.mktemp("models"))


def engine(folder: Path, **settings) -> Transformers:
    return Transformers(folder, **{"max_new_tokens": 16, "batch_size": 8, **settings})


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("settings", [{}, {"precision": "bfloat16"}, {"temperature": 1.0}, {"beam_width": 3}], ids=str)
def test_neither_order_nor_batches_change_a_translation(models, family: str, settings) -> None:
    translator = engine(models / family, **settings)
    expected = translator.translate(TEXTS, "en", "es")
    assert len(set(expected)) > 10
    shuffled = [place * 7 % len(TEXTS) for place in range(len(TEXTS))]  # 7 and 24 have no common factor
    assert translator.translate([TEXTS[place] for place in shuffled], "en", "es") == [expected[p] for p in shuffled]
    assert [translator.translate([text], "en", "es")[0] for text in TEXTS[:4]] == expected[:4]
    assert translator.context_free
    if "precision" not in settings:  # in bfloat16 the batch size is part of the version
        other = dataclasses.replace(translator, batch_size=5)
        assert other.version == translator.version
        assert other.translate(TEXTS, "eng_Latn", "spa_Latn") == expected


def test_sampling_is_fixed_by_the_seed_and_the_text_and_follows_the_temperature(models) -> None:
    state = torch.get_rng_state()
    sampled = {seed: engine(models / "nllb", temperature=1.0, seed=seed) for seed in (0, 1)}
    first, second = (sampled[seed].translate(TEXTS, "en", "es") for seed in (0, 1))
    assert first == sampled[0].translate(TEXTS, "en", "es")
    assert sum(one != other for one, other in zip(first, second, strict=True)) > 15
    greedy = engine(models / "nllb").translate(TEXTS, "en", "es")
    assert engine(models / "nllb", temperature=1e-4).translate(TEXTS, "en", "es") == greedy != first
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    "settings", [{"beam_width": 2}, {"temperature": 0.5}, {"precision": "bfloat16"}, {"max_new_tokens": 9}, {"too_long": "truncate"}]
)  # fmt: skip
def test_the_version_holds_what_decides_a_translation(models, settings) -> None:
    translator = engine(models / "opus-mt-en-es")
    assert "transformers " in translator.version
    assert "float32 on cpu" in translator.version
    assert dataclasses.replace(translator, **settings).version != translator.version
    assert translator.name == "opus-mt-en-es"


def test_the_version_follows_the_files_and_not_the_folder(models, tmp_path) -> None:
    copied = Path(shutil.copytree(models / "opus-mt-en-es", tmp_path / "moved" / "opus-mt-en-es"))
    before = engine(copied).version
    assert before == engine(models / "opus-mt-en-es").version
    settings = json.loads((copied / "generation_config.json").read_text())
    (copied / "generation_config.json").write_text(json.dumps({**settings, "min_new_tokens": 3}))
    assert engine(copied).version != before


@pytest.mark.parametrize(
    ("family", "spellings"),
    [
        ("m2m100", {"spa_Latn": "__es__", "deu": "__de__", "zho_Hans": "__zh__", "nso": "__ns__", "swh": "__sw__", "nb": "__no__", "srp_Cyrl": "__sr__"}),
        ("nllb", {"es": "spa_Latn", "zh": "zho_Hans", "zh_TW": "zho_Hant", "ar": "arb_Arab", "sw": "swh_Latn", "ko": "kor_Hang", "ks": "kas_Arab", "kas_Deva": "kas_Deva", "no": "nob_Latn"}),
    ],
)  # fmt: skip
def test_languages_of_the_data_are_mapped_to_the_codes_of_the_family(models, family: str, spellings) -> None:
    translator = engine(models / family)
    checkpoint = translator._checkpoint
    for spelling, code in spellings.items():
        assert translator.supports("en", spelling), spelling
        start = checkpoint.start_id(spelling)
        assert checkpoint.tokenizer.convert_ids_to_tokens(start) == code
        ids = checkpoint.encode(["a"], spelling, "en", truncate=False)[0]
        assert checkpoint.tokenizer.convert_ids_to_tokens(ids[0]) == code
        assert ids[-1] == checkpoint.tokenizer.eos_token_id
    assert ("en", "es") in translator.pairs()
    assert not translator.supports("en", "eng_Latn")
    assert not translator.supports("en", "xx")
    assert not translator.supports("en", "srp_Latn")
    with pytest.raises(LanguagePairError):
        engine(models / family, language_pairs=[("en", "de")]).translate(["a"], "en", "es")


def test_each_family_has_its_languages_once(models) -> None:
    from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES as M2M100
    from transformers.models.nllb.tokenization_nllb import FAIRSEQ_LANGUAGE_CODES as NLLB

    assert len(engine(models / "m2m100")._checkpoint.sources) == len(M2M100["m2m100"])
    assert len(engine(models / "nllb")._checkpoint.sources) == len(NLLB)


def test_languages_and_ends_that_stand_in_a_text_are_text(models) -> None:
    for family in FAMILIES:
        checkpoint = engine(models / family)._checkpoint
        tokenizer = checkpoint.tokenizer
        for text in ("</s> eng_Latn __es__ <pad>", ">>es<< a", "a </s> b"):
            (ids,) = checkpoint.encode([text], "en", "es", truncate=False)
            inner = ids[1:-1] if family != "opus-mt-en-es" else ids[:-1]
            assert not set(inner) & (set(tokenizer.all_special_ids) - {tokenizer.unk_token_id})
        codes = [token for token in map(checkpoint.start_id, ["en", "es"]) if token is not None]
        assert checkpoint.decode([tokenizer.eos_token_id, *codes]) == ""


def test_marian_says_its_languages_or_they_are_given(tmp_path) -> None:
    named = tiny.write_marian(tmp_path / "opus-mt-tc-big-en-pt", "", "")
    assert engine(named).pairs() == (("en", "pt"),)
    assert engine(named).translate(["a cat"], "en", "por_Latn")
    silent = Path(shutil.move(named, tmp_path / "mine"))
    with pytest.raises(ModelError, match="does not say which languages"):
        engine(silent).pairs()
    assert engine(silent, language_pairs=[("eng", "spa_Latn")]).supports("en", "es")


def test_a_marian_model_of_many_languages_is_told_the_target(tmp_path) -> None:
    codes = ("fra", "es", "pt", "pt_br", "cmn", "cmn_Hans", "cmn_Hant", "srp_Latn")
    folder = tiny.write_marian(tmp_path / "opus-mt-en-mul", "", "", codes)
    translator = engine(folder)
    assert translator.supports("en", "fr")
    assert not translator.supports("fr", "en")
    assert not translator.supports("en", "sr")  # which is Cyrillic where no script is named
    checkpoint = translator._checkpoint
    for spelling, code in {
        "fr": "fra",
        "es": "es",
        "por": "pt",
        "zh": "cmn_Hans",
        "zh-TW": "cmn_Hant",
        "srp_Latn": "srp_Latn",
    }.items():
        ids = checkpoint.encode([">>fra<< a"], "en", spelling, truncate=False)[0]
        assert checkpoint.tokenizer.convert_ids_to_tokens(ids[0]) == f">>{code}<<"
        assert checkpoint.tokenizer.convert_tokens_to_ids(">>fra<<") not in ids[1:]
    translations = {target: translator.translate(["a cat"], "en", target)[0] for target in ("fr", "es", "zh")}
    assert len(set(translations.values())) > 1
    many = tiny.write_marian(tmp_path / "opus-mt-ROMANCE-en", "", "")
    with pytest.raises(ModelError, match="language_pairs"):
        engine(many).pairs()
    assert engine(many, language_pairs=[("es", "en"), ("fr", "en")]).supports("fra_Latn", "en")


def test_a_tokenizer_without_words_is_refused(tmp_path) -> None:
    folder = tiny.write_nllb(tmp_path / "nllb", words=False)
    with pytest.raises(ModelError, match=r"has 20\d tokens, all of them special.*tokenizer\.json"):
        engine(folder).translate(["a"], "en", "es")


def test_a_vocabulary_that_is_too_small_is_refused(tmp_path) -> None:
    folder = tiny.write_m2m100(tmp_path / "m2m100", missing_embeddings=100)
    with pytest.raises(ModelError, match="set vocab_size to"):
        engine(folder).translate(["a"], "en", "es")


def test_other_weights_than_safetensors_and_other_families_are_refused(models, tmp_path, encoder) -> None:
    copied = Path(shutil.copytree(models / "opus-mt-en-es", tmp_path / "opus-mt-en-es"))
    (copied / "model.safetensors").rename(copied / "pytorch_model.bin")
    with pytest.raises(ModelError, match="no weights in safetensors"):
        engine(copied).translate(["a"], "en", "es")
    with pytest.raises(ModelError, match="Marian, M2M100 and NLLB"):
        engine(encoder).pairs()
    (copied / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="cannot be loaded"):
        engine(copied).translate(["a"], "en", "es")
    (copied / "vocab.json").write_text("{")
    with pytest.raises(ModelError, match="no translation model that can be loaded"):
        engine(copied).pairs()


def test_weights_that_are_missing_are_not_drawn(models, tmp_path) -> None:
    from safetensors.torch import load_file, save_file

    copied = Path(shutil.copytree(models / "m2m100", tmp_path / "m2m100"))
    weights = load_file(copied / "model.safetensors")
    name = next(name for name in weights if "decoder.layers.0.fc1.weight" in name)
    save_file(
        {key: weight for key, weight in weights.items() if key != name}, copied / "model.safetensors", {"format": "pt"}
    )
    with pytest.raises(ModelError, match="lack 1 parts"):
        engine(copied).translate(["a"], "en", "es")


def test_code_of_a_repository_is_never_run(models, tmp_path) -> None:
    copied = Path(shutil.copytree(models / "opus-mt-en-es", tmp_path / "opus-mt-en-es"))
    (copied / "own.py").write_text("raise SystemExit('run')")
    settings = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(
        json.dumps({**settings, "auto_map": {"AutoModelForSeq2SeqLM": "own.Model", "AutoConfig": "own.Configuration"}})
    )
    translator = engine(copied)
    assert translator.translate(["a cat"], "en", "es") == engine(models / "opus-mt-en-es").translate(
        ["a cat"], "en", "es"
    )


def test_long_texts_are_errors_or_truncated_and_cut_translations_are_warned_of(models) -> None:
    long = " ".join(tiny.texts("en", 30))
    for family in FAMILIES:
        with pytest.raises(TranslationError, match=r"reads 12\d tokens, but .* split it"):
            engine(models / family).translate(["a", long], "en", "es")
        with pytest.warns(UserWarning, match="of 2 translations by .* were cut off at 16 tokens"):
            engine(models / family, too_long="truncate").translate(["a", long], "en", "es")


def test_a_translation_to_nothing_is_an_error(models, tmp_path) -> None:
    copied = Path(shutil.copytree(models / "opus-mt-en-es", tmp_path / "opus-mt-en-es"))
    settings = json.loads((copied / "generation_config.json").read_text())
    (copied / "generation_config.json").write_text(
        json.dumps({**settings, "min_new_tokens": None, "begin_suppress_tokens": list(range(1, 300))})
    )
    with pytest.raises(TranslationError, match="returned nothing for text 0, 'a cat'"):
        engine(copied, max_new_tokens=1).translate(["a cat"], "en", "es")


def test_settings_are_checked() -> None:
    for settings in (
        {"beam_width": 0}, {"temperature": -1}, {"temperature": float("nan")}, {"max_new_tokens": 0}, {"precision": "int8"},
        {"batch_size": 0}, {"device": "tpu"}, {"too_long": "split"}, {"language_pairs": [("en",)]}, {"temperature": 1, "beam_width": 2},
    ):  # fmt: skip
        with pytest.raises(SettingError):
            Transformers("a/b@main", **settings)
    for model in ("", "a/b", "a/b@", 3):
        with pytest.raises(SettingError):
            Transformers(model)
    with pytest.raises(ModelError, match="could not be loaded"):
        Transformers("nobody/nothing@0123456").pairs()


def test_the_engine_survives_json_and_a_cache(models, tmp_path) -> None:
    translator = engine(models / "opus-mt-en-es", language_pairs=[("en", "es")], beam_width=2)
    assert from_dict(json.loads(json.dumps(translator.to_dict()))) == translator
    cached = Cached(translator, tmp_path)
    assert cached.translate(TEXTS, "en", "es") == translator.translate(TEXTS, "en", "es")
    assert eval(repr(translator)) == translator  # noqa: S307 (our own text)


def test_a_model_of_the_hub_is_read_at_its_revision(models, tmp_path, monkeypatch) -> None:
    from huggingface_hub import constants

    commit = "0123456789abcdef0123456789abcdef01234567"
    cached = tmp_path / "hub" / "models--someone--opus-mt-en-es" / "snapshots" / commit
    shutil.copytree(models / "opus-mt-en-es", cached)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    translator = engine(f"someone/opus-mt-en-es@{commit}")
    assert translator.pairs() == (("en", "es"),)
    assert translator.version == engine(models / "opus-mt-en-es").version
    assert translator.translate(TEXTS[:3], "en", "es") == engine(models / "opus-mt-en-es").translate(
        TEXTS[:3], "en", "es"
    )
    with pytest.raises(ModelError, match="could not be loaded"):
        engine(f"someone/opus-mt-en-es@{commit[::-1]}").pairs()


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_a_gpu_that_is_missing_is_named(models) -> None:
    with pytest.raises(SettingError, match="finds no GPU"):
        engine(models / "opus-mt-en-es", device="cuda").translate(["a"], "en", "es")


def test_batches_hold_texts_of_similar_length() -> None:
    lengths = [3, 9, 1, 8, 2, 17, 16]
    assert list(batches_by_length(lengths, 3)) == [[5, 6, 1], [3, 0, 4], [2]]
    assert list(batches_by_length(lengths, 3, step=8)) == [[5], [6, 1], [3, 0, 4], [2]]
    assert list(batches_by_length([], 3)) == []
