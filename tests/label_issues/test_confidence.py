"""Confidence: the lowest share of the rows, ties by uid, and never a better label."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from datasets import Features
from hypothesis import given
from hypothesis import strategies as st

from xquality.errors import ColumnError, SettingError
from xquality.label_issues import Search
from xquality.label_issues.confidence import Confidence, given_confidence
from xquality.transforms import Rows


@given(st.lists(st.sampled_from([0.1, 0.2, 0.3]), max_size=30), st.floats(0, 1), st.randoms())
def test_exactly_the_share_is_found_whatever_the_order(values: list[float], share: float, random: Any) -> None:
    uids = np.arange(len(values), dtype=np.uint64)
    search = Search("any", max_fraction=share)
    found = Confidence(np.array(values), uids).find(search)
    assert found.sum() == round(share * len(values))
    kept = [one for one, issue in zip(values, found, strict=True) if not issue]
    assert max(np.array(values)[found], default=0) <= min(kept, default=1)
    places = list(range(len(values)))
    random.shuffle(places)
    shuffled = Confidence(np.array(values)[places], uids[places]).find(search)
    assert (shuffled == found[places]).all()


def test_a_confidence_names_no_better_label() -> None:
    with pytest.raises(SettingError, match="another action"):
        Confidence(np.array([0.5]), np.zeros(1, np.uint64)).relabelled(np.array([True]))


@pytest.mark.parametrize("values", [[0.5, None], [0.5, 1.1], [0.5, -0.1], [0.5, float("nan")], ["a", "b"]])
def test_what_is_no_confidence_is_refused(values: list[Any]) -> None:
    rows = Rows(pa.table({"p": values}), Features(), "Test")
    with pytest.raises(ColumnError, match=r"a number in \[0, 1\]"):
        given_confidence(rows, "p", np.arange(2, dtype=np.uint64), "Test")
