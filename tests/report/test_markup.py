"""The pieces of the page: what is written is read as text."""

from xquality.analysis import Interval
from xquality.report.markup import interval, p_value, section, table, told


def test_text_in_tables_and_headings_is_escaped_and_bodies_are_html() -> None:
    assert "<td>&lt;b&gt; &amp; &quot;c&quot;</td>" in table(["a"], [['<b> & "c"']])
    assert section("1 < 2", "a & b", "<svg></svg>").startswith(
        '<section><h2>1 &lt; 2</h2><p class="note">a &amp; b</p>\n<div class="wide"><svg>'
    )
    assert "note" not in section("title", "", "")


def test_an_interval_is_written_where_there_is_one() -> None:
    assert interval(Interval(1.04, 0.5, 1.6, 3)) == "1.0 [0.5, 1.6]"
    assert interval(Interval(1.04, 0.5, 1.6, 3), sign=True) == "+1.0 [0.5, 1.6]"
    assert interval(Interval(1.04, 1.04, 1.04, 1)) == "1.0"
    assert interval(None) == ""


def test_small_p_values_are_bounded() -> None:
    assert [p_value(one) for one in (0.5, 0.001, 0.00099)] == ["0.500", "0.001", "<0.001"]


def test_notes_are_told_down_to_their_leaves() -> None:
    assert told({"a": [1, {"b": None}], "c": "text"}) == "a: 1; b: None, c: text"
