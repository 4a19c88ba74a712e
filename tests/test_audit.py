"""An audit counts what a filter found of the noise that the rows record."""

from typing import Any

import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

import xquality as xq
from xquality.audit import Audit, audit
from xquality.errors import ColumnError, DataKindError, SettingError, UidError

NAMES = ClassLabel(names=["a", "b", "c"])
FEATURES = Features({"text": Value("string"), "label": NAMES, "label_before": NAMES, "uid": Value("int64")})


def noisy(labels: list[int], first: list[int | None], **columns: list[Any]) -> Dataset:
    data = Dataset.from_dict(
        {
            "text": [str(row) for row in range(len(labels))],
            "label": labels,
            "label_before": first,
            "uid": list(range(len(labels))),
        },
        features=FEATURES,
    )
    for name, values in columns.items():
        data = data.add_column(name, values)
    return data


LABELS, FIRST = [1, 1, 2, 0, 0, 0], [0, 0, None, 0, 2, None]  # rows 0, 1 and 4 are noisy; row 3 came back to its first


def test_flags_are_compared_with_the_noise() -> None:
    flagged = noisy(LABELS, FIRST, label_issue=[True, False, True, True, True, False])
    assert audit(flagged) == Audit(rows=6, noisy=3, found=4, correct=2)


def test_shares_and_text_follow_from_the_counts() -> None:
    found = Audit(rows=100, noisy=20, found=40, correct=10)
    assert (found.precision, found.recall) == (0.25, 0.5)
    assert found.f1 == pytest.approx(2 * 0.25 * 0.5 / 0.75)
    assert str(found) == "40 of 100 rows found, 20 noisy, 10 both: precision 0.25, recall 0.50, F1 0.33"


def test_shares_of_nothing_are_zero() -> None:
    for empty in (Audit(5, 0, 3, 0), Audit(5, 3, 0, 0), Audit(0, 0, 0, 0)):
        assert (empty.precision, empty.recall, empty.f1) == (0.0, 0.0, 0.0)


def test_relabels_count_by_the_label_that_the_filter_saw() -> None:
    # Row 0 got its first label back, row 1 another wrong one, row 2 was right and was spoilt.
    relabelled = noisy(
        [0, 2, 1, 0, 0, 0],
        [0, 0, 2, 0, 2, None],
        label_given=[1, 1, 2, None, None, None],
        label_issue=[True, True, True, False, False, False],
    )
    assert audit(relabelled) == Audit(rows=6, noisy=3, found=3, correct=2, restored=1)


def test_dropped_rows_are_found_by_their_uids() -> None:
    before = noisy(LABELS, FIRST)
    assert audit(before=before, after=before.select([5, 3, 1])) == Audit(rows=6, noisy=3, found=3, correct=2)
    assert audit(before=before, after=before) == Audit(rows=6, noisy=3, found=0, correct=0)
    assert audit(before=before, after=before.select([])) == Audit(rows=6, noisy=3, found=6, correct=3)


def test_a_selection_is_audited_as_it_is_shown() -> None:
    flagged = noisy(LABELS, FIRST, label_issue=[True, False, True, True, True, False])
    assert audit(flagged.select([1, 0])) == Audit(rows=2, noisy=2, found=1, correct=1)


def test_another_label_column_can_be_named() -> None:
    before = noisy(LABELS, FIRST).rename_columns({"label": "topic", "label_before": "topic_before"})
    assert audit(before=before, after=before.select([5]), column="topic").correct == 3


def test_every_action_of_one_filter_is_audited_alike(spanish: Dataset) -> None:
    spoilt = xq.LabelNoise(rate=0.2)(spanish, seed=1)
    flagged = audit(xq.CleanlabFilter(action="flag")(spoilt, seed=1))
    dropped = audit(before=spoilt, after=xq.CleanlabFilter()(spoilt, seed=1))
    weighted = audit(xq.CleanlabFilter(action="weight")(spoilt, seed=1))
    relabelled = audit(xq.CleanlabFilter(action="relabel")(spoilt, seed=1))
    assert flagged == dropped == weighted
    counts = (relabelled.rows, relabelled.noisy, relabelled.found, relabelled.correct)
    assert counts == (flagged.rows, flagged.noisy, flagged.found, flagged.correct)
    assert flagged.noisy == 40
    assert 0 < relabelled.restored <= relabelled.correct


def test_data_without_recorded_noise_or_without_a_filter_are_refused() -> None:
    plain = noisy(LABELS, FIRST)
    with pytest.raises(ColumnError, match="'label_issue'"):
        audit(plain)
    with pytest.raises(ColumnError, match="'label_before'"):
        audit(plain.remove_columns("label_before").add_column("label_issue", [True] * 6))
    with pytest.raises(ColumnError, match="'label_before'"):
        audit(before=plain.remove_columns("label_before"), after=plain)
    with pytest.raises(ColumnError, match="'uid'"):
        audit(before=plain, after=plain.remove_columns("uid"))


def test_rows_that_were_not_there_before_are_refused() -> None:
    before = noisy(LABELS, FIRST)
    with pytest.raises(ColumnError, match="some uids are new"):
        audit(before=before.select([0, 1]), after=before)
    with pytest.raises(UidError, match="stands on 2 rows"):
        audit(before=before.select([0, 0]), after=before.select([0]))


def test_one_way_of_asking_is_chosen() -> None:
    data = noisy(LABELS, FIRST, label_issue=[True] * 6)
    asked: list[dict[str, Any]] = [{}, {"before": data}, {"after": data}, {"data": data, "before": data, "after": data}]
    for one in asked:
        with pytest.raises(SettingError, match="either one dataset, or both"):
            audit(**one)


@pytest.mark.parametrize("what", [DatasetDict(), [1], "data"])
def test_only_datasets_are_audited(what: Any) -> None:
    with pytest.raises(DataKindError, match="compares Datasets"):
        audit(what)
