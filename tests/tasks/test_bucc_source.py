"""BUCC's heaps and pairs agree with each other, from whichever files they come."""

from pathlib import Path

import pytest
from datasets import Dataset

from xquality.data import hub
from xquality.errors import DamagedError, SourceError
from xquality.tasks import HubSource
from xquality.tasks.bucc_source import BuccSource

SOURCE = BuccSource(HubSource("made/bucc", "0" * 40, "bucc2018", configuration="{language}-en"))
GERMAN, ENGLISH = ["Es regnet.", "Guten Tag.", "Er liest."], ["Good day.", "She sings."]
PAIR = {
    "source_id": "de-000000002",
    "target_id": "en-000000001",
    "source_sentence": "Guten Tag.",
    "target_sentence": "Good day.",
}


@pytest.fixture
def official(tmp_path: Path) -> Path:
    folder = tmp_path / "bucc2018/de-en"
    folder.mkdir(parents=True)
    for name, code, heap in (("de", "de", GERMAN), ("en", "en", ENGLISH)):
        lines = [f"{code}-{number:09d}\t{one}\n" for number, one in enumerate(heap, start=1)]
        (folder / f"de-en.training.{name}").write_text("".join(lines), encoding="utf-8")
    (folder / "de-en.training.gold").write_text("de-000000002\ten-000000001\n", encoding="utf-8")
    return tmp_path


def on_the_hub(monkeypatch: pytest.MonkeyPatch, gold: list[list[int]]) -> None:
    row = {"sentence1": [GERMAN], "sentence2": [ENGLISH], "gold": [gold]}

    def fetch(repository: str, configuration: str, split: str, revision: str) -> Dataset:
        assert (repository, configuration, split, revision) == ("made/bucc", "de-en", "test", "0" * 40)
        return Dataset.from_dict(row)

    monkeypatch.setattr("xquality.data.source.fetch", fetch)


@pytest.mark.parametrize("place", ["files", "hub"])
def test_the_hub_gives_what_the_official_files_give(
    place: str, official: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(hub.ROOT_VARIABLE, raising=False)
    on_the_hub(monkeypatch, [[2, 1]])
    root = official if place == "files" else None
    assert SOURCE.load("de", "test", root).to_list() == [PAIR]
    source, target = (SOURCE.load("de", f"test.{side}", root) for side in ("source", "target"))
    assert source["id"][:] == [f"de-{number:09d}" for number in (1, 2, 3)]
    assert (source["sentence"][:], target["sentence"][:]) == (GERMAN, ENGLISH)
    assert set(target["lang"]) == {"en"}


def test_files_of_the_archive_that_are_missing_are_named(official: Path) -> None:
    (official / "bucc2018/de-en/de-en.training.gold").unlink()
    with pytest.raises(SourceError, match=r"lacks de-en\.training\.gold; unpack the whole archive"):
        SOURCE.load("de", "test.source", official)


def test_without_official_files_parquet_files_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "bucc2018/de-en"
    for name, rows in (
        ("gold/test", [PAIR]),
        ("sentences/test.source", [{"id": "de-1", "sentence": "a", "lang": "de"}]),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Dataset.from_list(rows).to_parquet(f"{folder / name}.parquet")
    assert SOURCE.load("de", "test", tmp_path).to_list() == [PAIR]
    assert SOURCE.load("de", "test.source", tmp_path)["id"][:] == ["de-1"]
    with pytest.raises(SourceError, match=r"no split 'test\.target'"):
        SOURCE.load("de", "test.target", tmp_path)


def test_what_the_hub_does_not_have_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(hub.ROOT_VARIABLE, raising=False)
    with pytest.raises(SourceError, match=r"not on the Hub; unpack bucc2018-de-en\.sample-gold\.tar\.bz2"):
        SOURCE.load("de", "validation", None)
    on_the_hub(monkeypatch, [[0, 1]])
    with pytest.raises(DamagedError, match="point to sentences that its heaps do not have"):
        SOURCE.load("de", "test", None)


@pytest.mark.parametrize("split", ["train", "test.gold", "dev", ".source", "test.source.x"])
def test_a_split_that_bucc_has_not_is_refused_with_those_it_has(split: str, official: Path) -> None:
    with pytest.raises(SourceError, match=r"there are validation, validation\.source, validation\.target, test, "):
        SOURCE.load("de", split, official)
