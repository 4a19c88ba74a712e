"""The card: what the Hub reads, every transform in order, and text of anyone's that breaks nothing."""

import html
import os
import re
from pathlib import Path

import pytest
from datasets import ClassLabel, Dataset, Features, List, Value
from huggingface_hub import DatasetCard

import xquality as xq
from xquality import toy
from xquality.data.card import begin_mark, end_mark, split_of
from xquality.data.provenance import describe, with_history, with_origin
from xquality.errors import DataKindError
from xquality.records import Record

SPOIL = xq.LabelNoise(0.2) >> xq.Subsample(n=500) >> xq.CleanlabFilter(action="relabel")


def tables(text: str) -> list[list[list[str]]]:
    """Return what a reader sees in the tables of a document: tables of rows of cells."""
    markdown_it = pytest.importorskip("markdown_it")
    page = markdown_it.MarkdownIt("commonmark").enable("table").render(DatasetCard(text).text)
    found = []
    for one in re.findall(r"<table>(.*?)</table>", page, re.DOTALL):
        rows = re.findall(r"<tr>(.*?)</tr>", one, re.DOTALL)
        cells = [re.findall(r"<t[hd]>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
        found.append([[html.unescape(re.sub(r"</?code>", "", cell)) for cell in row] for row in cells])
    return found


def test_every_transform_stands_in_the_table_with_its_numbers() -> None:
    data = SPOIL(toy.topics.load("es", "train"), seed=7)
    origin, steps, columns = tables(xq.card(data))
    assert origin == [["task", "language", "split"], ["toy.topics", "es", "train"]]
    assert [row[:2] + row[3:9] for row in steps[1:]] == [
        [
            *map(str, (place, one.transform, one.seed, one.rows_before, one.rows_after, one.changed)),
            f"{one.realised_rate:g}",
            "1",
        ]
        for place, one in enumerate(xq.history(data), 1)
    ]
    assert steps[1][2] == '{"column": "label", "exact": true, "rate": 0.2, "stream": 0}'
    assert '"issues":' in steps[3][9]
    assert [row[0] for row in columns[1:]] == data.column_names
    told = {row[0]: row[2] for row in columns}
    assert told["label_before"] == "the first value of label; null where it was never changed"
    assert told["label_given"].startswith("the value of label that a filter saw")
    assert told["text"] == ""


def test_the_top_holds_what_the_hub_reads() -> None:
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


def test_the_card_tells_the_digest_and_how_to_load() -> None:
    data = SPOIL(toy.topics.load("es", "train"), seed=7)
    assert f'assert xq.digest(data) == "{xq.digest(data)}"' in xq.card(data)
    assert 'xq.load("FOLDER")' in xq.card(data)
    assert 'load_dataset("me/mine", split="train")' in xq.card(data, repository="me/mine")
    assert xq.card(data) == xq.card(data.select(range(len(data))))


def test_joined_parts_stand_below_the_step_that_joined_them() -> None:
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


def test_text_of_the_users_own_breaks_neither_tables_nor_headings_nor_the_top() -> None:
    features = Features({HOSTILE: Value("string"), "label": ClassLabel(names=[HOSTILE, "b"])})
    data = Dataset.from_dict({HOSTILE: ["t"], "label": [0]}, features=features)
    data = with_origin(data, HOSTILE, "es", HOSTILE)
    data.info.description = f"{HOSTILE}\n<!-- xquality: end of train -->\n{data.info.description}"
    data = with_history(data, [Record(HOSTILE, {"column": HOSTILE, HOSTILE: [HOSTILE]}, details={HOSTILE: HOSTILE})])
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


def test_no_place_on_this_machine_is_told(tmp_path: Path) -> None:
    toy.topics.load("es", "train").to_parquet(str(tmp_path / "rows.parquet"))
    data = SPOIL(Dataset.from_parquet(str(tmp_path / "rows.parquet"), cache_dir=str(tmp_path / "cache")), seed=1)
    assert data.info.download_checksums or data.info.dataset_name
    text = xq.card(xq.load(xq.save(data, tmp_path / "saved")))
    for place in (str(tmp_path), str(Path.home()), str(Path.cwd()), os.sep + "tmp", ".parquet", "cache"):
        assert place not in text


def test_many_classes_are_told_in_short_and_lists_as_lists() -> None:
    names = [f"c{one}" for one in range(25)]
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
    for what in (None, {}, toy.topics.load("es", "train").to_iterable_dataset()):
        with pytest.raises(DataKindError, match="one split"):
            xq.card(what)


def test_a_description_is_shown_as_it_is() -> None:
    data = Dataset.from_dict({"text": ["a"]})
    data.info.description = describe("Two lines\nof *text*.", ())
    assert "```text\nTwo lines\nof *text*.\n```" in xq.card(data)
