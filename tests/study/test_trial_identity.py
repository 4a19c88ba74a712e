"""The digest of a trial: what changes its results changes it, comments and layout do not."""

import functools
import importlib
import importlib.util
import itertools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xquality.errors import StudyError
from xquality.study.trial_identity import TrialReader, trial_digest

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
    sets = "\nALL = {helper, deeper, 'a', 'b', ('c', 3), None, int}\ndef both(seed):\n    return ALL, trial(seed)\n"
    (tmp_path / "study_of_mine.py").write_text(BASE + sets, encoding="utf-8")
    program = "from study_of_mine import both; from xquality.study.trial_identity import trial_digest; print(trial_digest(both))"
    where = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    found = {run_python(program, PYTHONHASHSEED=seed, PYTHONPATH=where) for seed in ("1", "2")}
    assert found == {trial_digest(load(BASE + sets, "both"))}


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


HEAD = """
import abc, collections, contextlib, dataclasses, decimal, enum, functools, operator, re, threading, types
import numpy as np
import xquality as xq
from datasets import Dataset
from xquality import toy
from xquality.tasks import MemorySource
from xquality.train import Probe, Stage
"""

# What is changed, the program, its old text and the new text.
WAYS = {
    "the body": ("def trial(seed): return seed + 1", "+ 1", "+ 2"),
    "a helper": ("def helper(x): return x * 2\ndef trial(seed): return helper(seed)", "* 2", "* 3"),
    "a number": ("RATE = 0.1\ndef trial(seed): return RATE", "0.1", "0.2"),
    "a number without a name": ("VALUE = float('nan')\ndef trial(seed): return VALUE", "nan", "inf"),
    "a tuple": ("VALUE = (1, 2)\ndef trial(seed): return VALUE", "2)", "3)"),
    "a list": ("VALUE = [1, 2]\ndef trial(seed): return VALUE", "2]", "3]"),
    "a dict": ("VALUE = {'a': 1}\ndef trial(seed): return VALUE", "1}", "2}"),
    "a set": ("VALUE = {'a', 'b'}\ndef trial(seed): return VALUE", "'b'", "'c'"),
    "a function in a dict": ("def helper(x): return x * 2\nALL = {'a': helper}\ndef trial(seed): return ALL['a'](seed)", "* 2", "* 3"),
    "a function in a list": ("def helper(x): return x * 2\nALL = [helper]\ndef trial(seed): return ALL[0](seed)", "* 2", "* 3"),
    "a function in a tuple": ("def helper(x): return x * 2\nALL = (helper,)\ndef trial(seed): return ALL[0](seed)", "* 2", "* 3"),
    "a lambda in a dict": ("ALL = {'a': lambda x: x * 2}\ndef trial(seed): return ALL['a'](seed)", "* 2", "* 3"),
    "a function in a partial": ("def helper(x, by): return x * 2\nHALF = functools.partial(helper, by=1)\ndef trial(seed): return HALF(seed)", "* 2", "* 3"),
    "an argument of a partial": ("def helper(x, by): return x * by\nHALF = functools.partial(helper, by=1)\ndef trial(seed): return HALF(seed)", "by=1", "by=2"),
    "a base class": ("class Base:\n  def get(self): return 1\nclass Kept(Base): pass\ndef trial(seed): return Kept().get()", "return 1", "return 2"),
    "a metaclass": ("class Kind(type):\n  def get(cls): return 1\nclass Kept(metaclass=Kind): pass\ndef trial(seed): return Kept.get()", "return 1", "return 2"),
    "a base of a class in a function": ("class Base:\n  value = 1\ndef trial(seed):\n  class Kept(Base): pass\n  return Kept.value", "= 1", "= 2"),
    "a decorator's body": ("def loud(function):\n  @functools.wraps(function)\n  def call(*a, **k): return function(*a, **k) * 2\n  return call\n@loud\ndef trial(seed): return seed", "* 2", "* 3"),
    "a decorator of a helper": ("def loud(function):\n  @functools.wraps(function)\n  def call(x): return function(x) * 2\n  return call\n@loud\ndef helper(x): return x\ndef trial(seed): return helper(seed)", "* 2", "* 3"),
    "a decorator that marks": ("def mark(function):\n  function.by = 2\n  return function\n@mark\ndef trial(seed): return trial.by", "= 2", "= 3"),
    "a decorator's argument": ("def scale(by):\n  def wrap(function):\n    def call(seed): return function(seed) * by\n    return call\n  return wrap\n@scale(2)\ndef trial(seed): return seed", "scale(2)", "scale(3)"),
    "a decorator that is an object": ("class Twice:\n  def __init__(self, function): self.function = function; functools.update_wrapper(self, function)\n  def __call__(self, x): return self.function(x) * 2\n@Twice\ndef helper(x): return x\ndef trial(seed): return helper(seed)", "* 2", "* 3"),
    "what a decorator wraps": ("@contextlib.contextmanager\ndef helper(): yield 2\ndef trial(seed):\n  with helper() as x: return x", "yield 2", "yield 3"),
    "a single dispatch": ("@functools.singledispatch\ndef helper(x): return 1\n@helper.register\ndef _(x: int): return 5\ndef trial(seed): return helper(seed)", "return 5", "return 6"),
    "a helper behind a property": ("def helper(): return 2\nclass Kept:\n  @property\n  def get(self): return helper()\ndef trial(seed): return Kept().get", "return 2", "return 3"),
    "a helper behind a cached property": ("def helper(): return 2\nclass Kept:\n  @functools.cached_property\n  def get(self): return helper()\ndef trial(seed): return Kept().get", "return 2", "return 3"),
    "a helper behind a static method": ("def helper(): return 2\nclass Kept:\n  @staticmethod\n  def get(): return helper()\ndef trial(seed): return Kept.get()", "return 2", "return 3"),
    "a default that is a dict": ("def trial(seed, options={'a': 1}): return options", "1}", "2}"),
    "a default by name": ("VALUE = [1]\ndef trial(seed, *, options=VALUE): return options", "[1]", "[2]"),
    "an alias of a dict": ("TABLE = {'a': 1}\nALIAS = TABLE\ndef trial(seed): return ALIAS", "1}", "2}"),
    "an alias of a function": ("def two(): return 2\ndef three(): return 3\nget = two\ndef trial(seed): return get()", "get = two", "get = three"),
    "a dict that is built": ("def value(): return 1\nTABLE = dict(a=value())\ndef trial(seed): return TABLE", "return 1", "return 2"),
    "a dict that a loop fills": ("COUNT = 3\nTABLE = {}\nfor place in range(COUNT): TABLE[place] = 1\ndef trial(seed): return TABLE", "COUNT = 3", "COUNT = 4"),
    "a namespace": ("VALUE = types.SimpleNamespace(rate=[1])\ndef trial(seed): return VALUE.rate", "[1]", "[2]"),
    "an instance": ("RATE = 1\nclass Kept:\n  def __init__(self, rate): self.rate = rate\nKEPT = Kept(RATE)\ndef trial(seed): return KEPT.rate", "RATE = 1", "RATE = 2"),
    "an instance with slots": ("RATE = 1\nclass Kept:\n  __slots__ = ('__rate',)\n  def __init__(self, rate): self.__rate = rate\nKEPT = Kept(RATE)\ndef trial(seed): return KEPT", "RATE = 1", "RATE = 2"),
    "an instance that is called": ("class Kept:\n  def __call__(self): return 1\nKEPT = Kept()\ndef trial(seed): return KEPT()", "return 1", "return 2"),
    "a frozen value": ("@dataclasses.dataclass(frozen=True)\nclass Kept:\n  rate: int = dataclasses.field(repr=False)\nKEPT = Kept(1)\ndef trial(seed): return KEPT", "Kept(1)", "Kept(2)"),
    "a default factory": ("def make(): return [1]\n@dataclasses.dataclass\nclass Kept:\n  rate: list = dataclasses.field(default_factory=make)\ndef trial(seed): return Kept()", "[1]", "[2]"),
    "a member of an enum": ("class Kind(enum.Enum):\n  LOW = 1\ndef trial(seed): return Kind.LOW.value", "LOW = 1", "LOW = 2"),
    "a bound method": ("RATE = 1\nclass Kept:\n  def __init__(self, rate): self.rate = rate\n  def get(self): return self.rate\nget = Kept(RATE).get\ndef trial(seed): return get()", "RATE = 1", "RATE = 2"),
    "a trial that is a bound method": ("RATE = 1\nclass Kept:\n  def __init__(self, rate): self.rate = rate\n  def get(self, seed): return self.rate\ntrial = Kept(RATE).get", "RATE = 1", "RATE = 2"),
    "a method of a builtin": ("get = {'a': 1}.get\ndef trial(seed): return get('a')", "1}", "2}"),
    "a builtin function": ("best = min\ndef trial(seed): return best(1, 2)", "= min", "= max"),
    "a class attribute": ("TABLE = {'a': 1}\nclass Kept:\n  table = TABLE\ndef trial(seed): return Kept.table", "1}", "2}"),
    "an array": ("VALUE = np.array([1, 2])\ndef trial(seed): return VALUE", "2]", "3]"),
    "the type of an array": ("VALUE = np.array([1, 2], np.int8)\ndef trial(seed): return VALUE", "int8", "int16"),
    "an array of objects": ("VALUE = np.array(['a', None], object)\ndef trial(seed): return VALUE", "'a'", "'b'"),
    "a random generator": ("VALUE = np.random.default_rng(1)\ndef trial(seed): return VALUE", "(1)", "(2)"),
    "bytes": ("VALUE = b'a'\ndef trial(seed): return VALUE", "b'a'", "b'b'"),
    "a bytearray": ("VALUE = bytearray(b'a')\ndef trial(seed): return VALUE", "b'a'", "b'b'"),
    "a deque": ("VALUE = collections.deque([1])\ndef trial(seed): return VALUE", "[1]", "[2]"),
    "a factory of defaults": ("def make(): return 1\nVALUE = collections.defaultdict(make)\ndef trial(seed): return VALUE['a']", "return 1", "return 2"),
    "a dict of a class of one's own": ("class Table(dict): pass\nVALUE = Table(a=1)\ndef trial(seed): return VALUE", "a=1", "a=2"),
    "a decimal": ("VALUE = decimal.Decimal('1')\ndef trial(seed): return VALUE", "'1'", "'2'"),
    "a pattern": ("VALUE = re.compile('a')\ndef trial(seed): return VALUE", "'a'", "'b'"),
    "a list that holds itself": ("VALUE = [1]\nVALUE.append(VALUE)\ndef trial(seed): return VALUE", "[1]", "[2]"),
    "a dataset": ("ROWS = Dataset.from_dict({'a': list(range(100))})\ndef trial(seed): return ROWS", "100", "300"),
    "a task": ("TASK = toy.topics\ndef trial(seed): return TASK", "toy.topics", "toy.inference"),
    "a function of a task": ("def tidy(rows): return rows.select(range(9))\nTASK = dataclasses.replace(toy.topics, normalise=tidy)\ndef trial(seed): return TASK", "range(9)", "range(8)"),
    "the rows of a task": ("SOURCE = MemorySource({('es', 'train'): Dataset.from_dict({'a': list(range(100))})})\ndef trial(seed): return SOURCE", "100", "300"),
    "a setting that was added later": ("PROBE = Probe(('de',), rows=10)\ndef trial(seed): return PROBE", "rows=10", "rows=10, precision='bfloat16'"),
    "a probe": ("PROBE = Probe(('de',), rows=10)\ndef trial(seed): return PROBE", "rows=10", "rows=20"),
    "a stage": ("STAGE = Stage(toy.topics, toy.topics.load('es', 'train').select(range(30)), 'es', steps=3)\ndef trial(seed): return STAGE", "range(30)", "range(31)"),
    "the language of rows": ("ROWS = toy.topics.load('es', 'test').select([0]).remove_columns('text')\ndef trial(seed): return ROWS", "'es'", "'de'"),
    "a transform": ("NOISE = xq.LabelNoise(0.1)\ndef trial(seed): return NOISE", "0.1", "0.2"),
    "a function of a transform": ("def blank(row): return {'text': '1'}\nNOISE = xq.transforms.FunctionTransform(blank)\ndef trial(seed): return NOISE", "'1'", "'2'"),
    "what exec reads": ("TEXT = 'x = 1'\ndef trial(seed): exec(TEXT)", "x = 1", "x = 2"),
}  # fmt: skip

# What cannot be followed is named.
NAMED = {
    "a generator": ("ROWS = (x for x in [1, 2])\ndef trial(seed): return ROWS", "2]", "3]", "ROWS"),
    "a lock beside a value": ("KEPT = types.SimpleNamespace(a=1, lock=threading.Lock())\ndef trial(seed): return KEPT", "a=1", "a=2", "KEPT"),
    "a stream": ("ROWS = Dataset.from_dict({'a': [1]}).to_iterable_dataset()\ndef trial(seed): return ROWS", "[1]", "[2]", "ROWS"),
    "what eval reads": ("RATE = 1\ndef trial(seed): return eval('RATE')", "RATE = 1", "RATE = 2", "eval() in trial"),
    "what globals reads": ("RATE = 1\ndef trial(seed): return globals()['RATE']", "RATE = 1", "RATE = 2", "globals() in trial"),
}  # fmt: skip


@pytest.mark.parametrize("what", WAYS)
def test_every_way_to_change_a_trial_is_noticed(what: str, load: Callable[..., Any]) -> None:
    program, old, new = WAYS[what]
    assert program.count(old) == 1
    before = TrialReader(load(HEAD + program)).read()
    assert before == TrialReader(load(HEAD + program)).read()  # and nothing else is: not the place in memory
    assert before.digest() != trial_digest(load(HEAD + program.replace(old, new)))
    assert set(before.unfollowed) <= {"exec() in trial"}


@pytest.mark.parametrize("what", NAMED)
def test_what_cannot_be_followed_is_named(what: str, load: Callable[..., Any]) -> None:
    program, old, new, name = NAMED[what]
    for text in (program, program.replace(old, new)):
        assert name in TrialReader(load(HEAD + text)).read().unfollowed


OTHERS = {
    "a function that is imported": ("from beside import helper\ndef trial(seed): return helper()", "return 1", "return 2"),
    "a function of a module": ("import beside\ndef trial(seed): return beside.helper()", "return 1", "return 2"),
    "a number of a module": ("import beside as other\ndef trial(seed): return other.RATE", "RATE = 5", "RATE = 6"),
    "what a helper of a module reads": ("from beside import helper\ndef trial(seed): return helper()", "DEEP = 7", "DEEP = 8"),
    "a name that is looked up": ("import beside\ndef trial(seed): return getattr(beside, 'RATE')", "RATE = 5", "RATE = 6"),
    "an import in a function": ("def trial(seed):\n  from beside import helper\n  return helper()", "return 1", "return 2"),
    "a module in a dict": ("import beside\nALL = {'a': beside}\ndef trial(seed): return ALL['a'].helper()", "return 1", "return 2"),
}  # fmt: skip


@pytest.mark.parametrize("what", OTHERS)
def test_other_modules_of_the_user_are_followed(
    what: str, load: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, old, new = OTHERS[what]
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    beside = "RATE = 5\nDEEP = 7\nUNUSED = 1\ndef helper():\n  return 1 + DEEP\n"
    found = []
    for text in (beside, beside.replace(old, new), beside + "\n# tidied\n"):
        (tmp_path / "beside.py").write_text(text)
        monkeypatch.delitem(sys.modules, "beside", raising=False)
        importlib.invalidate_caches()
        found.append(trial_digest(load(program)))
    assert found[0] != found[1]
    assert found[0] == found[2]


def test_an_edit_of_the_file_while_a_study_runs_changes_nothing(load: Callable[..., Any]) -> None:
    trial = load(BASE)
    reader = TrialReader(trial)
    before = reader.read()
    Path(trial.__code__.co_filename).write_text("# another program\n" * 30)
    assert reader.read() == before
