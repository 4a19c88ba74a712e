"""Choices: the right one belongs to the premise, and its place says nothing."""

import functools
from collections import Counter

import numpy as np

from xquality.toy import generate as module
from xquality.toy.lexicon import lexicon
from xquality.toy.sentence import Sentence
from xquality.toy.shapes import choices
from xquality.transforms import Draw

generate = functools.cache(module.generate)  # the tests read the same splits again and again


def draw(start: int, stop: int) -> Draw:
    return Draw(seed=0, scope="test", stream=0, uids=np.arange(start, stop, dtype=np.uint64))


def test_the_right_choice_belongs_to_the_premise() -> None:
    cause, effect = lexicon().templates["cause"], lexicon().templates["effect"]
    story = {
        Sentence(kind, name, (("person", ()),)).text("en").strip(): name
        for kind, templates in (("cause", cause), ("effect", effect))
        for name in templates
    }

    def told(text: str) -> str:
        (name,) = {name for rest, name in story.items() if text.endswith(rest)}
        return name

    for row in generate("choices", "en", "test"):
        choices = [told(row["choice1"]), told(row["choice2"])]
        assert choices[row["label"]] == told(row["premise"]) != choices[1 - row["label"]]


def test_causes_and_effects_are_asked_for_about_equally_in_both_places() -> None:
    rows = [row.record("de") for row in choices.plan(draw(0, 2000))]
    counts = Counter((row["question"], row["label"]) for row in rows)
    assert len(counts) == 4
    assert max(counts.values()) < 1.2 * min(counts.values())


def test_a_question_asks_for_the_kind_that_the_premise_is_not() -> None:
    for row in choices.plan(draw(0, 200)):
        assert {row.premise.kind, row.right.kind} == {"cause", "effect"}
        assert row.right.kind == row.wrong.kind
        assert row.right.name == row.premise.name != row.wrong.name


def test_the_order_of_the_two_makes_no_other_row() -> None:
    (row,) = choices.plan(draw(0, 1))
    turned = choices.Chosen(row.premise, row.right, row.wrong, 1 - row.label)
    assert turned == row
    first, second = row.record("en"), turned.record("en")
    assert (first["choice1"], first["choice2"]) == (second["choice2"], second["choice1"])


def test_a_row_is_fixed_by_its_uid_alone() -> None:
    assert choices.plan(draw(3, 6)) == choices.plan(draw(0, 10))[3:6]
