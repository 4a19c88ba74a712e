import numpy as np
import pyarrow as pa
import pytest
from datasets import Dataset, Features, Value

import xquality as xq
from xquality.data._datasets import dataset_of, table_of
from xquality.transforms.translation_noise import batch
from xquality.transforms.translation_noise.batch import cut

LONG = Features({"text": Value("large_string")})


def test_large_strings_and_broken_chunks_come_out_as_they_went_in():
    texts = [f"uno dos tres {one}" for one in range(40)]
    plain = xq.with_uid(Dataset.from_dict({"text": texts}))
    wide = xq.with_uid(Dataset.from_dict({"text": texts}, features=LONG))
    parts = pa.concat_tables([table_of(plain).slice(start, 7) for start in range(0, 40, 7)])
    broken = dataset_of(parts, plain.features, like=plain, fingerprint="broken")
    noise = xq.TranslationNoise(0.5)
    after = noise(plain, seed=1)
    assert noise(wide, seed=1).features["text"] == LONG["text"]
    assert noise(wide, seed=1)["text"][:] == noise(broken, seed=1)["text"][:] == after["text"][:]


def test_the_counts_of_a_record_are_those_of_all_columns():
    data = Dataset.from_dict({"a": ["uno dos tres"] * 200, "b": ["one two"] * 200})
    record = xq.history(xq.TranslationNoise(0.4, columns=("a", "b"), errors=("repetition",))(data, seed=1))[-1]
    assert record.details["units"] == 1000
    assert abs(record.details["kinds"]["repetition"] - 400) < 4 * np.sqrt(1000 * 0.24)
    assert record.realised_rate == record.details["kinds"]["repetition"] / 1000


def questions(count=50):
    answer = {"text": ["uno dos tres cuatro cinco"], "answer_start": [0]}
    return Dataset.from_dict({"context": ["uno dos tres cuatro cinco"] * count, "answers": [answer] * count})


@pytest.mark.parametrize(("lost", "rows", "units"), [("keep_original", 50, 250), ("drop", 0, 0)])
def test_what_was_taken_back_or_dropped_is_not_counted(lost, rows, units):
    after = xq.TranslationNoise(1.0, columns=("context",), errors=("omission",), lost=lost)(questions(), seed=1)
    record = xq.history(after)[-1]
    assert len(after) == rows
    assert record.details["answers_lost"] == 50
    assert record.details["kinds"] == {"omission": 0}
    assert record.details["units"] == units
    assert (record.changed, record.realised_rate) == (0, 0.0)


@pytest.mark.parametrize("lost", ["keep_original", "drop"])
def test_the_counts_are_those_of_the_texts_that_come_out(lost):
    data = questions(300).add_column("question", ["uno dos"] * 300)
    noise = xq.TranslationNoise(0.1, columns=("question", "context"), errors=("repetition",), lost=lost)
    after = noise(data, seed=1)
    record = xq.history(after)[-1]
    said = sum(len(row["question"].split()) - 2 + len(row["context"].split()) - 5 for row in after)
    assert 0 < record.details["kinds"]["repetition"] == said
    assert record.details["units"] == 7 * len(after)
    assert record.realised_rate == said / (7 * len(after))
    columns = ("question", "context", "answers")
    assert record.changed == sum(row[f"{one}_before"] is not None for row in after for one in columns)


def test_the_rate_of_errors_in_whole_rows_is_the_share_of_rows():
    data = Dataset.from_dict({"a": ["uno dos tres"] * 200, "b": ["one two"] * 200})
    for columns in (("a",), ("a", "b")):
        record = xq.history(xq.TranslationNoise(0.3, columns=columns, errors=("truncation",))(data, seed=1))[-1]
        assert record.realised_rate == record.details["kinds"]["truncation"] / (200 * len(columns))
        assert abs(record.realised_rate - 0.3) < 0.13


def test_a_text_that_comes_out_as_it_was_is_not_a_change():
    after = xq.TranslationNoise(1.0, errors=("reordering",))(Dataset.from_dict({"text": ["ja ja ja"] * 5}), seed=1)
    assert after["text_before"][:] == [None] * 5
    assert xq.history(after)[-1].changed == 0


def test_a_row_has_the_fate_it_has_in_batches_of_any_size(monkeypatch):
    data = xq.with_uid(questions(40).add_column("text", [f"el año {row} en Roma, 東京" for row in range(40)]))
    noise = xq.TranslationNoise(0.3, columns=("text", "context"), lost="drop")
    wanted = noise(data, seed=1)
    monkeypatch.setattr(batch, "_ROWS", 7)
    monkeypatch.setattr(batch, "_BYTES", 300)
    found = noise(data, seed=1)
    assert found[:] == wanted[:]
    assert xq.history(found)[-1].details == xq.history(wanted)[-1].details


def test_a_batch_has_few_bytes_unless_a_row_alone_has_more():
    texts = ["a" * 1000] * 30_000 + ["b" * 5_000_000] + ["c"] * 25_000
    table = pa.table({"text": texts})
    parts = list(cut(table))
    assert [start for start, _ in parts] == [0, *(end for _, end in parts[:-1])]
    assert parts[-1][1] == len(table)
    for start, end in parts:
        assert 0 < end - start <= 10_000
        assert end - start == 1 or sum(map(len, texts[start:end])) <= 2 << 20
    assert len(parts) < 60
    assert list(cut(table.slice(0, 0))) == [(0, 0)]


def test_columns_that_followed_are_named_in_the_record():
    after = xq.TranslationNoise(0.1, columns=("context",))(questions(), seed=1)
    assert xq.history(after)[-1].details["followed"] == ["answers"]
    assert (
        xq.history(xq.TranslationNoise(0.1)(Dataset.from_dict({"text": ["a"]}), seed=1))[-1].details["followed"] == []
    )
