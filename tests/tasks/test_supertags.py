"""Supertags are read from either form, and what is neither names its line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality.errors import DamagedError
from xquality.tasks.supertags import read_supertags

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
        " ".join(f"{word}|POS|{category}" for word, category in one)
        if form == "tokens"
        else " ".join(word for word, _ in one) + "\t" + " ".join(category for _, category in one)
        for one in sentences
    ]
    file = tmp_path_factory.mktemp("ccg") / "train.txt"
    file.write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    assert read_supertags(file) == [([word for word, _ in one], [tag for _, tag in one]) for one in sentences]


@pytest.mark.parametrize("line", ["Vinken N", "Vinken|N", "a|b|", "|b|c", "one two\tN", "\tN", "one\tN\tN", "one\t"])
def test_a_line_of_another_form_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "train.txt"
    file.write_text(f"a|b|c\n{line}\n", encoding="utf-8")
    with pytest.raises(DamagedError, match=r"train\.txt, line 2: tokens such as word\|POS\|category were expected"):
        read_supertags(file)
