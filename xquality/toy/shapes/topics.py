"""The toy shape `topics`: sentences of three or four nouns, labelled with the topic that most nouns have.

Where topics have as many nouns as each other, the one named first counts. So the text fixes the label, but a
bag of words, which does not see the order, cannot learn the rows with a tie.
"""

from dataclasses import dataclass
from typing import final

import datasets
import numpy as np

from xquality.randomness import Draw
from xquality.toy.cast import casts, shuffled
from xquality.toy.lexicon import TOPICS, lexicon
from xquality.toy.sentence import Sentence, say

FEATURES = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=list(TOPICS))})

_TIES = 0.15  # the share of rows that only the order of the words decides
_PURE = 0.1  # the share of rows without a word of another topic
# The topics of the nouns, in their order: 0 is the label's topic, 1 and 2 are others.
_TIED = {3: ((0, 1, 2),), 4: ((0, 1, 1, 0), (0, 1, 0, 1), (0, 0, 1, 1))}
_ALONE = {3: ((0, 0, 0),), 4: ((0, 0, 0, 0),)}
_MIXED = {
    3: ((0, 0, 1), (0, 1, 0), (1, 0, 0)),
    4: ((0, 0, 1, 2), (0, 1, 0, 2), (1, 0, 0, 2), (1, 0, 2, 0), (1, 2, 0, 0), (0, 1, 2, 0)),
}


@final
@dataclass(frozen=True)
class Topical:
    """One row: a sentence and its topic."""

    sentence: Sentence
    label: int

    def record(self, language: str) -> dict[str, object]:
        """Return the row in `language`."""
        return {"text": self.sentence.text(language), "label": self.label}


def plan(draw: Draw) -> list[Topical]:
    """Return one row for each uid of `draw`."""
    names = list(lexicon().templates["topics"])
    name = draw.integers("template", len(names))
    chance, pick = draw.uniform("pattern"), draw.uniform("order")
    topics = shuffled(draw, "topics", len(TOPICS)).tolist()
    size = len(lexicon().words[TOPICS[0]])
    nouns = np.stack([shuffled(draw, f"nouns of {part}", size)[:, :4] for part in range(3)], axis=1).tolist()
    rows = []
    for row, cast in enumerate(casts(draw)):
        template = names[name[row]]
        length = 4 if "{3}" in lexicon().templates["topics"][template]["en"] else 3
        patterns = _TIED if chance[row] < _TIES else _ALONE if chance[row] < _TIES + _PURE else _MIXED
        pattern = patterns[length][int(pick[row] * len(patterns[length]))]
        words = {str(slot): ((TOPICS[topics[row][part]], nouns[row][part][slot]),) for slot, part in enumerate(pattern)}
        rows.append(Topical(say("topics", template, {**cast, **words}), topics[row][0]))
    return rows
