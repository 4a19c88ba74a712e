"""SQuAD v2.0 on real rows."""

from pathlib import Path

from task_rows import load_splits, row_counts

from xquality.tasks import squad, squad_v2


def test_questions_without_an_answer_have_empty_lists(real_data: Path) -> None:
    rows = load_splits(squad_v2, real_data)
    assert row_counts(rows, "train", "validation") == {"en": (5858, 2218)}
    unanswered = [row["answers"] for row in rows["en", "train"] if not row["answers"]["text"]]
    assert unanswered == [{"text": [], "answer_start": []}] * 3175
    assert rows["en", "train"].features == squad.load("en", "train", real_data).features
