"""SQuAD v1.1 on real rows."""

from pathlib import Path

from task_rows import load_splits, row_counts

from xquality.tasks import squad


def test_every_split_of_the_folder_loads_with_answers_at_their_offsets(real_data: Path) -> None:
    rows = load_splits(squad, real_data)
    assert row_counts(rows, "train", "validation") == {"en": (5503, 1589)}
    for row in rows["en", "validation"]:
        assert row["answers"]["text"]
        for start, text in zip(row["answers"]["answer_start"], row["answers"]["text"], strict=True):
            assert row["context"][start : start + len(text)] == text
