"""Markdown: whatever a text holds, it is shown as it is and breaks nothing around it."""

import html
import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xquality.data.markdown import code, fenced, json_code, plain, table

TEXTS = st.text(
    st.sampled_from("ab \t\n\r\\`|*_<>[]()#~$&!.-'\"\u2028\u0085\u202e\u00e9\u5bb6\U0001f600\x00\ud800"), max_size=12
)
SEEN = re.compile(r"<td>(.*?)</td>", re.DOTALL)


def shown(cells: list[str]) -> list[str]:
    """Return what a reader sees in the cells of a table's one row, tags left out."""
    markdown_it = pytest.importorskip("markdown_it")
    document = table(["head"] * len(cells), [cells]) + "\n\nafter"
    page = markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(document)
    assert page.endswith("<p>after</p>\n")
    assert page.count("<tr>") == 2
    return [html.unescape(re.sub(r"</?code>", "", one)) for one in SEEN.findall(page)]


def visible(text: str) -> str:
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in text)


@given(TEXTS, TEXTS)
@example("a|b", "|")
@example("\\|", "`\\`|")
@example("``|`", "<script>")
def test_code_in_a_table_shows_its_text(one: str, other: str) -> None:
    def wanted(text: str) -> str:
        return visible(text.replace("\\", "\\\\")).strip(" ")

    assert [text.strip(" ") for text in shown([code(one), "x", code(other)])] == [wanted(one), "x", wanted(other)]


@given(TEXTS)
@example("1 | 2 \\| 3")
@example("![image](http://a) <b> & &amp; $x$")
def test_plain_text_in_a_table_shows_its_text(text: str) -> None:
    assert shown([plain(text), "x"]) == [visible(" ".join(text.split())).strip(), "x"]


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
)


@given(VALUES)
@example({"a|b": ["\\|", "`", "\n"]})
def test_settings_in_a_table_can_be_read_back(value: Any) -> None:
    (cell,) = shown([json_code(value)])
    assert json.loads(cell) == value


@given(TEXTS)
def test_nothing_in_a_text_ends_its_block(text: str) -> None:
    markdown_it = pytest.importorskip("markdown_it")
    page = markdown_it.MarkdownIt("commonmark").render(fenced(text) + "\n\nafter")
    assert page.endswith("</code></pre>\n<p>after</p>\n")
    assert page.count("<pre>") == 1
