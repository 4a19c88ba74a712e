"""A warning names the user's line, whatever lies between."""

import inspect
import warnings

import pytest
from conftest import label_rows
from datasets import Dataset

import xquality as xq
from xquality import toy
from xquality._warn import warn
from xquality.errors import RateWarning
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


@pytest.mark.parametrize(("noise", "data"), FEW, ids=[type(one).__name__ for one, _ in FEW])
@pytest.mark.parametrize("composed", [False, True])
def test_a_rate_that_rounds_to_nothing_is_told_where_the_noise_is_called(
    noise: Transform, data: Dataset, composed: bool
) -> None:
    called = Compose((xq.Subsample(fraction=1.0), noise)) if composed else noise
    with warnings.catch_warnings(record=True, action="always") as caught:
        line = inspect.currentframe().f_lineno + 1
        called(data, seed=0)
    (told,) = caught
    assert (told.category, told.filename, told.lineno) == (RateWarning, __file__, line)


def test_a_program_of_another_name_is_outside() -> None:
    def elsewhere() -> None:
        warn("look here", RateWarning)

    with pytest.warns(RateWarning, match="look here") as caught:
        elsewhere()
    assert caught[0].filename == __file__


def test_frames_without_a_module_are_outside() -> None:
    with pytest.warns(UserWarning, match="nowhere") as caught:
        exec(compile("warn('nowhere')", "<typed in>", "exec"), {"warn": warn})  # noqa: S102 (as a console does)
    assert caught[0].filename == "<typed in>"
