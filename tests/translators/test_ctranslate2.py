"""CTranslate2: the same checkpoints, converted once, with the translations of transformers where nothing is rounded."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
import tiny_translators as tiny
from tiny_translators import FAMILIES, TEXTS

from xquality.errors import ModelError, NotInstalledError, SettingError, TranslationError
from xquality.translators import Cached, CTranslate2, Transformers, from_dict
from xquality.translators import ctranslate2 as module

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*were cut off:UserWarning"),
    pytest.mark.usefixtures("one_thread"),
]


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    """One folder with a model of each family, without settings of decoding, which CTranslate2 does not read."""
    pytest.importorskip("ctranslate2", reason="pip install 'xquality[ctranslate2]'")
    folder = tiny.write_families(tmp_path_factory.mktemp("models"))
    for family in FAMILIES:
        path = folder / family / "generation_config.json"
        plain = {"min_new_tokens": None, "forced_eos_token_id": None}
        path.write_text(json.dumps({**json.loads(path.read_text()), **plain}))
    return folder


def engine(model: Path, **settings) -> CTranslate2:
    return CTranslate2(model, **{"max_new_tokens": 12, **settings})


@pytest.mark.parametrize("family", FAMILIES)
def test_the_translations_are_those_of_transformers(models, family: str) -> None:
    expected = Transformers(models / family, max_new_tokens=12).translate(TEXTS, "en", "es")
    found = engine(models / family, compute_type="float32").translate(TEXTS, "en", "es")
    assert sum(one == other for one, other in zip(expected, found, strict=True)) >= len(TEXTS) - 2
    assert len(set(expected)) > 10


@pytest.mark.parametrize("settings", [{}, {"compute_type": "float32"}, {"beam_width": 3}], ids=str)
def test_neither_order_nor_batches_change_a_translation(models, settings) -> None:
    translator = engine(models / "opus-mt-en-es", **settings)
    expected = translator.translate(TEXTS, "en", "es")
    assert translator.translate(TEXTS[::-1], "eng_Latn", "spa_Latn") == expected[::-1]
    other = dataclasses.replace(translator, batch_size=3)
    assert other.translate(TEXTS, "en", "es") == expected
    assert other.version == translator.version
    assert [translator.translate([text], "en", "es")[0] for text in TEXTS[:4]] == expected[:4]


def test_a_model_is_converted_once_and_again_where_it_was_damaged(models, tmp_path) -> None:
    copied = Path(shutil.copytree(models / "opus-mt-en-es", tmp_path / "opus-mt-en-es"))
    before = engine(copied).translate(TEXTS[:5], "en", "es")
    (converted,) = tmp_path.glob("opus-mt-en-es-ctranslate2-int8-*")
    written = converted.stat().st_mtime_ns
    module._load.cache_clear()
    assert engine(copied).translate(TEXTS[:5], "en", "es") == before
    assert converted.stat().st_mtime_ns == written
    (converted / "model.bin").write_bytes(b"damaged")
    with pytest.warns(UserWarning, match="converted again"):
        assert engine(copied).translate(TEXTS[:5], "en", "es") == before
    engine(copied, compute_type="float32", folder=tmp_path / "elsewhere").translate(["a"], "en", "es")
    assert [found.name[:27] for found in (tmp_path / "elsewhere").iterdir()] == ["opus-mt-en-es-ctranslate2-f"]


def test_a_marian_model_that_does_not_start_from_zero_is_refused(models, tmp_path) -> None:
    from transformers import MarianMTModel

    copied = Path(shutil.copytree(models / "opus-mt-en-es", tmp_path / "opus-mt-en-es"))
    network = MarianMTModel.from_pretrained(copied)
    network.model.shared.weight.data[-1] = 0.1
    network.save_pretrained(copied)
    with pytest.raises(ModelError, match="not zero"):
        engine(copied).translate(["a"], "en", "es")
    assert [path.name for path in tmp_path.iterdir()] == ["opus-mt-en-es"]


def test_long_texts_are_errors_or_truncated(models) -> None:
    long = " ".join(tiny.texts("en", 30))
    with pytest.raises(TranslationError, match="split it"):
        engine(models / "opus-mt-en-es").translate([long], "en", "es")
    with pytest.warns(UserWarning, match="cut off at 12 tokens"):
        engine(models / "opus-mt-en-es", too_long="truncate").translate([long], "en", "es")


def test_the_engine_survives_json_and_a_cache(models, tmp_path) -> None:
    translator = engine(models / "opus-mt-en-es", folder=tmp_path / "converted")
    assert from_dict(json.loads(json.dumps(translator.to_dict()))) == translator
    assert "int8 on cpu" in translator.version
    cached = Cached(translator, tmp_path / "cache")
    assert cached.translate(TEXTS[:9], "en", "es") == translator.translate(TEXTS[:9], "en", "es")


def test_settings_are_checked() -> None:
    for settings in ({"compute_type": "int4"}, {"threads": 0}, {"beam_width": 0}, {"folder": ""}, {"folder": None}):
        with pytest.raises(SettingError):
            CTranslate2("a/b@main", **{"folder": "here", **settings})


def test_where_the_package_is_missing_the_command_is_named(monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ctranslate2", None)
    with pytest.raises(NotInstalledError, match=r"pip install 'xquality\[ctranslate2\]'"):
        CTranslate2("a/b@main", folder="here").version  # noqa: B018 (a property that fails)
