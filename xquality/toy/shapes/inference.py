"""The toy shape `inference`: what one sentence about a list of words says about another."""

from dataclasses import dataclass
from typing import final

import datasets

from xquality.randomness import Draw
from xquality.toy.cast import casts
from xquality.toy.sentence import Sentence, say

NAMES = ("entailment", "neutral", "contradiction")
FEATURES = datasets.Features(
    {
        "premise": datasets.Value("string"),
        "hypothesis": datasets.Value("string"),
        "label": datasets.ClassLabel(names=list(NAMES)),
    }
)

# For each label, eight equally likely cases: whether the premise's list is open or names all it holds, what
# the hypothesis claims, and of what. Openness and claim are each as frequent with every label, so neither
# premise nor hypothesis alone gives the label away.
_CASES = (
    (("open", "is", "named"), ("only", "is", "named"), *(("only", "not", "unnamed"),) * 2) * 2,
    (
        ("open", "is", "unnamed"),
        ("open", "not", "unnamed"),
        *(("only", "is", "elsewhere"), ("only", "not", "elsewhere")) * 3,
    ),
    (("open", "not", "named"), ("only", "not", "named"), *(("only", "is", "unnamed"),) * 2) * 2,
)


@final
@dataclass(frozen=True)
class Inference:
    """One row: two sentences and how the second stands to the first."""

    premise: Sentence
    hypothesis: Sentence
    label: int

    def record(self, language: str) -> dict[str, object]:
        """Return the row in `language`."""
        said = {"premise": self.premise.text(language), "hypothesis": self.hypothesis.text(language)}
        return {**said, "label": self.label}


def plan(draw: Draw) -> list[Inference]:
    """Return one row for each uid of `draw`."""
    label, case = draw.integers("label", len(NAMES)), draw.integers("case", 8)
    premise, hypothesis, noun = (draw.integers(part, 2) for part in ("premise", "hypothesis", "noun"))
    rows = []
    for row, cast in enumerate(casts(draw)):
        openness, claim, about = _CASES[label[row]][case[row]]
        named = {"0": cast[str(noun[row])]}
        changed = {"named": named, "unnamed": {"0": cast["2"]}, "elsewhere": {**named, "city": cast["city2"]}}
        given = say("premise", f"{openness}_{('list', 'words')[premise[row]]}", cast)
        claimed = say("hypothesis", f"{claim}_{('list', 'word')[hypothesis[row]]}", {**cast, **changed[about]})
        rows.append(Inference(given, claimed, int(label[row])))
    return rows
