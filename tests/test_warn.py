"""A warning names the line of the user's program."""

import inspect
import warnings

import pytest
from conftest import label_rows
from datasets import Dataset

import xquality as xq
from xquality import toy
from xquality.errors import RateWarning, warn
from xquality.transforms import Compose, Transform

FEW: tuple[tuple[Transform, Dataset], ...] = (
    (xq.LabelNoise(0.01), label_rows(9, 3)),
    (xq.PairNoise(0.01), label_rows(9, 3)),
    (xq.MatrixNoise(((0.99, 0.01), (0.0, 1.0))), label_rows(9, 2)),
    (xq.InstanceNoise(0.01), label_rows(9, 3).add_column("difficulty", [1.0] * 9)),
    (xq.ChoiceNoise(0.01), label_rows(9, 3)),
    (xq.TagNoise(0.01), toy.entities.load("es", "test").select(range(9))),
    (xq.SpanNoise(0.01), toy.questions.load("es", "test").select(range(9))),
)


@pytest.mark.parametrize(("noise", "data"), FEW, ids=[type(noise).__name__ for noise, _ in FEW])
@pytest.mark.parametrize("composed", [False, True])
def test_a_rate_that_rounds_to_nothing_warns_at_the_call(noise: Transform, data: Dataset, composed: bool) -> None:
    called = Compose((xq.Subsample(fraction=1.0), noise)) if composed else noise
    with warnings.catch_warnings(record=True, action="always") as caught:
        line = inspect.currentframe().f_lineno + 1
        called(data, seed=0)
    (warning,) = caught
    assert (warning.category, warning.filename, warning.lineno) == (RateWarning, __file__, line)


def test_a_warning_names_the_nearest_caller_outside_the_package() -> None:
    def elsewhere() -> None:
        warn("look here", RateWarning)

    with pytest.warns(RateWarning, match="look here") as caught:
        elsewhere()
    assert caught[0].filename == __file__


def test_code_without_a_module_is_outside_the_package() -> None:
    with pytest.warns(UserWarning, match="nowhere") as caught:
        exec(compile("warn('nowhere')", "<typed in>", "exec"), {"warn": warn})  # noqa: S102 (as a console does)
    assert caught[0].filename == "<typed in>"
