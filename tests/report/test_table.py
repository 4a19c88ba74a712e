"""Tables of a report: sorted by value, and as CSV and LaTeX that compute nothing."""

import csv
import io

import pytest
from nasty_texts import NASTY

from xquality.analysis import Interval
from xquality.report.table import Shown, Table

TABLE = Table(
    "arms",
    "Arms",
    ["arm", "score", "p"],
    [
        ["a_1", Interval(61.25, 60.0, 62.5, 4), Shown("<0.001", 0.0001)],
        ["b", Interval(1.0, -float("inf"), float("inf"), 1), None],
    ],
)


def test_csv_has_numbers_in_full_and_the_ends_of_intervals_in_columns() -> None:
    head, first, second = csv.reader(io.StringIO(TABLE.to_csv()))
    assert head == ["arm", "score", "score, low", "score, high", "score, count", "p"]
    assert first == ["a_1", "61.25", "60.0", "62.5", "4", "0.0001"]
    assert second == ["b", "1.0", "", "", "1", ""]


def test_html_has_the_values_that_it_is_sorted_by() -> None:
    page = TABLE.to_html()
    assert '<td data-value="61.25">61.2 [60.0, 62.5]</td>' in page
    assert '<td data-value="0.0001">&lt;0.001</td>' in page
    assert '<th scope="col" class="text"><button type="button">arm</button></th>' in page


def test_latex_is_escaped() -> None:
    assert r"a\_1 & 61.2 [60.0, 62.5] & \textless{}0.001 \\" in TABLE.to_latex()


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", " =1", "\t=1", "-inf"])
def test_no_cell_of_a_csv_is_a_formula(text: str) -> None:
    rows = list(csv.reader(io.StringIO(Table("t", "t", [text], [[text]]).to_csv())))
    assert all(row[0].lstrip("'") == row[0][1:] or row[0].startswith("\\t") for row in rows)
    assert not any(row[0].lstrip().startswith(("=", "+", "-", "@")) for row in rows)


@pytest.mark.parametrize("text", ["-4.1", "+2", "1e-3", "-1e+05"])
def test_numbers_of_a_csv_stay_numbers(text: str) -> None:
    assert list(csv.reader(io.StringIO(Table("t", "t", ["n"], [[text]]).to_csv())))[1] == [text]


@pytest.mark.parametrize("text", NASTY)
def test_any_text_is_one_cell(text: str) -> None:
    table = Table("t", "t", [text, "b"], [[text, text]])
    assert [len(row) for row in csv.reader(io.StringIO(table.to_csv()))] == [2, 2]
    assert table.to_html().count("<td") == 2


def test_marked_cells_have_a_dagger() -> None:
    table = Table("t", "t", ["arm", "es"], [["a", Interval(1.0, 0.0, 2.0, 3)]], marked=frozenset({(0, 1)}))
    assert table.texts()[1] == [["a", "1.0 [0.0, 2.0] †"]]
