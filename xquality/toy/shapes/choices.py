"""The toy shape `choices`: which of two sentences is the cause, or the effect, of what a third one says."""

from dataclasses import dataclass, field
from typing import final

import datasets

from xquality.randomness import Draw
from xquality.toy.cast import casts, shuffled
from xquality.toy.lexicon import lexicon
from xquality.toy.sentence import Sentence, say

NAMES = ("choice1", "choice2")
FEATURES = datasets.Features(
    {
        **dict.fromkeys(("premise", "choice1", "choice2", "question"), datasets.Value("string")),
        "label": datasets.ClassLabel(names=list(NAMES)),
    }
)


@final
@dataclass(frozen=True)
class Chosen:
    """One row: a premise, the right choice and a wrong one; the order of the two makes no other row."""

    premise: Sentence
    right: Sentence
    wrong: Sentence
    label: int = field(compare=False)

    def record(self, language: str) -> dict[str, object]:
        """Return the row in `language`."""
        pair = [self.right.text(language), self.wrong.text(language)]
        first, second = reversed(pair) if self.label else pair
        said = {"premise": self.premise.text(language), "choice1": first, "choice2": second}
        return {**said, "question": self.right.kind, "label": self.label}


def plan(draw: Draw) -> list[Chosen]:
    """Return one row for each uid of `draw`."""
    names = list(lexicon().templates["cause"])
    stories = shuffled(draw, "stories", len(names)).tolist()
    forward, label = draw.integers("question", 2), draw.integers("label", 2)
    rows = []
    for row, cast in enumerate(casts(draw)):
        given, asked = ("cause", "effect") if forward[row] else ("effect", "cause")
        right, wrong = (names[story] for story in stories[row][:2])
        premise = say(given, right, cast)
        rows.append(Chosen(premise, say(asked, right, cast), say(asked, wrong, cast), int(label[row])))
    return rows
