"""BUCC's files are read whole or refused with the line that is wrong."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality.errors import DamagedError
from xquality.tasks.bucc_files import read_gold, read_heap

SENTENCE = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=10)


def written(folder: Path, content: str | bytes) -> Path:
    file = folder / "de-en.sample.de"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


@given(sentences=st.lists(SENTENCE, max_size=6))
def test_a_sentence_is_what_follows_the_first_tab(
    tmp_path_factory: pytest.TempPathFactory, sentences: list[str]
) -> None:
    content = "".join(f"de-{number:09d}\t{one}\n" for number, one in enumerate(sentences, start=1))
    heap = read_heap(written(tmp_path_factory.mktemp("heap"), content))
    assert list(heap.values()) == sentences
    assert list(heap) == [f"de-{number:09d}" for number in range(1, len(sentences) + 1)]


def test_the_last_line_needs_no_end(tmp_path: Path) -> None:
    assert read_heap(written(tmp_path, "a\teins\nb\tzwei")) == {"a": "eins", "b": "zwei"}
    assert read_gold(written(tmp_path, "a\tx\nb\ty"), "ab", "xy") == [("a", "x"), ("b", "y")]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("a\teins\nzwei\n", "line 2: an id, a tab and a sentence were expected"),
        ("a\teins\n\nb\tzwei\n", "line 2: an id, a tab and a sentence were expected"),
        ("\teins\n", "line 1: an id, a tab and a sentence were expected"),
        ("a\teins\na\tzwei\n", "line 2: the id 'a' stands there for the second time"),
        (b"a\t\xff\n", "line 1: the bytes are not UTF-8"),
    ],
)
def test_a_malformed_heap_is_refused(tmp_path: Path, content: str | bytes, what: str) -> None:
    with pytest.raises(DamagedError) as caught:
        read_heap(written(tmp_path, content))
    assert what in str(caught.value)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("a\tx\na\n", "line 2: two ids with a tab between them were expected"),
        ("a\tx\ty\n", "line 1: two ids with a tab between them were expected"),
        ("a\ty\n", "line 1: the id 'y' is not in its heap"),
        ("a\tx\nb\tx\n", "line 2: the id 'b' is not in its heap"),
    ],
)
def test_malformed_gold_is_refused(tmp_path: Path, content: str, what: str) -> None:
    with pytest.raises(DamagedError) as caught:
        read_gold(written(tmp_path, content), {"a"}, {"x"})
    assert what in str(caught.value)
