"""The laws on every public transform: with hypothesis, on spoilt data, in another process, and that they can fail."""

import dataclasses
import importlib
import json
import pkgutil
import secrets
from pathlib import Path
from typing import Annotated, Any, ClassVar, final

import numpy as np
import pyarrow as pa
import pytest
from conftest import EXAMPLES, EXAMPLES_WITH_ROWS, toy_rows
from datasets import ClassLabel, Dataset, Features, List, Value
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import xquality as xq
from xquality import toy, transforms
from xquality.data.arrow import replace_column
from xquality.errors import TransformError
from xquality.testing import LAWS, check_transform, laws
from xquality.transforms import Change, Transform, check_settings

CLASSES = ("a", "b", "c")
FEATURES = Features(
    {
        "text": Value("string"),
        "label": ClassLabel(names=list(CLASSES)),
        "part": Value("string"),
        "probabilities": List(Value("float64")),
        "difficulty": Value("float64"),
        "uid": Value("int64"),
    }
)


@st.composite
def rows(draw: st.DrawFn) -> Dataset:
    """Rows with unique integer uids in no order, texts in several scripts, and probabilities that lean to a class."""
    count = draw(st.integers(24, 60))
    uids = draw(st.lists(st.integers(-(2**62), 2**62), min_size=count, max_size=count, unique=True))
    labels = draw(
        st.lists(st.integers(0, 2), min_size=count, max_size=count).filter(lambda classes: len(set(classes)) > 1)
    )
    words = draw(st.lists(st.sampled_from(["gato", "perro", "дом", "بيت", "家"]), min_size=count, max_size=count))
    lean = draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
    return Dataset.from_dict(
        {
            "text": [
                f"{word} {CLASSES[label]}{label} {uid % 97}"
                for word, label, uid in zip(words, labels, uids, strict=True)
            ],
            "label": labels,
            "part": [word[0] for word in words],
            "probabilities": [[0.8 if kind == likely else 0.1 for kind in range(3)] for likely in lean],
            "difficulty": [uid % 11 / 10 for uid in uids],
            "uid": uids,
        },
        features=FEATURES,
    )


# Shrinking a failure would repeat the slow filters for minutes; the data are small as they are.
QUICK = {"phases": (Phase.explicit, Phase.reuse, Phase.generate)}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("transform", EXAMPLES, ids=repr)
@settings(max_examples=4, **QUICK)
@given(data=rows(), spoilt=st.booleans(), seed=st.integers(-3, 2**40))
def test_the_laws_hold(transform: Transform, law: laws.Law, data: Dataset, spoilt: bool, seed: int) -> None:
    law(transform, laws.spoil(data) if spoilt else data, seed)


@pytest.mark.parametrize(
    ("transform", "load"), EXAMPLES_WITH_ROWS, ids=[type(transform).__name__ for transform, _ in EXAMPLES_WITH_ROWS]
)
def test_the_laws_hold_on_other_columns(transform: Transform, load: Any) -> None:
    check_transform(transform, load().select(range(60)), seed=3)


def test_every_transform_is_exported_and_has_an_example() -> None:
    for module in pkgutil.walk_packages(transforms.__path__, "xquality.transforms."):
        importlib.import_module(module.name)
    library = {kind.__name__ for kind in Transform.__subclasses__() if kind.__module__.startswith("xquality.")}
    assert library <= set(transforms.__all__)
    not_at_root = {"FunctionTransform", "SimilarityFilter", "UntranslatedFilter"}
    assert library - not_at_root <= set(xq.__all__)
    examples = [*EXAMPLES, *(transform for transform, _ in EXAMPLES_WITH_ROWS)]
    assert {type(transform).__name__ for transform in examples} == library


DRAWN = [
    transform
    for transform in EXAMPLES
    if not isinstance(
        transform,
        xq.CleanlabFilter
        | xq.LanguageFilter
        | xq.LengthRatioFilter
        | xq.TranslateTrain
        | xq.RoundTripTranslation
        | transforms.FunctionTransform,
    )
]


@pytest.mark.parametrize("transform", DRAWN, ids=repr)
def test_another_seed_or_stream_is_another_draw(transform: Transform) -> None:
    data = toy_rows()
    first = xq.digest(transform(data, seed=1))
    assert xq.digest(transform(data, seed=2)) != first
    assert xq.digest(dataclasses.replace(transform, stream=transform.stream + 7)(data, seed=1)) != first


def test_another_process_with_another_hash_seed_gives_the_same_bytes(run_python) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        "import json, xquality as xq\n"
        "from conftest import EXAMPLES, toy_rows\n"
        "print(json.dumps([xq.digest(transform(toy_rows(), seed=5)) for transform in EXAMPLES]))"
    )
    here = [xq.digest(transform(toy_rows(), seed=5)) for transform in EXAMPLES]
    assert json.loads(run_python(program, PYTHONHASHSEED="4242").splitlines()[-1]) == here


@final
@dataclasses.dataclass(frozen=True)
class Careless(Transform):
    """A transform that breaks the law that it names."""

    fault: str
    stream: int = 0

    def apply(self, rows, draw):
        table = rows.table
        if self.fault == "same_call_gives_same_bytes":
            return Change(table.slice(0, secrets.randbelow(len(table) + 1)))
        if self.fault == "order_of_rows_changes_nothing":
            return Change(table.slice(0, len(table) // 2))
        if self.fault == "changes_can_be_undone":
            return Change(replace_column(table, "text", pa.array(["x"] * len(table), pa.string())))
        return Change(table)


@pytest.mark.parametrize(
    "fault", ["same_call_gives_same_bytes", "order_of_rows_changes_nothing", "changes_can_be_undone"]
)
def test_a_careless_transform_is_caught(fault: str) -> None:
    with pytest.raises(TransformError, match=f"breaks the law '{fault}'"):
        check_transform(Careless(fault), toy.topics.load("es", "validation"))


@final
@dataclasses.dataclass(frozen=True)
class SaysPerRow(Transform):
    """A transform that declares that it treats each row alone, and looks at all of them."""

    per_row = True

    look: str
    stream: int = 0

    def apply(self, rows, draw):
        lengths = np.array([len(text) for text in rows.text("text").to_pylist()])
        if self.look == "mean":
            kept = lengths > lengths.mean() if len(lengths) else lengths > 0
        elif self.look == "rank":
            kept = lengths.argsort(kind="stable").argsort() < 20
        elif self.look == "place":
            kept = np.arange(len(lengths)) % 2 == 0
        else:  # the number of rows, in the record only
            return Change(rows.table, details={"rows": len(rows)})
        return Change(rows.table.filter(pa.array(kept)), acted=int(kept.sum()))


@pytest.mark.parametrize("look", ["mean", "rank", "place", "record"])
def test_a_transform_that_looks_at_all_rows_without_saying_so_is_caught(look: str) -> None:
    with pytest.raises(TransformError):
        check_transform(SaysPerRow(look), toy.topics.load("es", "validation"))
    with pytest.raises(TransformError):
        laws.blocks_change_nothing(SaysPerRow(look), xq.with_uid(toy.topics.load("es", "validation")), 0)


@final
@dataclasses.dataclass(frozen=True)
class ErasesFirstValues(Transform):
    """A transform that keeps first values, but its own instead of those that an earlier one kept."""

    per_row = True

    stream: int = 0

    def apply(self, rows, draw):
        present = rows.column("text")
        texts = pa.array([text.upper() for text in present.to_pylist()], pa.string())
        table = replace_column(replace_column(rows.table, "text", texts), "text_before", present)
        return Change(table, {"text_before": rows.features["text"]}, changed=len(rows), acted=len(rows))


def test_first_values_that_are_erased_are_caught_on_spoilt_data() -> None:
    with pytest.raises(TransformError, match=r"changes_can_be_undone.*before another transform changed them"):
        check_transform(ErasesFirstValues(), toy.topics.load("es", "validation"))


@final
@dataclasses.dataclass(frozen=True)
class Stamped(Transform):
    """A transform that writes its strength into the texts: no text of a weaker call is one of a stronger call."""

    strength: ClassVar[tuple[str, ...]] = ("rate",)

    rate: float
    stream: int = 0

    def apply(self, rows, draw):
        stamped = draw.uniform("stamp") < self.rate
        texts = [f"{text} {self.rate}" if hit else text for text, hit in zip(rows.text("text").to_pylist(), stamped)]  # noqa: B905 (of one length)
        table, added = rows.replace("text", pa.array(texts, pa.string()), stamped)
        return Change(table, added, changed=int(stamped.sum()), acted=int(stamped.sum()))


@final
@dataclasses.dataclass(frozen=True)
class StampedInPart(Transform):
    """The same, saying that its texts change in parts."""

    strength: ClassVar[tuple[str, ...]] = ("rate",)
    partial: ClassVar[bool] = True

    rate: float
    stream: int = 0

    apply = Stamped.apply


def test_texts_are_nested_where_they_are_equal_unless_they_change_in_parts() -> None:
    data = xq.with_uid(toy.topics.load("es", "validation"))
    with pytest.raises(TransformError, match=r"the changes to text at rate=0\.3 are not those at 0\.6"):
        laws.weaker_is_nested_in_stronger(Stamped(0.6), data, 0)
    laws.weaker_is_nested_in_stronger(StampedInPart(0.6), data, 0)


@final
@dataclasses.dataclass(frozen=True)
class Fitted:
    """A setting that is fitted to data; its repr shows only its size."""

    words: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<{len(self.words)} words>"

    def to_dict(self) -> dict[str, list[str]]:
        return {"words": list(self.words)}

    def summary(self) -> dict[str, int]:
        return {"words": len(self.words)}


def read_fitted(owner: str, name: str, value: Any) -> Fitted:
    return Fitted(tuple(value["words"])) if isinstance(value, dict) else value


@final
@dataclasses.dataclass(frozen=True)
class Holding(Transform):
    """A transform with a fitted setting, which it reads from JSON."""

    fitted: Annotated[Fitted | dict[str, list[str]], read_fitted]
    stream: int = 0

    def __post_init__(self) -> None:
        check_settings(self)

    def apply(self, rows, draw):
        return Change(rows.table)


@final
@dataclasses.dataclass(frozen=True)
class HoldingAsWritten(Transform):
    """The same, which keeps what JSON holds instead of reading it."""

    fitted: Fitted | dict[str, list[str]]
    stream: int = 0

    def apply(self, rows, draw):
        return Change(rows.table)


def test_a_fitted_setting_is_written_as_json_and_needs_no_repr_that_is_python() -> None:
    data = xq.with_uid(toy.topics.load("es", "validation"))
    laws.repr_and_json_give_an_equal_value(Holding(Fitted(("a", "b"))), data, 0)
    with pytest.raises(TransformError, match="JSON gives"):
        laws.repr_and_json_give_an_equal_value(HoldingAsWritten(Fitted(("a", "b"))), data, 0)


def test_a_careful_transform_passes() -> None:
    check_transform(xq.LabelNoise(rate=0.3), toy.topics.load("es", "validation"))


def test_the_laws_hold_on_rows_that_the_same_class_changed_before() -> None:
    topics, entities = toy.topics.load("es", "validation"), toy.entities.load("es", "validation").select(range(40))
    topics = topics.select(range(40))
    other = xq.LabelNoise(0.5)(toy.topics.load("de", "validation"), seed=2)
    for first, second, data in (
        (xq.LabelNoise(0.3), xq.LabelNoise(0.3, stream=1), topics),
        (xq.LabelNoise(0.3), xq.Subsample(n=20), topics),
        (xq.LabelNoise(0.3), xq.Mix(other, 0.4), topics),
        (xq.Mix(toy.topics.load("ru", "validation"), 0.4), xq.Mix(other, 0.4, stream=1), topics),
        (xq.TagNoise(0.3), xq.TagNoise(0.3, stream=1), entities),
    ):
        check_transform(second, first(data, seed=0))
    noisy = xq.LabelNoise(0.3)(topics, seed=1)
    laws.changes_can_be_undone(xq.CleanlabFilter("relabel", stream=1), xq.CleanlabFilter("relabel")(noisy, seed=0), 0)
