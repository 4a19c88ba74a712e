"""The toy shape `entities`: tokens with the names of people, organisations and places marked."""

from dataclasses import dataclass
from typing import final

import datasets

from xquality.randomness import Draw
from xquality.toy.cast import casts
from xquality.toy.lexicon import lexicon
from xquality.toy.sentence import Sentence, say

NAMES = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")
FEATURES = datasets.Features(
    {
        "tokens": datasets.List(datasets.Value("string")),
        "ner_tags": datasets.List(datasets.ClassLabel(names=list(NAMES))),
    }
)

_ENTITY = {"person": "PER", "person2": "PER", "company": "ORG", "city": "LOC", "city2": "LOC"}


@final
@dataclass(frozen=True)
class Tagged:
    """One row: a sentence whose slots say which tokens are names."""

    sentence: Sentence

    def record(self, language: str) -> dict[str, object]:
        """Return the row in `language`."""
        tags, before = [], ""
        tokens = self.sentence.tokens(language)
        for _, slot in tokens:
            entity = _ENTITY.get(slot)
            tags.append(f"{'I' if slot == before else 'B'}-{entity}" if entity else "O")
            before = slot
        return {"tokens": [token for token, _ in tokens], "ner_tags": [NAMES.index(tag) for tag in tags]}


def plan(draw: Draw) -> list[Tagged]:
    """Return one row for each uid of `draw`."""
    names = list(lexicon().templates["entities"])
    chosen = draw.integers("template", len(names))
    return [Tagged(say("entities", names[name], cast)) for name, cast in zip(chosen, casts(draw), strict=True)]
