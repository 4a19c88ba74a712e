"""CCG supertagging is read from the user's own files in either form; without them it is said where to get them."""

from pathlib import Path

import pytest
from datasets import ClassLabel, List
from hypothesis import given
from hypothesis import strategies as st

from xquality.errors import DamagedError, SourceError
from xquality.tasks import ccg
from xquality.tasks.ccg import categories, read_supertags


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "ccg").mkdir()
    (tmp_path / "ccg/train.txt").write_text("Pierre|NNP|N/N Vinken|NNP|N\nHe|PRP|NP\n", encoding="utf-8")
    (tmp_path / "ccg/validation.txt").write_text("Elsie|NNP|N smiled|VBD|S[dcl]\\NP\n", encoding="utf-8")
    return tmp_path


def test_all_splits_share_the_categories_of_all_files(root: Path) -> None:
    names = ["N", "N/N", "NP", "S[dcl]\\NP"]
    assert list(categories(root)) == names
    train, validation = ccg.load("en", "train", root), ccg.load("en", "validation", root)
    assert train.features == validation.features
    assert train.features["tags"] == List(ClassLabel(names=names))
    assert train.to_list() == [
        {"tokens": ["Pierre", "Vinken"], "tags": [1, 0], "uid": 0},
        {"tokens": ["He"], "tags": [2], "uid": 1},
    ]


def test_a_split_that_is_not_there_is_refused_with_those_there_are(root: Path) -> None:
    with pytest.raises(SourceError, match="no split 'test' here; there are train, validation"):
        ccg.load("en", "test", root)


@pytest.mark.parametrize("given", [True, False])
def test_without_the_files_it_is_said_how_to_get_them(
    given: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XQUALITY_DATA", raising=False)
    with pytest.raises(SourceError, match=r"Linguistic Data Consortium \(LDC2005T13\)"):
        ccg.load("en", "train", tmp_path if given else None)


def test_a_link_that_leads_out_of_the_root_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.txt").write_text("a|DT|NP/N\n", encoding="utf-8")
    (tmp_path / "root" / "ccg").mkdir(parents=True)
    (tmp_path / "root" / "ccg" / "train.txt").symlink_to(tmp_path / "elsewhere.txt")
    with pytest.raises(SourceError, match="leads out"):
        ccg.load("en", "train", tmp_path / "root")


WORDS = st.lists(
    st.tuples(st.text("ab|./", min_size=1, max_size=4), st.sampled_from(["N", "N/N", "(S[dcl]\\NP)/NP", ","])),
    min_size=1,
    max_size=5,
)


@given(sentences=st.lists(WORDS, min_size=1, max_size=4), form=st.sampled_from(["tokens", "columns"]))
def test_both_forms_give_the_same_sentences(
    tmp_path_factory: pytest.TempPathFactory, sentences: list[list[tuple[str, str]]], form: str
) -> None:
    lines = [
        " ".join(f"{word}|POS|{category}" for word, category in sentence)
        if form == "tokens"
        else " ".join(word for word, _ in sentence) + "\t" + " ".join(category for _, category in sentence)
        for sentence in sentences
    ]
    file = tmp_path_factory.mktemp("ccg") / "train.txt"
    file.write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    assert read_supertags(file) == [
        ([word for word, _ in sentence], [tag for _, tag in sentence]) for sentence in sentences
    ]


@pytest.mark.parametrize("line", ["Vinken N", "Vinken|N", "a|b|", "|b|c", "one two\tN", "\tN", "one\tN\tN", "one\t"])
def test_a_line_of_another_form_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "train.txt"
    file.write_text(f"a|b|c\n{line}\n", encoding="utf-8")
    with pytest.raises(DamagedError, match=r"train\.txt, line 2: tokens such as word\|POS\|category were expected"):
        read_supertags(file)
