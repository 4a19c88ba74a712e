"""Lines are cut where a file's lines end and nowhere else."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality.errors import DamagedError
from xquality.tasks.lines import line_fault, read_lines

LINE = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=8)


@given(lines=st.lists(LINE, max_size=5), end=st.sampled_from(["\n", "\r\n"]), last=st.booleans())
def test_other_separators_are_text(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], end: str, last: bool
) -> None:
    file = tmp_path_factory.mktemp("lines") / "file.txt"
    whole = last or not lines or not lines[-1]
    file.write_bytes((end.join(lines) + (end if whole and lines else "")).encode())
    first = [lines[0].removeprefix("\ufeff"), *lines[1:]] if lines else []
    assert read_lines(file) == first


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path: Path) -> None:
    file = tmp_path / "file.txt"
    file.write_bytes(b"one\ntwo\nthr\xffee\n")
    with pytest.raises(DamagedError, match=r"file\.txt, line 3: the bytes are not UTF-8"):
        read_lines(file)


def test_a_fault_names_file_and_line() -> None:
    assert str(line_fault(Path("a.txt"), 7, "it is empty")) == "a.txt, line 7: it is empty; restore or mend the file."
