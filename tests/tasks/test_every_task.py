"""Every task is exported, pinned and cited; the tasks are those of the paper in its order."""

import dataclasses
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset

from xquality import tasks
from xquality.errors import SourceError
from xquality.tasks import INTERMEDIATE, XTREME, HubSource, Task

ALL = [value for value in vars(tasks).values() if isinstance(value, Task)]


def hub_sources(value: Any) -> Iterator[HubSource]:
    """Yield every source on the Hub inside a task's source."""
    if isinstance(value, HubSource):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from hub_sources(part)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from hub_sources(getattr(value, field.name))


@pytest.mark.parametrize("file", sorted(Path(tasks.__file__).parent.glob("*.py")), ids=lambda file: file.stem)
def test_the_task_of_every_file_is_exported(file: Path) -> None:
    module = importlib.import_module(f"xquality.tasks.{file.stem}")
    values = [value for name, value in vars(module).items() if isinstance(value, Task) and not name.startswith("_")]
    for task in [task for task in values if task.name == file.stem]:
        assert getattr(tasks, task.name) is task
        assert task.name in tasks.__all__
        values.remove(task)
    # Other tasks that a file names are imported from the files that define them.
    assert all(task in ALL for task in values)


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
def test_a_tasks_text_is_the_same_in_every_process(task: Task) -> None:
    assert " at 0x" not in repr(task)  # a study knows by it that a task has changed


@pytest.mark.parametrize("task", ALL, ids=lambda task: task.name)
def test_a_tasks_module_says_what_its_licence_is_and_where_the_hub_differs(task: Task) -> None:
    module = sys.modules[f"xquality.tasks.{task.name}"]
    assert "Licence" in module.__doc__
    assert "Hub" in module.__doc__


def test_the_tasks_of_the_paper_are_there_in_its_order() -> None:
    named = "xnli pawsx udpos panx xquad mlqa tydiqa bucc tatoeba".split()
    assert [task.name for task in XTREME] == named
    assert [len(task.languages) for task in XTREME] == [15, 7, 33, 40, 11, 7, 9, 4, 36]
    named = "anli_plus mnli qqp squad_v2 squad hellaswag ccg cosmos_qa commonsense_qa".split()
    assert [task.name for task in INTERMEDIATE] == named
    assert all(task.languages == ("en",) for task in INTERMEDIATE)
    assert {task.name for task in ALL} == {task.name for task in (*XTREME, *INTERMEDIATE)} | {"sib200", "xcopa"}


def test_all_tasks_of_the_bundle_read_one_commit() -> None:
    found = [source for task in ALL for source in hub_sources(task.source) if source.repository == "google/xtreme"]
    assert len(found) == 4
    assert len({source.revision for source in found}) == 1


# What each task asks of the Hub, for one language and split; names as the repositories have them.
ASKED = {
    ("xnli", "sw", "train"): ("facebook/xnli", "sw", "train"),
    ("pawsx", "ja", "test"): ("google-research-datasets/paws-x", "ja", "test"),
    ("udpos", "fa", "test"): ("google/xtreme", "udpos.Persian", "test"),
    ("panx", "my", "validation"): ("google/xtreme", "PAN-X.my", "validation"),
    ("xquad", "th", "validation"): ("google/xquad", "xquad.th", "validation"),
    ("xquad", "en", "train"): ("rajpurkar/squad", "plain_text", "train"),
    ("mlqa", "vi", "test"): ("google/xtreme", "MLQA.vi.vi", "test"),
    ("mlqa", "en", "train"): ("rajpurkar/squad", "plain_text", "train"),
    ("tydiqa", "te", "validation"): ("google-research-datasets/tydiqa", "secondary_task", "validation"),
    ("bucc", "ru", "test.source"): ("mteb/BUCC", "ru-en", "test"),
    ("tatoeba", "cmn", "validation"): ("google/xtreme", "tatoeba.cmn", "validation"),
    ("mnli", "en", "validation"): ("nyu-mll/glue", "mnli", "validation_matched"),
    ("qqp", "en", "train"): ("nyu-mll/glue", "qqp", "train"),
    ("squad_v2", "en", "train"): ("rajpurkar/squad_v2", "squad_v2", "train"),
    ("hellaswag", "en", "train"): ("Rowan/hellaswag", "default", "train"),
    ("cosmos_qa", "en", "train"): ("allenai/cosmos_qa", "default", "train"),
    ("commonsense_qa", "en", "train"): ("tau/commonsense_qa", "default", "train"),
    ("sib200", "zho_Hans", "test"): ("mteb/sib200", "zho_Hans", "test"),
    ("xcopa", "ht", "test"): ("cambridgeltl/xcopa", "ht", "test"),
    ("xcopa", "en", "train"): ("aps/super_glue", "copa", "train"),
}


@pytest.mark.parametrize("case", ASKED, ids="-".join)
def test_a_task_asks_the_hub_by_the_names_it_has_there(
    case: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(*asked: str) -> Dataset:
        raise SourceError(" ".join(asked))

    monkeypatch.delenv("XQUALITY_DATA", raising=False)
    monkeypatch.setattr("xquality.data.source.fetch", fetch)
    name, language, split = case
    with pytest.raises(SourceError) as asked:
        getattr(tasks, name).load(language, split)
    *found, revision = str(asked.value).split()
    assert tuple(found) == ASKED[case]
    assert len(revision) == 40


def test_the_parts_of_anli_plus_are_three_repositories_and_three_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fetch(repository: str, configuration: str, split: str, revision: str) -> Dataset:
        asked.append((repository, configuration, split))
        return Dataset.from_dict({"premise": ["a"], "hypothesis": ["b"], "label": [0], "uid": ["x"], "idx": [3]})

    monkeypatch.delenv("XQUALITY_DATA", raising=False)
    monkeypatch.setattr("xquality.data.source.fetch", fetch)
    train = tasks.anli_plus.load("en", "train")
    rounds = [("facebook/anli", "plain_text", f"train_r{number}") for number in (1, 2, 3)]
    assert asked == [("nyu-mll/glue", "mnli", "train"), ("stanfordnlp/snli", "plain_text", "train"), *rounds]
    assert train["uid"][2:] == ["anli_r1/0", "anli_r2/0", "anli_r3/0"]
