"""The tables of tasks, languages and groups, as published with the benchmark."""

import pytest

from xquality.errors import MetricError
from xquality.tasks import XTREME as TASKS
from xquality.xtreme import file_name, official_names
from xquality.xtreme.layout import XTREME, XTREME_R, find_benchmark


def test_xtreme_has_nine_tasks_with_the_published_numbers_of_languages() -> None:
    counts = {task: len(languages) for task, languages in XTREME.languages.items()}
    assert counts == {
        "pawsx": 7, "xnli": 15, "panx": 40, "udpos": 33, "bucc2018": 4, "tatoeba": 36, "xquad": 11, "mlqa": 7, "tydiqa": 9,
    }  # fmt: skip


def test_xtreme_r_keeps_and_adds_languages_and_tasks() -> None:
    for task in XTREME.languages.keys() & XTREME_R.languages.keys():
        own = XTREME_R.languages[task]
        assert own[: len(XTREME.languages[task])] == XTREME.languages[task]
    assert {len(XTREME_R.languages[task]) for task in ("panx", "udpos", "tatoeba")} == {48, 38, 41}
    assert set(XTREME_R.languages) - set(XTREME.languages) == {"xcopa", "mewslix", "lareqa"}


@pytest.mark.parametrize("version", ["xtreme", "xtreme-r"])
def test_groups_hold_tasks_of_their_version(version: str) -> None:
    benchmark = find_benchmark(version)
    assert {task for tasks in benchmark.groups.values() for task in tasks} <= benchmark.languages.keys()
    for languages in benchmark.languages.values():
        assert len(set(languages)) == len(languages)


def test_english_is_in_every_average_but_those_of_retrieval() -> None:
    without = {task for task, languages in XTREME.languages.items() if "en" not in languages}
    assert without == {"bucc2018", "tatoeba"}


def test_files_are_named_by_task() -> None:
    endings = {task: file_name(task, "de").split(".")[1] for task in (*XTREME.languages, *XTREME_R.languages)}
    assert {task for task, ending in endings.items() if ending == "json"} == {"xquad", "mlqa", "tydiqa", "mewslix"}
    assert endings["xcopa"] == "jsonl"


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(MetricError, match="'xtreme' or 'xtreme-r'"):
        find_benchmark("xglue")


def test_names_of_this_library_become_the_official_ones() -> None:
    named = official_names({task.name: dict.fromkeys(task.languages, 0) for task in TASKS})
    assert {task: set(languages) for task, languages in named.items()} == {
        task: set(languages) for task, languages in XTREME.languages.items()
    }


def test_two_spellings_of_one_language_are_refused() -> None:
    with pytest.raises(MetricError, match="two spellings: deu, de"):
        official_names({"tatoeba": {"deu": [0], "de": [0]}})


def test_a_task_under_two_names_is_refused() -> None:
    with pytest.raises(MetricError, match="two names"):
        official_names({"bucc": {"de": [1]}, "bucc2018": {"fr": [2]}})
