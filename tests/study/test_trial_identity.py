"""The digest of a trial: what changes its results changes it, comments and layout do not."""

import functools
import importlib.util
import itertools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xquality.errors import StudyError
from xquality.study.trial_identity import trial_digest

BASE = """
import functools
import math

FACTOR = 3
TABLE = {"de": 1, "es": [2, 3]}
UNUSED = 5

def helper(value):
    return deeper(value) + FACTOR

def deeper(value):
    return value * 2

def unrelated():
    return 1

def trial(rate, seed=0):
    scores = [helper(rate) for _ in range(3)]
    return sum(scores) + math.pi + len(TABLE) + seed
"""

_numbers = itertools.count()


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return a function that imports a module of a given source, in the place of the one before."""

    def load(source: str, name: str = "trial") -> Any:
        file = tmp_path / f"trial_{next(_numbers)}.py"
        file.write_text(source, encoding="utf-8")
        spec = importlib.util.spec_from_file_location("study_of_mine", file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "study_of_mine", module)
        spec.loader.exec_module(module)
        return getattr(module, name)

    return load


SAME = {
    "nothing": ("", ""),
    "a comment": (
        "    return deeper(value) + FACTOR",
        "    # twice, and then some\n    return deeper(value) + FACTOR  # !",
    ),
    "blank lines": ("def deeper", "\n\n\ndef deeper"),
    "spaces": ("value * 2", "value   *   2"),
    "a line broken in brackets": (
        "[helper(rate) for _ in range(3)]",
        "[\n        helper(rate)\n        for _ in range(3)\n    ]",
    ),
    "a line broken by a backslash": ("value * 2", "value \\\n        * 2"),
    "deeper indentation": ("    return value * 2", "        return value * 2"),
    "a function that is not called": ("return 1", "return 2"),
    "a constant that is not read": ("UNUSED = 5", "UNUSED = 6"),
    "the order of functions": ("def unrelated():\n    return 1\n", ""),
    "the spelling of a constant": ("FACTOR = 3", "FACTOR = 1 + 2"),
}

OTHER = {
    "the trial's body": ("+ seed", "- seed"),
    "a helper's body": ("deeper(value) + FACTOR", "deeper(value) - FACTOR"),
    "the body of a helper's helper": ("value * 2", "value * 3"),
    "a constant that a helper reads": ("FACTOR = 3", "FACTOR = 4"),
    "a constant inside a table": ('"es": [2, 3]', '"es": [2, 4]'),
    "the type of a constant": ("FACTOR = 3", "FACTOR = 3.0"),
    "a default": ("seed=0", "seed=1"),
    "the name of an argument": ("def trial(rate, seed=0)", "def trial(rate, extra=0, seed=0)"),
    "another helper": ("helper(rate)", "deeper(rate)"),
    "a constant that became a function": ("FACTOR = 3", "def FACTOR():\n    return 3\n"),
    "indentation that means something": (
        "    return value * 2",
        "    if value:\n        value += 1\n    return value * 2",
    ),
    "a decorator": ("def trial", "@functools.wraps(helper)\ndef trial"),
}


def test_the_digest_of_a_trial_never_changes_between_versions(load: Callable[..., Any]) -> None:
    assert trial_digest(load(BASE)) == "ceb5fc85be1081b04c34f3c514723d4b"


@pytest.mark.parametrize("what", SAME)
def test_tidying_up_keeps_the_digest(what: str, load: Callable[..., Any]) -> None:
    old, new = SAME[what]
    assert old in BASE
    assert trial_digest(load(BASE.replace(old, new) if old else BASE)) == trial_digest(load(BASE))


@pytest.mark.parametrize("what", OTHER)
def test_what_may_change_a_result_changes_the_digest(what: str, load: Callable[..., Any]) -> None:
    old, new = OTHER[what]
    assert BASE.count(old) == 1
    assert trial_digest(load(BASE.replace(old, new))) != trial_digest(load(BASE))


def test_a_branch_that_a_line_moves_into_changes_the_digest(load: Callable[..., Any]) -> None:
    inside = "def trial(rate):\n    if rate:\n        rate += 1\n        rate *= 2\n    return rate\n"
    outside = inside.replace("        rate *= 2", "    rate *= 2")
    assert trial_digest(load(inside)) != trial_digest(load(outside))


CLOSURE = """
def make(rate, names=("a",), inner=None):
    def add(value):
        return value + 1

    def trial(seed):
        return add(rate) * seed + len(names)

    return trial

def pinned(rate):
    def trial(seed, rate=rate):
        return rate * seed

    return trial
"""


def test_plain_values_in_a_closure_change_the_digest(load: Callable[..., Any]) -> None:
    make = load(CLOSURE, "make")
    assert trial_digest(make(0.1)) == trial_digest(make(0.1))
    assert (
        len({trial_digest(made) for made in (make(0.1), make(0.2), make("0.1"), make(0.1, ("a", "b")), make(None))})
        == 5
    )


def test_a_function_in_a_closure_is_followed(load: Callable[..., Any]) -> None:
    before, after = load(CLOSURE, "make"), load(CLOSURE.replace("value + 1", "value + 2"), "make")
    assert trial_digest(before(0.1)) != trial_digest(after(0.1))


def test_functions_that_call_each_other_or_themselves_have_a_digest(load: Callable[..., Any]) -> None:
    ring = "def trial(n):\n    return back(n) if n else trial(n)\n\ndef back(n):\n    return trial(n - 1)\n"
    assert trial_digest(load(ring)) != trial_digest(load(ring.replace("n - 1", "n - 2")))


def test_a_name_that_is_bound_later_does_no_harm(load: Callable[..., Any]) -> None:
    late = "def make():\n    def trial(n):\n        return later(n)\n\n    found = trial\n    return found\n    later = 1\n"
    assert len(trial_digest(load(late, "make")())) == 32


def test_arguments_bound_by_a_partial_count_and_paths_do_not(load: Callable[..., Any], tmp_path: Path) -> None:
    trial = load(BASE)
    bound = functools.partial(trial, seed=3)
    assert trial_digest(bound) == trial_digest(functools.partial(trial, seed=3))
    digests = {
        trial_digest(made) for made in (trial, bound, functools.partial(trial, seed=4), functools.partial(trial, 3))
    }
    assert len(digests) == 4
    assert trial_digest(functools.partial(bound, rate=1)) == trial_digest(functools.partial(trial, rate=1, seed=3))
    assert trial_digest(functools.partial(bound, seed=4)) == trial_digest(functools.partial(trial, seed=4))
    here, there = (functools.partial(trial, folder=tmp_path / name) for name in "ab")
    assert trial_digest(here) == trial_digest(there) == trial_digest(trial)


def test_a_decorated_trial_is_seen_through_its_decorator(load: Callable[..., Any]) -> None:
    decorated = """
import functools

def loud(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper

@loud
def trial(rate):
    return rate * 2
"""
    assert trial_digest(load(decorated)) != trial_digest(load(decorated.replace("rate * 2", "rate * 3")))


def test_a_lambda_has_a_digest_of_its_own(load: Callable[..., Any]) -> None:
    doubled, tripled = (load(f"trial = lambda rate: rate * {factor}\n") for factor in (2, 3))
    assert trial_digest(doubled) != trial_digest(tripled)


def test_a_function_without_a_source_file_is_told_apart_by_its_code() -> None:
    def typed(source: str) -> Callable[..., Any]:
        names: dict[str, Any] = {"__name__": "typed"}
        exec(source, names)  # noqa: S102 (as an interpreter does)
        made: Callable[..., Any] = names["trial"]
        return made

    two, three = (typed(f"def trial(rate):\n    return rate * {factor}\n") for factor in (2, 3))
    assert trial_digest(two) == trial_digest(typed("def trial(rate):  # again\n    return rate * 2\n"))
    assert trial_digest(two) != trial_digest(three)


def test_the_digest_is_the_same_in_every_process(
    load: Callable[..., Any], run_python: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "study_of_mine.py").write_text(BASE, encoding="utf-8")
    program = "from study_of_mine import trial; from xquality.study.trial_identity import trial_digest; print(trial_digest(trial))"
    found = {
        run_python(
            program, PYTHONHASHSEED=seed, PYTHONPATH=os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
        )
        for seed in ("1", "2")
    }
    assert found == {trial_digest(load(BASE))}


@pytest.mark.parametrize("trial", [print, 3, "trial", int, functools.partial(print, 1)])
def test_what_is_no_python_function_is_refused(trial: Any) -> None:
    with pytest.raises(StudyError, match="wrap it in a function"):
        trial_digest(trial)


def test_a_statement_that_is_cut_in_two_counts(tmp_path: Path) -> None:
    whole = "def trial(seed):\n    return seed + 1\n"
    cut = "def trial(seed):\n    return\n    seed + 1\n"
    found = []
    for number, source in enumerate((whole, cut)):
        spec = importlib.util.spec_from_file_location(f"cut{number}", tmp_path / f"cut{number}.py")
        (tmp_path / f"cut{number}.py").write_text(source, encoding="utf-8")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found.append(trial_digest(module.trial))
    assert found[0] != found[1]


def test_transforms_ranges_defaults_and_cached_helpers_count(tmp_path: Path) -> None:
    source = (
        "import functools\nimport xquality as xq\n"
        "NOISE = xq.LabelNoise(rate=0.1)\nSTEPS = range(3)\nRATE = 0.1\nNAMES = ['a']\nNAMES.append('b')\n"
        "@functools.cache\ndef helper(seed):\n    return seed + 1\n"
        "class Kept:\n    def __init__(self):\n        self.value = 1\n"
        "def trial(seed, rate=RATE):\n    return NOISE, STEPS, NAMES, helper(seed), Kept(), lambda value: value + 1\n"
    )
    changes = [
        ("", ""),
        ("rate=0.1)", "rate=0.2)"),
        ("range(3)", "range(4)"),
        ("RATE = 0.1", "RATE = 0.3"),
        ("append('b')", "append('c')"),
        ("seed + 1", "seed + 2"),
        ("self.value = 1", "self.value = 2"),
        ("value + 1", "value + 2"),
    ]
    found = set()
    for number, (old, new) in enumerate(changes):
        name = f"changed{number}"
        (tmp_path / f"{name}.py").write_text(source.replace(old, new) if old else source, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(name, tmp_path / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
            found.add(trial_digest(module.trial))
        finally:
            del sys.modules[name]
    assert len(found) == len(changes)


def test_lists_bound_to_a_trial_count_and_paths_do_not() -> None:
    def trial(seed: int, languages: list[str], stage: dict[str, int], root: Path) -> int:
        return len(languages) + stage["steps"] + len(str(root)) + seed

    def digest(languages: list[str], steps: int, root: str) -> str:
        return trial_digest(functools.partial(trial, languages=languages, stage={"steps": steps}, root=Path(root)))

    assert digest(["de"], 3, "/a") == digest(["de"], 3, "/b")
    assert len({digest(["de"], 3, "/a"), digest(["de", "sw"], 3, "/a"), digest(["de"], 300, "/a")}) == 3


def test_tables_and_nested_functions_count_where_there_is_no_source() -> None:
    found = set()
    for steps, added in ((10, 1), (1000, 1), (10, 2)):
        names: dict[str, Any] = {"__name__": "typed"}
        source = f"SETTINGS = {{'steps': {steps}}}\ndef trial(seed):\n    return (lambda value: value + {added})(SETTINGS['steps'])\n"
        exec(compile(source, "<typed>", "exec"), names)  # noqa: S102 (what a notebook does)
        found.add(trial_digest(names["trial"]))
    assert len(found) == 3
