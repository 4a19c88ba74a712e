"""The toy shape `questions`: four sentences about two people, and a question that one sentence answers."""

from dataclasses import dataclass
from typing import final

import datasets

from xquality.randomness import Draw, key
from xquality.toy.cast import casts, shuffled
from xquality.toy.lexicon import lexicon
from xquality.toy.sentence import Cast, Sentence, say

FEATURES = datasets.Features(
    {
        "id": datasets.Value("string"),
        "context": datasets.Value("string"),
        "question": datasets.Value("string"),
        "answers": {
            "text": datasets.List(datasets.Value("string")),
            "answer_start": datasets.List(datasets.Value("int32")),
        },
    }
)


@final
@dataclass(frozen=True)
class QuestionRow:
    """One row: the sentence `context[evidence]` holds the answer to `question` in its slot `slot`."""

    context: tuple[Sentence, ...]
    question: Sentence
    evidence: int
    slot: str

    def record(self, language: str) -> dict[str, object]:
        """Return the row in `language`; the id is a hash of the meaning, so all languages have the same."""
        gap = "" if language == "zh" else " "
        texts = [sentence.text(language) for sentence in self.context]
        start, answer = self.context[self.evidence].span(language, self.slot)
        start += sum(len(text) + len(gap) for text in texts[: self.evidence])
        # Spelt out, with the name the class first had: the ids stay the same when the class is renamed.
        meaning = f"Asked(context={self.context!r}, question={self.question!r}, evidence={self.evidence}, "
        return {
            "id": f"{key('toy.questions', f'{meaning}slot={self.slot!r})'):016x}",
            "context": gap.join(texts),
            "question": self.question.text(language),
            "answers": {"text": [answer], "answer_start": [start]},
        }


def plan(draw: Draw) -> list[QuestionRow]:
    """Return one row for each uid of `draw`; a question's template is named for the slot that answers it."""
    names = list(lexicon().templates["question"])
    chosen, who = draw.integers("question", len(names)), draw.integers("who", 2)
    orders = shuffled(draw, "context", 4).tolist()
    rows = []
    for row, cast in enumerate(casts(draw)):
        people = (cast, _second(cast))
        facts = [say(*fact, person) for person in people for fact in (("entities", "works"), ("context", "likes"))]
        slot = names[chosen[row]]
        evidence = 2 * int(who[row]) + (slot == "0")
        context = tuple(facts[place] for place in orders[row])
        question = say("question", slot, people[who[row]])
        rows.append(QuestionRow(context, question, orders[row].index(evidence), slot))
    return rows


def _second(cast: Cast) -> Cast:
    """Return the cast with the second person, city, company and noun in the place of the first."""
    return {**cast, **{slot: cast[f"{slot}2"] for slot in ("person", "city", "company")}, "0": cast["1"]}
