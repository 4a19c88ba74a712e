"""The published rows: what they add up to, what is confirmed, and the table a run is put into."""

import pytest

from xquality.xtreme import beside
from xquality.xtreme.baselines import COLUMNS, ROWS

# Averages that the paper gives beside its differences, as far as they were noted; the first row's is not known.
AVERAGES = {
    "ANLI+": 6.6, "MNLI": 7.5, "QQP": -1.5, "SQuAD v1.1": 8.1, "HellaSwag": 7.0, "CCG": 4.1, "Cosmos QA": 6.1,
    "CommonsenseQA": 6.5, "multi-task": 8.7,
}  # fmt: skip


@pytest.mark.parametrize("name", AVERAGES)
def test_a_row_has_the_average_that_goes_with_it(name: str) -> None:
    rows = {row.name: row for row in ROWS if row.split == "dev"}
    gain = rows[name].average - rows["no intermediate task"].average
    # The row of CCG is the one whose cells do not give its average; which is right is open.
    assert gain == pytest.approx(AVERAGES[name], abs=0.16 if name == "CCG" else 0.06)


def test_only_two_cells_are_confirmed() -> None:
    confirmed = [(row.name, row.split, column) for row in ROWS for column in row.confirmed]
    assert sorted(confirmed) == [
        ("no intermediate task", "dev", ("bucc2018", "avg_f1")),
        ("no intermediate task", "dev", ("tatoeba", "avg_accuracy")),
    ]


def test_the_table_marks_what_is_not_confirmed() -> None:
    head, _, own, *rows = beside({}).splitlines()
    assert head.split(" | ")[1:-1] == list(COLUMNS.values())
    assert own.count(" - ") == len(COLUMNS) + 1
    assert [row.split(" | ")[0] for row in rows] == [f"| {row.name}" for row in ROWS if row.split == "dev"]
    cells = [cell for row in rows for cell in row.strip("| ").split(" | ")[1:]]
    assert [cell for cell in cells if not cell.endswith("?")] == ["71.5", "31.0"]


def test_a_run_stands_above_the_rows_of_its_split() -> None:
    scores = {task: {} for task, _ in COLUMNS}
    for place, (task, metric) in enumerate(COLUMNS):
        scores[task][metric] = float(place)
    own = beside(scores, name="ours", split="test").splitlines()[2]
    tasks = [0, 1, 2, 3, 4.5, 6.5, 8.5, 10, 11]
    assert own == "| ours | " + " | ".join(f"{one:.1f}" for one in [*range(12), sum(tasks) / 9]) + " |"
    assert len(beside(scores, split="test").splitlines()) == 4
