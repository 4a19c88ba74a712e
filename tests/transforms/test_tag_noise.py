"""TagNoise: exact counts of spans, valid BIO, each kind alone, parts of speech, real rows."""

from pathlib import Path

import pytest
from datasets import ClassLabel, Dataset, Features, List, Value

import xquality as xq
from xquality import toy
from xquality.errors import ColumnError, LabelError, RateWarning, SettingError
from xquality.text.tag_schemes import editable_spans

KINDS = ("type", "boundary", "missed", "spurious")


def spans(data: Dataset, column: str = "ner_tags") -> list[list[tuple[int, int, str]]]:
    names = data.features[column].feature.names
    return [[(span.start, span.end, span.kind) for span in editable_spans(tags, names)] for tags in data[column]]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["en", "ar", "zh"])
def test_each_kind_alone_does_what_it_says(language: str, kind: str) -> None:
    data = toy.entities.load(language, "train")
    noisy = xq.TagNoise(0.5, (kind,))(data, seed=1)
    details = xq.history(noisy)[-1].details
    total = sum(map(len, spans(data)))
    assert details["spans"] == total
    assert details["spans_changed"] <= round(0.5 * total)
    assert details["spans_changed"] == details["kinds"][kind] > 0
    before, after = sum(map(len, spans(data))), sum(map(len, spans(noisy)))  # spans() raises on invalid BIO
    assert after - before == {"missed": -1, "spurious": 1}.get(kind, 0) * details["spans_changed"]


@pytest.mark.parametrize("rate", [0.0, 0.2, 1.0])
def test_the_count_of_changed_spans_is_the_rounded_share(rate: float) -> None:
    data = toy.entities.load("es", "train")
    record = xq.history(xq.TagNoise(rate)(data, seed=1))[-1]
    assert record.details["spans_changed"] == round(rate * record.details["spans"])
    assert record.realised_rate == record.details["spans_changed"] / record.details["spans"]


def test_parts_of_speech_get_another_part() -> None:
    names = ["ADJ", "NOUN", "VERB"]
    features = Features({"tokens": List(Value("string")), "pos_tags": List(ClassLabel(names=names))})
    tags = [[row % 3, (row + 1) % 3, 1] for row in range(50)]
    data = Dataset.from_dict({"tokens": [["a", "b", "c"]] * 50, "pos_tags": tags}, features=features)
    noisy = xq.TagNoise(0.2, column="pos_tags")(data, seed=1)
    changed = [
        tag != noisy_tag
        for row, noisy_row in zip(tags, noisy["pos_tags"], strict=True)
        for tag, noisy_tag in zip(row, noisy_row, strict=True)
    ]
    assert sum(changed) == 30
    with pytest.raises(LabelError, match="types only"):
        xq.TagNoise(0.2, ("missed",), column="pos_tags")(data, seed=1)


@pytest.mark.parametrize(
    ("folder", "split", "column"),
    [
        ("panx/th", "test", "ner_tags"),
        ("panx/ar", "test", "ner_tags"),
        ("uner/en_ewt", "test", "ner_tags"),
        ("udpos/hi", "test", "pos_tags"),
    ],
)
def test_real_rows_stay_valid(real_data: Path, folder: str, split: str, column: str) -> None:
    data = Dataset.from_parquet(str(real_data / folder / f"{split}.parquet"))
    try:
        before = spans(data, column)
    except LabelError:  # a few of these sentences begin with an I
        names = data.features[column].feature.names
        data = data.filter(lambda row: _valid(row[column], names))
        before = spans(data, column)
    noisy = xq.TagNoise(0.2, column=column)(data, seed=1)
    spans(noisy, column)
    assert xq.history(noisy)[-1].details["spans_changed"] == round(0.2 * sum(map(len, before)))


def _valid(tags: list[int], names: list[str]) -> bool:
    try:
        editable_spans(tags, names)
    except LabelError:
        return False
    return True


def test_what_cannot_be_changed_is_refused() -> None:
    data = toy.entities.load("es", "validation")
    for settings in ({"kinds": ()}, {"kinds": ("melt",)}, {"kinds": ("type", "type")}):
        with pytest.raises(SettingError):
            xq.TagNoise(0.5, **settings)
    for column in ("tokens", "tags"):
        with pytest.raises(ColumnError):
            xq.TagNoise(0.5, column=column)(data, seed=1)
    with pytest.raises(LabelError):
        xq.TagNoise(0.5)(data.map(lambda row: {"ner_tags": [-1] * len(row["ner_tags"])}), seed=1)
    with pytest.warns(RateWarning, match="spans"):
        xq.TagNoise(0.001)(data.select(range(3)), seed=1)
