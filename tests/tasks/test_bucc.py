"""BUCC: the official files, parquet files and the Hub give the same rows; malformed lines are refused by number."""

import dataclasses
from pathlib import Path

import pytest
from datasets import Dataset, Features, Value
from hypothesis import given
from hypothesis import strategies as st

from xquality.errors import DamagedError, SourceError
from xquality.tasks import HubSource, bucc
from xquality.tasks.bucc import BuccSource, read_pairs, read_sentences


def test_the_pairs_are_among_the_sentences(real_data: Path) -> None:
    gold, source, target = (bucc.load("zh", f"validation{ending}", real_data) for ending in ("", ".source", ".target"))
    assert (len(gold), len(source), len(target)) == (257, 8624, 13589)
    text = Value("string")
    names = ("source_id", "target_id", "source_sentence", "target_sentence")
    assert gold.features == Features({**dict.fromkeys(names, text), "uid": Value("int64")})
    assert (
        source.features
        == target.features
        == Features({"id": text, "sentence": text, "lang": text, "uid": Value("int64")})
    )
    by_id = [dict(zip(sentences["id"], sentences["sentence"], strict=True)) for sentences in (source, target)]
    for row in gold:
        assert by_id[0][row["source_id"]] == row["source_sentence"]
        assert by_id[1][row["target_id"]] == row["target_sentence"]
    assert gold["uid"][:] == list(range(257))


@pytest.mark.parametrize(("language", "pairs", "sentences"), [("de", 300, 650), ("he", 299, 648), ("sw", 116, 252)])
def test_other_mining_sets_of_the_same_form_are_read_too(
    language: str, pairs: int, sentences: int, real_data: Path
) -> None:
    source = dataclasses.replace(bucc.source, folder="bucc_from_tatoeba/{language}-en")
    made = dataclasses.replace(bucc, name="mined", languages=("de", "fr", "he", "ru", "sw", "zh"), source=source)
    assert len(made.load(language, "validation", real_data)) == pairs
    assert [len(made.load(language, f"validation.{side}", real_data)) for side in ("source", "target")] == [
        sentences
    ] * 2


def test_the_task_has_the_four_languages_of_xtreme() -> None:
    assert bucc.languages == ("de", "fr", "ru", "zh")
    assert bucc.train_languages == ()


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
    for name, code, sentences in (("de", "de", GERMAN), ("en", "en", ENGLISH)):
        lines = [f"{code}-{number:09d}\t{sentence}\n" for number, sentence in enumerate(sentences, start=1)]
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
    monkeypatch.delenv("XQUALITY_DATA", raising=False)
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
    monkeypatch.delenv("XQUALITY_DATA", raising=False)
    with pytest.raises(SourceError, match=r"not on the Hub; unpack bucc2018-de-en\.sample-gold\.tar\.bz2"):
        SOURCE.load("de", "validation", None)
    on_the_hub(monkeypatch, [[0, 1]])
    with pytest.raises(DamagedError, match="point to sentences that do not exist"):
        SOURCE.load("de", "test", None)


@pytest.mark.parametrize("split", ["train", "test.gold", "dev", ".source", "test.source.x"])
def test_a_split_that_bucc_has_not_is_refused_with_those_it_has(split: str, official: Path) -> None:
    with pytest.raises(SourceError, match=r"there are validation, validation\.source, validation\.target, test, "):
        SOURCE.load("de", split, official)


SENTENCE = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=10)


def written(folder: Path, content: str | bytes) -> Path:
    file = folder / "de-en.sample.de"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


@given(sentences=st.lists(SENTENCE, max_size=6))
def test_a_sentence_is_what_follows_the_first_tab(
    tmp_path_factory: pytest.TempPathFactory, sentences: list[str]
) -> None:
    content = "".join(f"de-{number:09d}\t{sentence}\n" for number, sentence in enumerate(sentences, start=1))
    found = read_sentences(written(tmp_path_factory.mktemp("sentences"), content))
    assert list(found.values()) == sentences
    assert list(found) == [f"de-{number:09d}" for number in range(1, len(sentences) + 1)]


def test_the_last_line_needs_no_end(tmp_path: Path) -> None:
    assert read_sentences(written(tmp_path, "a\teins\nb\tzwei")) == {"a": "eins", "b": "zwei"}
    assert read_pairs(written(tmp_path, "a\tx\nb\ty"), "ab", "xy") == [("a", "x"), ("b", "y")]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("a\teins\nzwei\n", "line 2: an id, a tab and a sentence were expected"),
        ("a\teins\n\nb\tzwei\n", "line 2: an id, a tab and a sentence were expected"),
        ("\teins\n", "line 1: an id, a tab and a sentence were expected"),
        ("a\teins\na\tzwei\n", "line 2: the id 'a' is repeated"),
        (b"a\t\xff\n", "line 1: the bytes are not UTF-8"),
    ],
)
def test_malformed_sentences_are_refused(tmp_path: Path, content: str | bytes, what: str) -> None:
    with pytest.raises(DamagedError) as caught:
        read_sentences(written(tmp_path, content))
    assert what in str(caught.value)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("a\tx\na\n", "line 2: two ids with a tab between them were expected"),
        ("a\tx\ty\n", "line 1: two ids with a tab between them were expected"),
        ("a\ty\n", "line 1: there is no sentence with the id 'y'"),
        ("a\tx\nb\tx\n", "line 2: there is no sentence with the id 'b'"),
    ],
)
def test_malformed_pairs_are_refused(tmp_path: Path, content: str, what: str) -> None:
    with pytest.raises(DamagedError) as caught:
        read_pairs(written(tmp_path, content), {"a"}, {"x"})
    assert what in str(caught.value)
