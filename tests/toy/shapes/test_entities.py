"""Entities: every token of a name is tagged, no other is, and the tags are valid in every language."""

import functools
import itertools
from collections import Counter

import numpy as np
import pytest

from xquality.toy import generate as module
from xquality.toy.generate import LABELS, LANGUAGES
from xquality.toy.lexicon import lexicon
from xquality.toy.shapes import entities
from xquality.transforms import Draw

generate = functools.cache(module.generate)  # the tests read the same splits again and again


def draw(start: int, stop: int) -> Draw:
    return Draw(seed=0, scope="test", stream=0, uids=np.arange(start, stop, dtype=np.uint64))


def test_entities_hold_the_same_names_in_every_language() -> None:
    def entities(language: str) -> list[Counter[int]]:
        # I-LOC is left out: a city of two words in English may be one word elsewhere.
        return [
            Counter(tag for tag in tags if tag in range(1, 6))
            for tags in generate("entities", language, "test")["ner_tags"]
        ]

    assert all(entities(language) == entities("en") for language in LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_entity_tags_are_valid_and_cover_the_names(language: str) -> None:
    persons = {word[language] for word in lexicon().words["person"]}
    seen = set()
    for row in generate("entities", language, "train"):
        tags = ["O", *(LABELS["entities"][tag] for tag in row["ner_tags"])]
        assert len(row["tokens"]) == len(row["ner_tags"])
        assert all(now[0] != "I" or before[1:] == now[1:] for before, now in itertools.pairwise(tags))
        assert [token in persons for token in row["tokens"]] == [tag.endswith("PER") for tag in tags[1:]]
        assert all(token and not any(map(str.isspace, token)) for token in row["tokens"])
        seen.update(tags)
    single_token_cities = {"ru", "zh"}  # "Сан-Диего" is hyphenated and Chinese writes one word
    assert seen == set(LABELS["entities"]) - ({"I-LOC"} if language in single_token_cities else set())


@pytest.mark.parametrize("language", ["en", "hi", "zh"])
def test_the_tokens_are_the_words_of_the_running_text(language: str) -> None:
    for row in entities.plan(draw(0, 200)):
        said = row.record(language)["tokens"]
        assert isinstance(said, list)
        assert "".join(said) == row.sentence.text(language).replace(" ", "")


def test_a_row_is_fixed_by_its_uid_alone() -> None:
    assert entities.plan(draw(3, 6)) == entities.plan(draw(0, 10))[3:6]
