"""The toy datasets: of the promised sizes, parallel over languages, always the same, without a row twice."""

import functools
import json
from collections import Counter

import pytest
from datasets import ClassLabel, Dataset

from xquality.errors import SourceError
from xquality.toy import generate as module
from xquality.toy.generate import SIZES
from xquality.toy.lexicon import LANGUAGES
from xquality.toy.shapes import LABELS

generate = functools.cache(module.generate)  # the tests read the same splits again and again
SHAPES = [shape for shape in SIZES if shape != "mining"]
EVERY_CALL = [
    (shape, language, split)
    for shape, splits in SIZES.items()
    for language in LANGUAGES
    for split in splits
    if (shape, language) != ("mining", "en")
]


def written(data: Dataset) -> list[str]:
    return [json.dumps({key: value for key, value in row.items() if key != "id"}) for row in data]


def columns(data: Dataset, *names: str) -> list[tuple[object, ...]]:
    return list(zip(*(data[name] for name in names), strict=True))


@pytest.mark.parametrize("shape", SIZES)
def test_every_split_has_its_size_and_its_features_in_every_language(shape: str) -> None:
    for _, language, split in (call for call in EVERY_CALL if call[0] == shape):
        data = generate(shape, language, split)
        assert data.num_rows == SIZES[shape][split]
        assert data.features == generate(shape, "sw", split).features
        assert "uid" not in data.column_names


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_row_repeats_within_or_between_splits(shape: str, language: str) -> None:
    rows = [row for split in SIZES[shape] for row in written(generate(shape, language, split))]
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize(
    ("shape", "names"),
    [
        ("topics", ["label"]),
        ("inference", ["label"]),
        ("questions", ["id"]),
        ("choices", ["label", "question"]),
    ],
)
def test_labels_and_ids_are_the_same_in_every_language(shape: str, names: list[str]) -> None:
    for split in SIZES[shape]:
        english = columns(generate(shape, "en", split), *names)
        assert all(columns(generate(shape, language, split), *names) == english for language in LANGUAGES)


def test_a_second_generation_from_nothing_gives_the_same_bytes() -> None:
    first = {shape: written(generate(shape, "hi", next(iter(SIZES[shape])))) for shape in SIZES}
    module.draw_split.cache_clear()
    assert first == {shape: written(module.generate(shape, "hi", next(iter(SIZES[shape])))) for shape in SIZES}


def test_labels_are_declared_and_all_occur_about_equally() -> None:
    for shape in ("topics", "inference", "choices"):
        data = generate(shape, "en", "train")
        assert isinstance(data.features["label"], ClassLabel)
        assert tuple(data.features["label"].names) == LABELS[shape]
        counts = Counter(data["label"])
        assert len(counts) == len(LABELS[shape])
        assert max(counts.values()) < 1.4 * min(counts.values())
    assert tuple(generate("entities", "en", "train").features["ner_tags"].feature.names) == LABELS["entities"]


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (("poems", "en", "train"), "no shape named 'poems'; choose one of topics, "),
        (("topics", "fr", "train"), "no language of topics named 'fr'; choose one of en, "),
        (("topics", "en", "dev"), "no split of topics named 'dev'; choose one of train, validation, test."),
        (("mining", "en", "gold"), "no language of mining named 'en'; choose one of es, "),
        (("mining", "de", "train"), "choose one of source, target, gold, "),
    ],
)
def test_what_is_not_there_is_refused_by_name(asked: tuple[str, str, str], named: str) -> None:
    with pytest.raises(SourceError) as refused:
        generate(*asked)
    assert named in str(refused.value)
