"""An audit counts what a filter found of the noise that the rows record."""

import json
from typing import Any

import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, List, Value

import xquality as xq
from xquality import toy
from xquality.data.audit import Audit, audit
from xquality.errors import ColumnError, DataKindError, SerialisationError, SettingError, UidError

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


LABELS, FIRST = (
    [1, 1, 2, 0, 0, 0],
    [0, 0, None, 0, 2, None],
)  # rows 0, 1 and 4 are noisy; row 3 has its first label again


def test_flags_are_compared_with_the_noise() -> None:
    flagged = noisy(LABELS, FIRST, label_issue=[True, False, True, True, True, False])
    assert audit(flagged) == Audit(rows=6, noisy=3, found=4, correct=2)


def test_precision_recall_and_text_follow_from_the_counts() -> None:
    found = Audit(rows=100, noisy=20, found=40, correct=10)
    assert (found.precision, found.recall) == (0.25, 0.5)
    assert found.f1 == pytest.approx(2 * 0.25 * 0.5 / 0.75)
    assert str(found) == "40 of 100 rows found, 20 noisy, 10 both: precision 0.25, recall 0.50, F1 0.33"


def test_precision_and_recall_of_nothing_are_zero() -> None:
    for empty in (Audit(5, 0, 3, 0), Audit(5, 3, 0, 0), Audit(0, 0, 0, 0)):
        assert (empty.precision, empty.recall, empty.f1) == (0.0, 0.0, 0.0)


def test_relabelled_rows_are_counted_by_the_label_that_the_filter_read() -> None:
    # Row 0 got its first label back, row 1 another wrong one, row 2 was right and got a wrong one.
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


def test_a_selection_is_audited_without_the_other_rows() -> None:
    flagged = noisy(LABELS, FIRST, label_issue=[True, False, True, True, True, False])
    assert audit(flagged.select([1, 0])) == Audit(rows=2, noisy=2, found=1, correct=1)


def test_another_label_column_can_be_named() -> None:
    before = noisy(LABELS, FIRST).rename_columns({"label": "topic", "label_before": "topic_before"})
    assert audit(before=before, after=before.select([5]), column="topic").correct == 3


def test_every_action_of_a_filter_has_the_same_audit(spanish: Dataset) -> None:
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


def test_rows_that_are_not_in_before_are_refused() -> None:
    before = noisy(LABELS, FIRST)
    with pytest.raises(ColumnError, match="some uids are new"):
        audit(before=before.select([0, 1]), after=before)
    with pytest.raises(UidError, match="2 rows have"):
        audit(before=before.select([0, 0]), after=before.select([0]))


def test_either_one_dataset_or_two_are_given() -> None:
    data = noisy(LABELS, FIRST, label_issue=[True] * 6)
    calls: list[dict[str, Any]] = [{}, {"before": data}, {"after": data}, {"data": data, "before": data, "after": data}]
    for arguments in calls:
        with pytest.raises(SettingError, match="either one dataset, or both"):
            audit(**arguments)


@pytest.mark.parametrize("value", [DatasetDict(), [1], "data"])
def test_only_datasets_are_audited(value: Any) -> None:
    with pytest.raises(DataKindError, match="compares Datasets"):
        audit(value)


def counts(audits: Any) -> dict[str, tuple[int, ...]]:
    return {
        name: (found.rows, found.noisy, found.found, found.correct, found.restored) for name, found in audits.items()
    }


def test_classes_are_counted_by_the_first_label_and_by_the_one_seen() -> None:
    found = audit(noisy(LABELS, FIRST, label_issue=[True, False, True, True, True, False]))
    # first labels: a a c a c a; seen: b b c a a a; noisy: rows 0, 1, 4; found: rows 0, 2, 3, 4
    assert counts(found.classes) == {"a": (4, 2, 2, 1, 0), "b": (0, 0, 0, 0, 0), "c": (2, 1, 2, 1, 0)}
    assert counts(found.seen) == {"a": (3, 1, 2, 1, 0), "b": (2, 2, 1, 1, 0), "c": (1, 0, 1, 0, 0)}
    assert (found.classes["a"].precision, found.classes["a"].recall, found.seen["b"].precision) == (0.5, 0.5, 1.0)


def test_relabelled_classes_are_those_before_the_relabelling() -> None:
    found = audit(
        noisy(
            [0, 2, 1, 0, 0, 0],
            [0, 0, 2, 0, 2, None],
            label_given=[1, 1, 2, None, None, None],
            label_issue=[True, True, True, False, False, False],
        )
    )
    assert counts(found.classes) == {"a": (4, 2, 2, 2, 1), "b": (0, 0, 0, 0, 0), "c": (2, 1, 1, 0, 0)}
    assert counts(found.seen) == {"a": (3, 1, 0, 0, 0), "b": (2, 2, 2, 2, 1), "c": (1, 0, 1, 0, 0)}


@pytest.mark.parametrize("by", ["first", "seen"])
def test_classes_add_up_to_all_rows(spanish: Dataset, by: str) -> None:
    spoilt = xq.LabelNoise(rate=0.3)(spanish, seed=1)
    for found in (
        audit(xq.CleanlabFilter(action="relabel")(spoilt, seed=1)),
        audit(before=spoilt, after=xq.CleanlabFilter()(spoilt, seed=1)),
    ):
        table = found.table(by)
        assert list(table.index) == spanish.features["label"].names
        assert table.index.name == "class"
        for name in ("rows", "noisy", "found", "correct", "restored"):
            assert table[name].sum() == getattr(found, name)
        assert table["precision"].tolist() == [inner.precision for inner in found.by(by).values()]
        assert table["recall"].between(0, 1).all()


def test_the_table_follows_the_line_in_the_table_format() -> None:
    found = audit(noisy(LABELS, FIRST, label_issue=[True, False, True, True, True, False]))
    line = "4 of 6 rows found, 3 noisy, 2 both: precision 0.50, recall 0.67, F1 0.57"
    assert (str(found), f"{found}", f"{found:>80}") == (line, line, line.rjust(80))
    first, *table = f"{found:table}".splitlines()
    assert first == line
    assert [line.split() for line in table[2:]] == [
        ["a", "4", "2", "2", "1", "0", "0.50", "0.50", "0.50"],
        ["b", "0", "0", "0", "0", "0", "0.00", "0.00", "0.00"],
        ["c", "2", "1", "2", "1", "0", "0.50", "1.00", "0.67"],
    ]


def test_another_way_to_count_classes_is_refused() -> None:
    found = audit(noisy(LABELS, FIRST, label_issue=[True] * 6))
    with pytest.raises(SettingError, match="'first', 'seen'"):
        found.table("given")


def test_labels_without_class_names_are_classes_by_their_value() -> None:
    data = Dataset.from_dict(
        {"label": ["yes", "no", "no", None], "label_before": ["no", None, None, None], "label_issue": [True] * 4}
    )
    found = audit(data)
    assert (found.rows, found.found) == (4, 4)  # the row without a label is in no class
    assert counts(found.classes) == {"no": (3, 1, 3, 1, 0)}
    assert counts(found.seen) == {"no": (2, 0, 2, 0, 0), "yes": (1, 1, 1, 1, 0)}


TAGS = Features(
    {
        "tags": List(ClassLabel(names=["O", "B-X", "I-X"])),
        "tags_before": List(ClassLabel(names=["O", "B-X", "I-X"])),
        "uid": Value("int64"),
    }
)


def tagged(**columns: list[Any]) -> Dataset:
    data = Dataset.from_dict(
        {"tags": [[0, 1, 2], [], [1, 0], [0]], "tags_before": [[1, 1, 2], None, None, [1]], "uid": [7, 8, 9, 5]},
        features=TAGS,
    )
    for name, values in columns.items():
        data = data.add_column(name, values)
    return data


def test_tags_are_counted_token_by_token() -> None:
    found = audit(tagged(label_issue=[[True, False, True], [], [False, True], [False]]), column="tags")
    assert found == Audit(rows=6, noisy=2, found=3, correct=1, unit="tokens")
    assert str(found).startswith("3 of 6 tokens found")
    assert counts(found.classes) == {"O": (1, 0, 1, 0, 0), "B-X": (4, 2, 1, 1, 0), "I-X": (1, 0, 1, 0, 0)}
    assert counts(found.seen) == {"O": (3, 2, 2, 1, 0), "B-X": (2, 0, 0, 0, 0), "I-X": (1, 0, 1, 0, 0)}


def test_one_flag_a_row_counts_for_all_its_tokens() -> None:
    found = audit(tagged(label_issue=[True, True, False, None]), column="tags")
    assert found == Audit(rows=6, noisy=2, found=3, correct=1, unit="tokens")


def test_every_token_of_a_dropped_row_is_found() -> None:
    before = tagged()
    found = audit(before=before, after=before.select([2, 1]), column="tags")
    assert found == Audit(rows=6, noisy=2, found=4, correct=2, unit="tokens")
    assert audit(before=before, after=before, column="tags").found == 0


def test_relabelled_tags_are_compared_with_those_that_the_filter_read() -> None:
    # The filter read row 0 as it is in tags_given; its first token got its first tag back.
    data = tagged(label_issue=[[True, False, False], [], [False, False], [False]])
    given = Dataset.from_dict({"tags": [[2, 1, 2], None, None, None]}, features=Features({"tags": TAGS["tags"]}))
    relabelled = data.remove_columns("tags").add_column("tags", [[1, 1, 2], [], [1, 0], [0]])
    relabelled = relabelled.add_column("tags_given", given["tags"][:]).cast(
        Features({**relabelled.features, "tags": TAGS["tags"], "tags_given": TAGS["tags"]})
    )
    found = audit(relabelled, column="tags")
    assert found == Audit(rows=6, noisy=2, found=1, correct=1, restored=1, unit="tokens")
    assert found.seen["I-X"].restored == found.classes["B-X"].restored == 1


def test_lists_of_other_lengths_are_refused() -> None:
    for issues in ([[True], [], [False, True], [False]], [[True] * 3, [True], [True], [True]]):
        with pytest.raises(ColumnError, match="lists in 'label_issue' differ in length"):
            audit(tagged(label_issue=issues), column="tags")
    longer = tagged(label_issue=[True] * 4).remove_columns("tags_before").add_column("tags_before", [[1]] * 4)
    with pytest.raises(ColumnError, match="lists in 'tags_before' differ in length"):
        audit(longer, column="tags")
    with pytest.raises(ColumnError, match="needs booleans in 'label_issue'"):
        audit(noisy(LABELS, FIRST, label_issue=["yes"] * 6))
    with pytest.raises(ColumnError, match="needs booleans in 'label_issue'"):
        audit(noisy(LABELS, FIRST, label_issue=[[True]] * 6))


def test_a_tagging_that_was_spoilt_and_dropped_is_audited_by_its_tokens() -> None:
    clean = toy.entities.load("es", "test")
    spoilt = xq.TagNoise(rate=0.3)(clean, seed=1)
    found = audit(before=spoilt, after=spoilt.filter(lambda row: row["ner_tags_before"] is None), column="ner_tags")
    wrong = sum(
        before != after
        for old, new in zip(clean["ner_tags"], spoilt["ner_tags"], strict=True)
        for before, after in zip(old, new, strict=True)
    )
    assert found.noisy == found.correct == wrong > 0
    assert found.rows == sum(map(len, clean["tokens"]))
    assert sum(inner.noisy for inner in found.classes.values()) == wrong


def test_answers_that_are_no_classes_are_audited_without_them() -> None:
    spoilt = xq.SpanNoise(rate=0.25)(toy.questions.load("es", "test"), seed=1)
    half = xq.Subsample(fraction=0.5)(spoilt, seed=1)
    found = audit(before=spoilt, after=half, column="answers")
    assert (found.noisy, found.found) == (round(0.25 * len(spoilt)), len(spoilt) - len(half))
    assert dict(found.classes) == {}
    assert len(found.table()) == 0


MOVED = xq.TranslationNoise(0.05, columns=("context",), errors=("repetition",))


def test_answers_that_only_moved_are_no_noise() -> None:
    clean = toy.questions.load("es", "test")
    moved = MOVED(clean, seed=1)
    assert sum(answers is not None for answers in moved["answers_before"]) > 5
    assert audit(moved.add_column("label_issue", [True] * len(moved)), column="answers").noisy == 0
    assert audit(before=moved, after=moved.select(range(20)), column="answers").noisy == 0


def test_answers_that_were_spoilt_and_moved_are_noisy() -> None:
    clean = toy.questions.load("es", "test")
    spoilt = xq.SpanNoise(rate=0.25)(clean, seed=1)
    for noisy in (MOVED(spoilt, seed=1), xq.concatenate([MOVED(spoilt, seed=1)], names=["es"])):
        assert audit(before=noisy, after=noisy.select(range(20)), column="answers").noisy == round(0.25 * len(clean))


def test_tags_that_moved_with_their_tokens_are_refused_and_the_transform_named() -> None:
    clean = toy.entities.load("es", "test")
    moved = xq.TranslationNoise(0.3, columns=("tokens",), errors=("reordering",))(clean, seed=1)
    with pytest.raises(ColumnError, match="TranslationNoise moved 'ner_tags' along with their tokens"):
        audit(moved.add_column("label_issue", [False] * len(moved)), column="ner_tags")
    with pytest.raises(ColumnError, match="TranslationNoise moved 'ner_tags'"):
        audit(before=xq.TagNoise(0.3)(moved, seed=1), after=moved, column="ner_tags")


def test_labels_beside_a_text_that_was_noised_are_audited_as_ever() -> None:
    noisy = (xq.TranslationNoise(0.3) >> xq.LabelNoise(0.2))(toy.topics.load("es", "validation"), seed=1)
    assert audit(before=noisy, after=noisy.select([0])).noisy == round(0.2 * len(noisy))


def test_an_audit_is_read_back_from_json_with_its_classes() -> None:
    found = audit(noisy(LABELS, FIRST, label_issue=[True, False, True, True, True, False]))
    again = Audit.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again == found
    assert (again.classes, again.seen) == (found.classes, found.seen)
    for content in ({"rows": 1}, {**found.to_dict(), "more": 1}, {**found.to_dict(), "rows": "x"}, 3):
        with pytest.raises(SerialisationError, match="An Audit is read"):
            Audit.from_dict(content)
