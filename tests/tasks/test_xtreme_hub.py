"""Everything on the Hub is read at a commit, and the tasks are those of the paper in its order."""

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import pytest

from xquality import tasks
from xquality.source import HubSource
from xquality.tasks import INTERMEDIATE, XTREME, Task
from xquality.tasks.xtreme_hub import REPOSITORY, REVISION

ALL = [value for value in vars(tasks).values() if isinstance(value, Task)]


def hub_sources(value: Any) -> Iterator[HubSource]:
    """Yield every source on the Hub inside a task's source."""
    if isinstance(value, HubSource):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from hub_sources(one)
    elif dataclasses.is_dataclass(value):
        for one in dataclasses.fields(value):
            yield from hub_sources(getattr(value, one.name))


@pytest.mark.parametrize("task", ALL, ids=lambda task: task.name)
def test_a_task_is_pinned_and_says_what_to_cite(task: Task) -> None:
    found = list(hub_sources(task.source))
    assert found or task.name == "ccg"
    for source in found:
        assert re.fullmatch(r"[0-9a-f]{40}", source.revision)
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", source.repository)
    assert re.search(r"\b(19|20)\d\d\b", task.citation)
    assert task.languages == tuple(dict.fromkeys(task.languages))
    assert task.source_language in (*task.languages, *(task.train_languages or ()), "en")


@pytest.mark.parametrize("task", ALL, ids=lambda task: task.name)
def test_a_tasks_module_says_what_its_licence_is_and_where_the_hub_differs(task: Task) -> None:
    module = __import__("sys").modules[f"xquality.tasks.{task.name}"]
    assert "Licence" in module.__doc__
    assert "Hub" in module.__doc__


def test_the_tasks_of_the_paper_are_there_in_its_order() -> None:
    named = "xnli pawsx udpos panx xquad mlqa tydiqa bucc tatoeba".split()
    assert [one.name for one in XTREME] == named
    assert [len(one.languages) for one in XTREME] == [15, 7, 33, 40, 11, 7, 9, 4, 36]
    named = "anli_plus mnli qqp squad_v2 squad hellaswag ccg cosmos_qa commonsense_qa".split()
    assert [one.name for one in INTERMEDIATE] == named
    assert all(one.languages == ("en",) for one in INTERMEDIATE)
    assert {one.name for one in ALL} == {one.name for one in (*XTREME, *INTERMEDIATE)} | {"sib200", "xcopa"}


def test_all_tasks_of_the_bundle_read_one_commit() -> None:
    found = [source for task in ALL for source in hub_sources(task.source) if source.repository == REPOSITORY]
    assert len(found) == 4
    assert {one.revision for one in found} == {REVISION}
