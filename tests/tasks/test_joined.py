"""Several tasks as one: every row is there once and known by its part and its number."""

import pytest
from datasets import Dataset

from xquality.errors import SourceError
from xquality.tasks import MemorySource, Task
from xquality.tasks.joined import JoinedSource


def part(name: str, **columns: list[object]) -> Task:
    return Task(name, ("en",), "en", MemorySource({("en", "train"): Dataset.from_dict(columns)}))


def test_rows_follow_each_other_and_are_named_after_their_part() -> None:
    joined = JoinedSource((part("one", text=["a", "b"]), part("two", text=["c"])))
    data = Task("both", ("en",), "en", joined).load("en", "train")
    assert data["text"][:] == ["a", "b", "c"]
    assert data["uid"][:] == ["one/0", "one/1", "two/0"]


def test_a_part_that_lacks_the_split_is_an_error() -> None:
    with pytest.raises(SourceError, match="split 'test'"):
        JoinedSource((part("one", text=["a"]),)).load("en", "test", None)
