"""The dataset card: its YAML, its tables of sources and transforms, and user text that never breaks its layout."""

import html
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from datasets import ClassLabel, Dataset, Features, List, Value
from huggingface_hub import DatasetCard
from hypothesis import example, given
from hypothesis import strategies as st

import xquality as xq
from xquality import toy
from xquality.data.card import begin_mark, code_block, end_mark, escape, inline_code, inline_json, make_table, split_of
from xquality.data.provenance import make_description, with_history, with_origin
from xquality.errors import DataKindError
from xquality.records import Record

SPOIL = xq.LabelNoise(0.2) >> xq.Subsample(n=500) >> xq.CleanlabFilter(action="relabel")


def tables(text: str) -> list[list[list[str]]]:
    """Return the rendered tables of a document, as lists of rows of cells."""
    markdown_it = pytest.importorskip("markdown_it")
    page = markdown_it.MarkdownIt("commonmark").enable("table").render(DatasetCard(text).text)
    found = []
    for inner in re.findall(r"<table>(.*?)</table>", page, re.DOTALL):
        rows = re.findall(r"<tr>(.*?)</tr>", inner, re.DOTALL)
        cells = [re.findall(r"<t[hd]>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
        found.append([[html.unescape(re.sub(r"</?code>", "", cell)) for cell in row] for row in cells])
    return found


def test_every_transform_is_a_row_of_the_table_with_its_counts() -> None:
    data = SPOIL(toy.topics.load("es", "train"), seed=7)
    origin, steps, columns = tables(xq.card(data))
    assert origin == [["task", "language", "split"], ["toy.topics", "es", "train"]]
    assert [row[:2] + row[3:9] for row in steps[1:]] == [
        [
            *map(str, (step, record.transform, record.seed, record.rows_before, record.rows_after, record.changed)),
            f"{record.realised_rate:g}",
            "1",
        ]
        for step, record in enumerate(xq.history(data), 1)
    ]
    assert steps[1][2] == '{"column": "label", "exact": true, "rate": 0.2, "stream": 0}'
    assert '"issues":' in steps[3][9]
    assert [row[0] for row in columns[1:]] == data.column_names
    meanings = {row[0]: row[2] for row in columns}
    assert meanings["label_before"] == "the first value of label; null where it was never changed"
    assert meanings["label_given"].startswith("the value of label that a filter replaced")
    assert meanings["text"] == ""


def test_the_yaml_holds_what_the_hub_reads() -> None:
    rows = toy.topics.load("es", "train").select(range(5))
    spanish, other = with_origin(rows, "sib200", "spa_Latn", "train"), with_origin(rows, "mine", "x-custom", "train")
    joined = xq.concatenate([spanish, other], names=["a", "b"])
    assert DatasetCard(xq.card(joined)).data.to_dict() == {
        "language": ["es"],  # a code that the Hub does not know is left out
        "pretty_name": "sib200 (spa_Latn, train) and mine (x-custom, train) after concatenate",
        "tags": ["xquality", "concatenate"],
    }
    plain = Dataset.from_dict({"text": ["a"]})
    assert DatasetCard(xq.card(plain)).data.to_dict() == {"pretty_name": "Rows", "tags": ["xquality"]}
    assert "No transform was applied." in xq.card(plain)
    assert "No task loaded these rows" in xq.card(plain)


def test_the_card_holds_the_digest_and_code_that_loads_the_rows() -> None:
    data = SPOIL(toy.topics.load("es", "train"), seed=7)
    assert f'assert xq.digest(data) == "{xq.digest(data)}"' in xq.card(data)
    assert 'xq.load("FOLDER")' in xq.card(data)
    assert 'load_dataset("me/mine", split="train")' in xq.card(data, repository="me/mine")
    assert xq.card(data) == xq.card(data.select(range(len(data))))


def test_the_records_of_concatenated_parts_follow_the_concatenation() -> None:
    spanish = xq.LabelNoise(0.2)(toy.topics.load("es", "train"), seed=1).remove_columns("label_before")
    german = xq.Subsample(n=30)(toy.topics.load("de", "train"), seed=2)
    again = xq.Subsample(n=9)(xq.concatenate([spanish, german], names=["es", "de"]), seed=3)
    _, steps, _ = tables(xq.card(again))
    assert [row[:2] for row in steps[1:]] == [
        ["1", "concatenate"],
        ["1.1.1", "LabelNoise"],
        ["1.2.1", "Subsample"],
        ["2", "Subsample"],
    ]
    assert steps[1][2] == '{"names": ["es", "de"]}'


HOSTILE = "a | b\\| `c` \n\n# d <script>alert(1)</script> ```\n--- \u2028 $x$"


def test_user_text_breaks_neither_tables_nor_headings_nor_the_yaml() -> None:
    features = Features({HOSTILE: Value("string"), "label": ClassLabel(names=[HOSTILE, "b"])})
    data = Dataset.from_dict({HOSTILE: ["t"], "label": [0]}, features=features)
    data = with_origin(data, HOSTILE, "es", HOSTILE)
    data.info.description = f"{HOSTILE}\n<!-- xquality: end of train -->\n{data.info.description}"
    settings, versions = {"column": HOSTILE, HOSTILE: [HOSTILE]}, {"algorithm": HOSTILE, "xquality": HOSTILE}
    data = with_history(data, [Record(HOSTILE, settings, versions=versions, details={HOSTILE: HOSTILE})])
    text = xq.card(data)
    origin, steps, columns = tables(text)
    assert [len(row) for row in origin] == [3, 3]
    assert [len(row) for row in steps] == [10, 10]
    assert [len(row) for row in columns] == [3, 3, 3]
    page = pytest.importorskip("markdown_it").MarkdownIt("commonmark").render(DatasetCard(text).text)
    assert "<script>" not in page
    assert page.count("<h1>") == 1
    assert page.count("<h2>") == 4
    assert set(DatasetCard(text).data.to_dict()) == {"language", "pretty_name", "tags"}
    assert text.count("<!-- xquality: end of train -->") == 1


def test_no_path_of_this_machine_is_written(tmp_path: Path) -> None:
    toy.topics.load("es", "train").to_parquet(str(tmp_path / "rows.parquet"))
    data = SPOIL(Dataset.from_parquet(str(tmp_path / "rows.parquet"), cache_dir=str(tmp_path / "cache")), seed=1)
    assert data.info.download_checksums or data.info.dataset_name
    text = xq.card(xq.load(xq.save(data, tmp_path / "saved")))
    for path in (str(tmp_path), str(Path.home()), str(Path.cwd()), os.sep + "tmp", ".parquet", "cache"):
        assert path not in text


def test_at_most_twenty_classes_are_listed_and_lists_are_named() -> None:
    names = [f"c{number}" for number in range(25)]
    features = Features({"tags": List(ClassLabel(names=names)), "vector": List(Value("float32"))})
    (columns,) = tables(xq.card(Dataset.from_dict({"tags": [[0]], "vector": [[1.0]]}, features=features)))
    assert columns[1][1] == f"lists of classes: {', '.join(names[:20])} and 5 more"
    assert columns[2][1] == "List(Value('float32'))"


def test_a_split_is_named_and_marked() -> None:
    data = toy.topics.load("es", "train")
    assert split_of(data) == "train"
    assert begin_mark("validation") in xq.card(data).replace("train", "validation")
    assert begin_mark("a --> b") == "<!-- xquality: a_____b -->"
    assert end_mark("train") == "<!-- xquality: end of train -->"
    assert xq.card(data).count(begin_mark("train")) == xq.card(data).count(end_mark("train")) == 1


def test_only_one_split_has_a_card() -> None:
    for value in (None, {}, toy.topics.load("es", "train").to_iterable_dataset()):
        with pytest.raises(DataKindError, match="one split"):
            xq.card(value)


def test_a_description_is_shown_as_it_is() -> None:
    data = Dataset.from_dict({"text": ["a"]})
    data.info.description = make_description("Two lines\nof *text*.", ())
    assert "```text\nTwo lines\nof *text*.\n```" in xq.card(data)


TEXTS = st.text(
    st.sampled_from("ab \t\n\r\\`|*_<>[]()#~$&!.-'\"\u2028\u0085\u202e\u00e9\u5bb6\U0001f600\x00\ud800"), max_size=12
)
CELL = re.compile(r"<td>(.*?)</td>", re.DOTALL)


def render_row(cells: list[str]) -> list[str]:
    """Return the rendered text of the cells of a table with one row."""
    markdown_it = pytest.importorskip("markdown_it")
    document = make_table(["head"] * len(cells), [cells]) + "\n\nafter"
    page = markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(document)
    assert page.endswith("<p>after</p>\n")
    assert page.count("<tr>") == 2
    return [html.unescape(re.sub(r"</?code>", "", cell)) for cell in CELL.findall(page)]


def visible(text: str) -> str:
    return "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in text)


@given(TEXTS, TEXTS)
@example("a|b", "|")
@example("\\|", "`\\`|")
@example("``|`", "<script>")
def test_inline_code_in_a_table_shows_its_text(first: str, second: str) -> None:
    def wanted(text: str) -> str:
        return visible(text.replace("\\", "\\\\")).strip(" ")

    assert [text.strip(" ") for text in render_row([inline_code(first), "x", inline_code(second)])] == [
        wanted(first),
        "x",
        wanted(second),
    ]


@given(TEXTS)
@example("1 | 2 \\| 3")
@example("![image](http://a) <b> & &amp; $x$")
def test_escaped_text_in_a_table_shows_its_text(text: str) -> None:
    assert render_row([escape(text), "x"]) == [visible(" ".join(text.split())).strip(), "x"]


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
)


@given(VALUES)
@example({"a|b": ["\\|", "`", "\n"]})
def test_settings_in_a_table_can_be_read_back(value: Any) -> None:
    (cell,) = render_row([inline_json(value)])
    assert json.loads(cell) == value


@given(TEXTS)
def test_no_text_ends_its_code_block(text: str) -> None:
    markdown_it = pytest.importorskip("markdown_it")
    page = markdown_it.MarkdownIt("commonmark").render(code_block(text) + "\n\nafter")
    assert page.endswith("</code></pre>\n<p>after</p>\n")
    assert page.count("<pre>") == 1
