"""Building an encoder prints nothing and leaves nothing beside its folder; processes that build the same one wait."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from xquality import toy
from xquality.models import tiny_encoder, trim_encoder

TEXTS = toy.sentences.load("de", "train")["source_sentence"][:60]


def test_building_prints_nothing_and_leaves_one_folder(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    encoder = tiny_encoder(TEXTS, folder=tmp_path / "encoder", pieces=100, width=8, steps=1)
    trim_encoder(encoder, TEXTS[:20], folder=tmp_path / "trimmed")
    assert capfd.readouterr() == ("", "")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["encoder", "trimmed"]


def test_several_that_build_the_same_encoder_get_the_same_folder(tmp_path: Path) -> None:
    def build(_: int) -> Path:
        return tiny_encoder(TEXTS, folder=tmp_path / "encoder", pieces=100, width=8, steps=1)

    with ThreadPoolExecutor(3) as pool:
        assert set(pool.map(build, range(3))) == {tmp_path / "encoder"}
