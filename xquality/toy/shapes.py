"""The shapes of toy data: for each shape of task a row as a meaning, how rows are drawn, and their features.

A row is a frozen value of sentences, equal in all languages; `in_language` writes it as a row of a dataset.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, final

import datasets
import numpy as np

from xquality.randomness import Draw, key
from xquality.toy.lexicon import TOPICS, lexicon
from xquality.toy.sentence import Sentence, Slots, draw_permutations, draw_words, fill_template

LABELS = {
    "topics": TOPICS,
    "inference": ("entailment", "neutral", "contradiction"),
    "entities": ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"),
    "choices": ("choice1", "choice2"),
}

_TEXT = datasets.Value("string")
FEATURES = {
    "topics": datasets.Features({"text": _TEXT, "label": datasets.ClassLabel(names=list(LABELS["topics"]))}),
    "inference": datasets.Features(
        {"premise": _TEXT, "hypothesis": _TEXT, "label": datasets.ClassLabel(names=list(LABELS["inference"]))}
    ),
    "entities": datasets.Features(
        {
            "tokens": datasets.List(_TEXT),
            "ner_tags": datasets.List(datasets.ClassLabel(names=list(LABELS["entities"]))),
        }
    ),
    "questions": datasets.Features(
        {
            **dict.fromkeys(("id", "context", "question"), _TEXT),
            "answers": {"text": datasets.List(_TEXT), "answer_start": datasets.List(datasets.Value("int32"))},
        }
    ),
    "choices": datasets.Features(
        {
            **dict.fromkeys(("premise", "choice1", "choice2", "question"), _TEXT),
            "label": datasets.ClassLabel(names=list(LABELS["choices"])),
        }
    ),
    "sentences": datasets.Features(
        dict.fromkeys(("source_sentence", "target_sentence", "source_lang", "target_lang"), _TEXT)
    ),
}


class Row(Protocol):
    """A row as a meaning."""

    def in_language(self, language: str) -> dict[str, Any]:
        """Return the row in a language, by the names of its columns."""
        ...


@final
@dataclass(frozen=True)
class TopicRow:
    """A sentence of three or four nouns, labelled with the topic that most nouns have.

    Where topics have as many nouns as each other, the one named first counts. So the text decides the label, but a bag
    of words, which does not see the order, cannot learn the rows with a tie.
    """

    sentence: Sentence
    label: int

    def in_language(self, language: str) -> dict[str, Any]:
        """Return the row in a language."""
        return {"text": self.sentence.text(language), "label": self.label}


_TIES = 0.15  # the share of rows that only the order of the words decides
_PURE = 0.1  # the share of rows without a word of another topic
# The topics of the nouns, in their order: 0 is the label's topic, 1 and 2 are others.
_TIED = {3: ((0, 1, 2),), 4: ((0, 1, 1, 0), (0, 1, 0, 1), (0, 0, 1, 1))}
_ALONE = {3: ((0, 0, 0),), 4: ((0, 0, 0, 0),)}
_MIXED = {
    3: ((0, 0, 1), (0, 1, 0), (1, 0, 0)),
    4: ((0, 0, 1, 2), (0, 1, 0, 2), (1, 0, 0, 2), (1, 0, 2, 0), (1, 2, 0, 0), (0, 1, 2, 0)),
}


def draw_topics(draw: Draw) -> list[TopicRow]:
    """Return one row for each uid of `draw`."""
    names = list(lexicon().templates["topics"])
    name = draw.integers("template", len(names))
    chance, pick = draw.uniform("pattern"), draw.uniform("order")
    topics = draw_permutations(draw, "topics", len(TOPICS)).tolist()
    size = len(lexicon().words[TOPICS[0]])
    orders = [draw_permutations(draw, f"nouns of {part}", size)[:, :4] for part in range(3)]
    nouns = np.stack(orders, axis=1).tolist()
    rows = []
    for row, words in enumerate(draw_words(draw)):
        template = names[name[row]]
        length = 4 if "{3}" in lexicon().templates["topics"][template]["en"] else 3
        patterns = _TIED if chance[row] < _TIES else _ALONE if chance[row] < _TIES + _PURE else _MIXED
        pattern = patterns[length][int(pick[row] * len(patterns[length]))]
        chosen = {
            str(slot): ((TOPICS[topics[row][part]], nouns[row][part][slot]),) for slot, part in enumerate(pattern)
        }
        rows.append(TopicRow(fill_template("topics", template, {**words, **chosen}), topics[row][0]))
    return rows


@final
@dataclass(frozen=True)
class InferenceRow:
    """What one sentence about a list of words says about another."""

    premise: Sentence
    hypothesis: Sentence
    label: int

    def in_language(self, language: str) -> dict[str, Any]:
        """Return the row in a language."""
        texts = {"premise": self.premise.text(language), "hypothesis": self.hypothesis.text(language)}
        return {**texts, "label": self.label}


# For each label, eight equally likely cases: whether the premise's list is open or names all it holds, what
# the hypothesis claims, and of what. Openness and claim are each as frequent with every label, so neither
# premise nor hypothesis alone decides the label.
_CASES = (
    (("open", "is", "named"), ("only", "is", "named"), *(("only", "not", "unnamed"),) * 2) * 2,
    (
        ("open", "is", "unnamed"),
        ("open", "not", "unnamed"),
        *(("only", "is", "elsewhere"), ("only", "not", "elsewhere")) * 3,
    ),
    (("open", "not", "named"), ("only", "not", "named"), *(("only", "is", "unnamed"),) * 2) * 2,
)


def draw_inference(draw: Draw) -> list[InferenceRow]:
    """Return one row for each uid of `draw`."""
    label, case = draw.integers("label", len(LABELS["inference"])), draw.integers("case", 8)
    premise, hypothesis, noun = (draw.integers(part, 2) for part in ("premise", "hypothesis", "noun"))
    rows = []
    for row, words in enumerate(draw_words(draw)):
        openness, claim, about = _CASES[label[row]][case[row]]
        named = {"0": words[str(noun[row])]}
        changed = {"named": named, "unnamed": {"0": words["2"]}, "elsewhere": {**named, "city": words["city2"]}}
        first = fill_template("premise", f"{openness}_{('list', 'words')[premise[row]]}", words)
        second = fill_template(
            "hypothesis", f"{claim}_{('list', 'word')[hypothesis[row]]}", {**words, **changed[about]}
        )
        rows.append(InferenceRow(first, second, int(label[row])))
    return rows


_ENTITY_OF_SLOT = {"person": "PER", "person2": "PER", "company": "ORG", "city": "LOC", "city2": "LOC"}


@final
@dataclass(frozen=True)
class EntityRow:
    """Tokens with the names of people, organisations and places marked, as the sentence's slots say."""

    sentence: Sentence

    def in_language(self, language: str) -> dict[str, Any]:
        """Return the row in a language."""
        tags, before = [], ""
        tokens = self.sentence.tokens(language)
        for _, slot in tokens:
            entity = _ENTITY_OF_SLOT.get(slot)
            tags.append(f"{'I' if slot == before else 'B'}-{entity}" if entity else "O")
            before = slot
        return {"tokens": [token for token, _ in tokens], "ner_tags": [LABELS["entities"].index(tag) for tag in tags]}


def draw_entities(draw: Draw) -> list[EntityRow]:
    """Return one row for each uid of `draw`."""
    names = list(lexicon().templates["entities"])
    chosen = draw.integers("template", len(names))
    words = draw_words(draw)
    return [EntityRow(fill_template("entities", names[name], slots)) for name, slots in zip(chosen, words, strict=True)]


@final
@dataclass(frozen=True)
class QuestionRow:
    """Four sentences about two people, and a question that one of them answers.

    The sentence `context[evidence]` holds the answer to `question` in its slot `slot`.
    """

    context: tuple[Sentence, ...]
    question: Sentence
    evidence: int
    slot: str

    def in_language(self, language: str) -> dict[str, Any]:
        """Return the row in a language; the id is a hash of the meaning, so all languages have the same."""
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


def draw_questions(draw: Draw) -> list[QuestionRow]:
    """Return one row for each uid of `draw`; a question's template is named for the slot that answers it."""
    names = list(lexicon().templates["question"])
    chosen, who = draw.integers("question", len(names)), draw.integers("who", 2)
    orders = draw_permutations(draw, "context", 4).tolist()
    rows = []
    for row, words in enumerate(draw_words(draw)):
        people = (words, _second_person(words))
        templates = (("entities", "works"), ("context", "likes"))
        facts = [fill_template(*template, person) for person in people for template in templates]
        slot = names[chosen[row]]
        evidence = 2 * int(who[row]) + (slot == "0")
        context = tuple(facts[place] for place in orders[row])
        question = fill_template("question", slot, people[who[row]])
        rows.append(QuestionRow(context, question, orders[row].index(evidence), slot))
    return rows


def _second_person(words: Slots) -> Slots:
    """Return a row's words with the second person, city, company and noun in the place of the first."""
    return {**words, **{slot: words[f"{slot}2"] for slot in ("person", "city", "company")}, "0": words["1"]}


@final
@dataclass(frozen=True)
class ChoiceRow:
    """Which of two sentences is the cause, or the effect, of the premise; their order makes no other row."""

    premise: Sentence
    right: Sentence
    wrong: Sentence
    label: int = field(compare=False)

    def in_language(self, language: str) -> dict[str, Any]:
        """Return the row in a language."""
        pair = [self.right.text(language), self.wrong.text(language)]
        first, second = reversed(pair) if self.label else pair
        texts = {"premise": self.premise.text(language), "choice1": first, "choice2": second}
        return {**texts, "question": self.right.kind, "label": self.label}


def draw_choices(draw: Draw) -> list[ChoiceRow]:
    """Return one row for each uid of `draw`."""
    names = list(lexicon().templates["cause"])
    stories = draw_permutations(draw, "stories", len(names)).tolist()
    forward, label = draw.integers("question", 2), draw.integers("label", 2)
    rows = []
    for row, words in enumerate(draw_words(draw)):
        given, wanted = ("cause", "effect") if forward[row] else ("effect", "cause")
        right, wrong = (names[story] for story in stories[row][:2])
        premise = fill_template(given, right, words)
        first, second = (fill_template(wanted, name, words) for name in (right, wrong))
        rows.append(ChoiceRow(premise, first, second, int(label[row])))
    return rows


@final
@dataclass(frozen=True)
class SentencePair:
    """A sentence of any kind and its English translation."""

    sentence: Sentence

    def in_language(self, language: str) -> dict[str, Any]:
        """Return the row from a language to English."""
        texts = {"source_sentence": self.sentence.text(language), "target_sentence": self.sentence.text("en")}
        return {**texts, "source_lang": language, "target_lang": "en"}


def draw_sentences(draw: Draw) -> list[SentencePair]:
    """Return one row for each uid of `draw`; each kind of template is as frequent as the others."""
    kinds = [(kind, list(names)) for kind, names in lexicon().templates.items()]
    kind, template = draw.integers("kind", len(kinds)), draw.uniform("template")
    rows = []
    for row, words in enumerate(draw_words(draw)):
        chosen, names = kinds[kind[row]]
        rows.append(SentencePair(fill_template(chosen, names[int(template[row] * len(names))], words)))
    return rows


DRAW_ROWS: Mapping[str, Callable[[Draw], Sequence[Row]]] = {
    "topics": draw_topics,
    "inference": draw_inference,
    "entities": draw_entities,
    "questions": draw_questions,
    "choices": draw_choices,
    "sentences": draw_sentences,
}
