"""Judged: what every shape of labels answers."""

import numpy as np
import pyarrow as pa
import pytest

from xquality.data.arrow import Matrix
from xquality.label_issues import Judged
from xquality.label_issues.classes import Classes
from xquality.label_issues.confidence import Confidence
from xquality.label_issues.tags import Tagging, Tags

SURE = Matrix((np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]),))
UIDS = np.arange(3, dtype=np.uint64)
SHAPES: list[Judged] = [
    Classes(np.array([0, 1, 1]), SURE, None),
    Confidence(np.array([0.9, 0.8, 0.3]), UIDS),
    Tags(Tagging(np.array([0, 1, 1]), np.array([2, 0, 1]), ("A", "B")), SURE, np.ones(3, np.bool_), None),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda one: type(one).__name__)
def test_rows_flags_and_weights_agree(shape: Judged) -> None:
    none, last = np.zeros(3, np.bool_), np.array([False, False, True])
    assert not shape.rows(none).any()
    assert shape.rows(last).tolist() == [False, False, True]
    assert (shape.weights(none) == 1).all()
    assert shape.weights(last) == pytest.approx([1, 1, 0.3])
    flags = shape.flags(last)
    assert len(flags) == 3
    held = flags.flatten() if pa.types.is_nested(flags.type) else flags
    assert held.to_pylist() == last.tolist()


def test_a_shape_must_answer_everything() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Judged()  # type: ignore[abstract]
