"""ChoiceNoise: any number of options, any type of answer, exact."""

import operator
from pathlib import Path

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, Value
from hypothesis import given
from hypothesis import strategies as st

import xquality as xq
from xquality.errors import ColumnError, LabelError, SettingError


@pytest.mark.filterwarnings("ignore::xquality.errors.RateWarning")
@given(st.integers(0, 500), st.integers(2, 9), st.floats(0, 1))
def test_exactly_the_rounded_share_has_a_wrong_answer(count: int, options: int, rate: float) -> None:
    answers = [row * 7 % options for row in range(count)]
    data = Dataset.from_dict({"label": answers}, features=Features({"label": Value("int32")}))
    noisy = xq.ChoiceNoise(rate, options)(data, seed=1)
    after = np.array(noisy["label"][:], int)
    assert (after != np.array(answers, int)).sum() == round(rate * count)
    assert ((after >= 0) & (after < options)).all()
    assert noisy.features["label"] == data.features["label"]


@pytest.mark.parametrize(
    ("feature", "answers", "options"),
    [
        (Value("string"), ["0", "1", "2", "3"], 4),
        (Value("string"), ["A", "B", "C"], ("A", "B", "C")),
        (ClassLabel(names=["choice1", "choice2"]), [0, 1], None),
        (Value("int64"), [0, 1, 2], 3),
    ],
)
def test_answers_keep_their_type(feature: object, answers: list[object], options: object) -> None:
    data = Dataset.from_dict({"label": answers * 20}, features=Features({"label": feature}))
    noisy = xq.ChoiceNoise(0.5, options)(data, seed=1)
    assert set(noisy["label"]) == set(answers)
    assert noisy.features["label"] == feature
    assert sum(map(operator.ne, noisy["label"], data["label"])) == 10 * len(answers)


def test_each_row_has_as_many_options_as_its_list() -> None:
    endings = [["a"] * (1 + row % 4) for row in range(400)]
    data = Dataset.from_dict({"endings": endings, "label": [0] * 400})
    noisy = xq.ChoiceNoise(1.0, "endings")(data, seed=1)
    for number, answer, first in zip(map(len, endings), noisy["label"], noisy["label_before"], strict=True):
        assert 0 <= answer < number
        assert (first is None) == (number == 1)  # a lone option cannot be wrong
    seen = np.bincount(
        [answer for answer, row in zip(noisy["label"], endings, strict=True) if len(row) == 4], minlength=4
    )
    assert (seen[1:] > 20).all()


@pytest.mark.parametrize(
    ("noise", "columns", "fault"),
    [
        (xq.ChoiceNoise(0.5, 2), {"label": [0, 2]}, LabelError),
        (xq.ChoiceNoise(0.5, 2), {"label": [0, None]}, LabelError),
        (xq.ChoiceNoise(0.5, 2), {"label": [0.5, 1.0]}, ColumnError),
        (xq.ChoiceNoise(0.5, ("A", "B")), {"label": ["A", "C"]}, LabelError),
        (xq.ChoiceNoise(0.5, "endings"), {"label": [0, 1]}, ColumnError),
        (xq.ChoiceNoise(0.5, "endings"), {"label": [0, 1], "endings": [1, 2]}, ColumnError),
        (xq.ChoiceNoise(0.5), {"label": [0, 1]}, LabelError),
        (xq.ChoiceNoise(0.5, 2), {"answer": [0, 1]}, ColumnError),
    ],
)
def test_data_without_options_are_refused(noise: xq.ChoiceNoise, columns: dict, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        noise(Dataset.from_dict(columns), seed=0)


@pytest.mark.parametrize("options", [1, 2.5, True, (), ("A",), ("A", "A"), ""])
def test_bad_options_are_refused(options: object) -> None:
    with pytest.raises(SettingError):
        xq.ChoiceNoise(0.5, options)


@pytest.mark.parametrize(
    ("folder", "split", "options", "column"),
    [("hellaswag", "train", "endings", "label"), ("cosmos_qa", "train", 4, "label"), ("xcopa/sw", "test", 2, "label")],
)
def test_real_rows_are_changed_at_the_rate(
    real_data: Path, folder: str, split: str, options: object, column: str
) -> None:
    data = Dataset.from_parquet(str(real_data / folder / f"{split}.parquet"))
    noisy = xq.ChoiceNoise(0.2, options, column)(data, seed=1)
    assert xq.history(noisy)[-1].changed == round(0.2 * len(data))
