"""Answers and tags after a translation: where they are found again, what is joined, and what becomes of lost rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import pytest
from conftest import REVERSING, SWAPPING
from datasets import ClassLabel, Dataset, Features, List, Value

import xquality as xq
from xquality import toy
from xquality.errors import LabelError, SettingError
from xquality.text.tag_schemes import TagScheme, sentence_starts
from xquality.transforms.translation.alignment import align_words
from xquality.transforms.translation.brackets import translate_in_brackets
from xquality.transforms.translation.words import join_pieces, join_tokens, split_tokens
from xquality.translators import FunctionTranslator, MarkedText, MarkedTranslation, Translator

PAIR = ("context", "question")


@final
@dataclass(frozen=True)
class WordForWord(Translator):
    """An engine with marks: it reverses the words, puts each into capitals, and loses those in `lost`."""

    lost: tuple[str, ...] = ()
    between: str = ""  # put between any two words

    @property
    def name(self) -> str:
        return "word-for-word"

    @property
    def version(self) -> str:
        return "1"

    @property
    def context_free(self) -> bool:
        return True

    @property
    def marks(self) -> bool:
        return True

    def pairs(self):
        return ()

    def supports(self, source: str, target: str) -> bool:
        return True

    def run(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        return [self._translate(MarkedText(text, ())).text for text in texts]

    def run_marked(self, texts: Sequence[MarkedText], source: str, target: str) -> list[MarkedTranslation]:
        return [self._translate(text) for text in texts]

    def _translate(self, marked: MarkedText) -> MarkedTranslation:
        text, pieces = "", [[] for _ in marked.spans]
        for start, end in reversed(split_tokens(marked.text)):
            word = marked.text[start:end]
            if text:
                text += f" {self.between} " if self.between else " "
            for number, (first, last) in enumerate(marked.spans):
                if start < last and first < end and word not in self.lost:
                    pieces[number].append((len(text), len(text) + len(word)))
            text += word.upper()
        return MarkedTranslation(text, tuple(map(tuple, pieces)))


def question_rows(contexts: Sequence[str], answers: Sequence[Sequence[str]]) -> Dataset:
    """Return rows of question answering with the answers at their first place."""
    return Dataset.from_list(
        [
            {
                "context": context,
                "question": "what?",
                "answers": {"text": list(texts), "answer_start": [context.index(text) for text in texts]},
            }
            for context, texts in zip(contexts, answers, strict=True)
        ]
    )


def tagged_rows(sentences: Sequence[tuple[str, str]], names: Sequence[str]) -> Dataset:
    """Return rows of tokens with their tags, both written with spaces."""
    features = Features({"tokens": List(Value("string")), "tags": List(ClassLabel(names=list(names)))})
    rows = [{"tokens": tokens.split(), "tags": tags.split()} for tokens, tags in sentences]
    return Dataset.from_list(rows, features=features)


def assert_at_offsets(data: Dataset) -> None:
    for row in data:
        for text, start in zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True):
            assert row["context"][start : start + len(text)] == text != ""


@pytest.mark.parametrize("engine", [SWAPPING, REVERSING, WordForWord()], ids=lambda engine: engine.name)
@pytest.mark.parametrize("language", ["en", "es", "zh", "ar"])
def test_every_answer_is_at_its_offset(engine: Translator, language: str) -> None:
    data = toy.questions.load(language, "validation")
    translated = xq.TranslateTrain(engine, language, "sw", PAIR)(data, seed=0)
    assert_at_offsets(translated)
    record = xq.history(translated)[-1]
    assert record.details["rows_lost"] == len(data) - len(translated)
    assert record.details["rows_lost"] == sum(record.details["lost"].values())
    assert len(translated) > len(data) / 2


def test_an_answer_in_several_pieces_is_joined_to_its_span() -> None:
    data = question_rows(["we saw the red car today"], [["red car"]])
    translated = xq.TranslateTrain(WordForWord(between="de"), "en", "es", PAIR)(data, seed=0)
    assert translated[0]["answers"] == {"text": ["CAR de RED"], "answer_start": [translated[0]["context"].index("CAR")]}
    assert xq.history(translated)[-1].details["followed"] == {"answers": 1, "projected": 1, "joined": 1}


@pytest.mark.parametrize(
    ("pieces", "joined"),
    [
        ([(0, 2), (9, 13)], "La casa es roja"[0:0] or None),
        ([(3, 7), (11, 15)], "casa es roja"),
        ([(11, 15), (3, 7)], "casa es roja"),
        ([], None),
        ([(2, 3)], None),
        ([(3, 8)], "casa"),
    ],
)
def test_pieces_are_joined_over_few_words(pieces, joined) -> None:
    text = "La casa es roja."
    if pieces == [(0, 2), (9, 13)]:
        text = "La. casa roja"
    span = join_pieces(text, pieces, "red house")
    assert (None if span is None else text[slice(*span)]) == joined


def test_a_part_keeps_the_punctuation_that_it_has_at_its_ends() -> None:
    assert join_pieces("el EE.UU.", [(3, 9)], "U.S.") == (3, 9)
    assert join_pieces("el coche,", [(3, 9)], "car") == (3, 8)


LOST_ROWS = (["the red car", "a dog"], [["red"], ["dog"]])


def test_a_lost_row_is_dropped_kept_or_an_error() -> None:
    data = question_rows(*LOST_ROWS)
    engine = WordForWord(lost=("red",))
    dropped = xq.TranslateTrain(engine, "en", "es", PAIR)(data, seed=0)
    assert dropped["uid"][:] == [1]
    assert xq.history(dropped)[-1].details["lost"] == {"no trace in the translation": 1}
    kept = xq.TranslateTrain(engine, "en", "es", PAIR, lost="keep_original")(data, seed=0)
    assert {name: kept[0][name] for name in data.column_names} == data[0]
    assert kept[0]["question_before"] is None
    assert kept[1]["context"] == "DOG A"
    assert xq.history(kept)[-1].details["languages"] == ["es", "en"]
    with pytest.raises(LabelError, match=r"uid 0 \(no trace in the translation\)"):
        xq.TranslateTrain(engine, "en", "es", PAIR, lost="error")(data, seed=0)


def test_rows_that_were_kept_count_as_their_own_language_too() -> None:
    data = toy.questions.load("en", "validation").select(range(20))
    stage_languages = {
        lost: xq.train.Stage(
            toy.questions, data=xq.TranslateTrain(SWAPPING, "en", "es", PAIR, lost=lost)(data, seed=0)
        ).languages
        for lost in ("drop", "keep_original")
    }
    assert stage_languages == {"drop": ("es",), "keep_original": ("es", "en")}


def test_of_several_answers_those_that_are_found_stay() -> None:
    data = question_rows(["the red car and the dog"], [["red car", "red", "dog", "car"]])
    translated = xq.TranslateTrain(WordForWord(lost=("dog",)), "en", "es", PAIR)(data, seed=0)
    assert translated[0]["answers"]["text"] == ["CAR RED"]
    assert_at_offsets(translated)


def test_rows_without_an_answer_are_translated() -> None:
    data = question_rows(["the red car", "a dog"], [[], ["dog"]])
    translated = xq.TranslateTrain(WordForWord(), "en", "es", PAIR)(data, seed=0)
    assert translated["context"][:] == ["CAR RED THE", "DOG A"]
    assert translated[0]["answers"] == {"text": [], "answer_start": []}


def test_an_answer_that_is_not_at_its_offset_is_refused() -> None:
    data = Dataset.from_list([{"context": "a dog", "answers": {"text": ["cat"], "answer_start": [2]}}])
    with pytest.raises(LabelError, match="'cat' is not at 2"):
        xq.TranslateTrain(WordForWord(), "en", "es", ("context",))(data, seed=0)


NER = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


def test_tags_of_spans_follow_their_tokens() -> None:
    data = tagged_rows([("Ana Díaz lives in Lima .", "B-PER I-PER O O B-LOC O")], NER)
    translated = xq.TranslateTrain(WordForWord(), "en", "es", ("tokens",))(data, seed=0)
    names = [NER[tag] for tag in translated[0]["tags"]]
    assert translated[0]["tokens"] == [".", "LIMA", "IN", "LIVES", "DÍAZ", "ANA"]
    assert names == ["O", "B-LOC", "O", "O", "B-PER", "I-PER"]


def in_another_order(texts, source, target):
    """A function of texts that puts what follows " lives in " first."""
    return [" is home of ".join(text.upper().split(" LIVES IN ")[::-1]) for text in texts]


def test_brackets_find_each_of_several_names() -> None:
    data = tagged_rows([("Ana Díaz lives in Lima", "B-PER I-PER O O B-LOC"), ("no names here", "O O O")], NER)
    engine = FunctionTranslator(in_another_order, "order", "1")
    translated = xq.TranslateTrain(engine, "en", "es", ("tokens",))(data, seed=0)
    assert translated[0]["tokens"] == ["LIMA", "is", "home", "of", "ANA", "DÍAZ"]
    assert [NER[tag] for tag in translated[0]["tags"]] == ["B-LOC", "O", "O", "O", "B-PER", "I-PER"]
    assert translated[1]["tags"] == [0, 0, 0]
    assert xq.history(translated)[-1].details["projection"] == "brackets"


@pytest.mark.parametrize("language", ["es", "zh", "ar", "tr"])
@pytest.mark.parametrize("engine", [SWAPPING, WordForWord()], ids=lambda engine: engine.name)
def test_tags_stay_valid(engine: Translator, language: str) -> None:
    data = toy.entities.load(language, "validation")
    translated = xq.TranslateTrain(engine, language, "en", ("tokens",))(data, seed=0)
    names = data.features["ner_tags"].feature.names
    counts = np.array([len(tags) for tags in translated["ner_tags"]])
    flat = np.array([tag for tags in translated["ner_tags"] for tag in tags])
    assert TagScheme.of(names).first_invalid(flat, sentence_starts(counts)) is None
    assert all(len(row["tokens"]) == len(row["ner_tags"]) for row in translated)
    assert len(translated) > len(data) / 2


@pytest.mark.parametrize("names", [("O", "B-X", "I-X", "E-X", "S-X"), ("O", "B-X", "I-X", "L-X", "U-X"), ("O", "I-X")])
def test_other_schemes_stay_valid(names: Sequence[str]) -> None:
    scheme = TagScheme.of(names)
    whole = [scheme.span_tags(3, "X"), [0], scheme.span_tags(1, "X")]
    features = Features({"tokens": List(Value("string")), "tags": List(ClassLabel(names=list(names)))})
    rows = {"tokens": [["a", "b", "c", "and", "d"]], "tags": [[tag for tags in whole for tag in tags]]}
    translated = xq.TranslateTrain(WordForWord(), "en", "es", ("tokens",))(
        Dataset.from_dict(rows, features=features), seed=0
    )
    assert translated[0]["tags"] == [tag for tags in reversed(whole) for tag in tags]


def test_tags_without_spans_are_one_for_each_token_by_its_source_token() -> None:
    data = tagged_rows([("she sleeps well", "PRON VERB ADV")], ("ADV", "PRON", "VERB"))
    with pytest.raises(SettingError, match="needs an alignment"):
        xq.TranslateTrain(REVERSING, "en", "es", ("tokens",))(data, seed=0)
    translated = xq.TranslateTrain(WordForWord(between="x"), "en", "es", ("tokens",))(data, seed=0)
    assert translated[0]["tokens"] == ["WELL", "x", "SLEEPS", "x", "SHE"]
    assert translated[0]["tags"] == [0, -100, 2, -100, 1]


def test_ignored_tokens_stay_ignored() -> None:
    features = Features({"tokens": List(Value("string")), "tags": List(ClassLabel(names=list(NER)))})
    data = Dataset.from_dict({"tokens": [["Ana", "in", "Lima"]], "tags": [[1, 0, -100]]}, features=features)
    translated = xq.TranslateTrain(WordForWord(), "en", "es", ("tokens",))(data, seed=0)
    assert translated[0]["tags"] == [-100, 0, 1]


def test_a_round_trip_projects_answers_and_tags_twice() -> None:
    questions = toy.questions.load("en", "validation")
    there_and_back = xq.RoundTripTranslation(WordForWord(), "en", "es", PAIR)(questions, seed=0)
    assert_at_offsets(there_and_back)
    assert len(there_and_back) == len(questions)
    for before, after in zip(questions, there_and_back, strict=True):
        assert split_words(after["answers"]["text"][0]) == split_words(before["answers"]["text"][0].upper())
    data = tagged_rows([("Ana Díaz lives in Lima .", "B-PER I-PER O O B-LOC O")], NER)
    tagged = xq.RoundTripTranslation(WordForWord(), "en", "es", ("tokens",))(data, seed=0)
    assert tagged[0]["tags"] == data[0]["tags"]
    assert tagged[0]["tokens"] == [token.upper() for token in data[0]["tokens"]]
    assert xq.data.provenance.origins(there_and_back)[0]["language"] == "en"


def split_words(text: str) -> list[str]:
    """Return the words and punctuation of a text."""
    return [text[slice(*token)] for token in split_tokens(text)]


def test_brackets_of_a_kind_that_the_text_has_not_are_used() -> None:
    def shout(texts):
        return [text.upper() for text in texts]

    (found,) = translate_in_brackets([MarkedText("a [b] red car", ((6, 9),))], shout)
    assert found == MarkedTranslation("A [B] RED CAR", (((6, 9),),))
    (lost,) = translate_in_brackets([MarkedText("[]{}«»()<> car", ((11, 14),))], shout)
    assert lost == MarkedTranslation("[]{}«»()<> CAR", ((),))


def test_full_width_brackets_are_brackets() -> None:
    (found,) = translate_in_brackets([MarkedText("a red car", ((2, 5),))], lambda texts: ["一辆【红色】汽车"])
    assert found == MarkedTranslation("一辆红色汽车", (((2, 4),),))


def test_tokens_are_written_with_ordinary_spaces() -> None:
    text, spans = join_tokens(["She", "did", "n't", "(", "yet", ")", ",", "", "say", "."])
    assert text == "She didn't (yet), say."
    assert [text[slice(*span)] for span in spans] == ["She", "did", "n't", "(", "yet", ")", ",", "", "say", "."]


def test_words_are_aligned_that_are_each_others_nearest() -> None:
    similarities = np.array([[0.9, 0.5, 0.1], [0.2, 0.8, 0.7], [0.1, 0.7, 0.3], [0.3, 0.6, 0.2]])
    assert np.argwhere(align_words(similarities, iterations=1)).tolist() == [[0, 0], [1, 1]]
    assert np.argwhere(align_words(similarities, iterations=2)).tolist() == [[0, 0], [1, 1], [1, 2], [2, 1]]
    assert not align_words(np.full((2, 3), -np.inf), iterations=2).any()
    assert align_words(np.zeros((0, 3)), iterations=2).shape == (0, 3)
