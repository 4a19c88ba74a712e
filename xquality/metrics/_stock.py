"""The metrics that heads report unless they are given others, as values."""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from xquality.languages import identity
from xquality.metrics import classification, question_answering, tagging
from xquality.metrics.metric import Examples, Metric, Ratios, ratios
from xquality.metrics.retrieval import bitext_f1


def _accuracy(examples: Examples) -> Mapping[str, float]:
    return classification.accuracy(examples.predictions, examples.references)


def _correct(examples: Examples) -> Ratios:
    pairs = zip(examples.predictions, examples.references, strict=True)
    return ratios([predicted == right for predicted, right in pairs], 1)


def _macro_f1(examples: Examples) -> Mapping[str, float]:
    return classification.f1(examples.predictions, examples.references)


def _decisions(examples: Examples) -> Ratios:
    """Return one part for each class, whether it occurs or not, so that two models have equally many."""
    numbers = [np.asarray(classes, np.int64) for classes in (examples.predictions, examples.references)]
    highest = max(int(classes.max(initial=-1)) for classes in numbers)
    one_hot = np.eye(max(len(examples.labels), highest + 1))
    predicted, gold = (one_hot[classes] for classes in numbers)
    return ratios(2 * predicted * gold, predicted + gold)


def _chunk_counts(examples: Examples) -> Any:
    return tagging.chunk_counts(examples.predictions, examples.references)


def _word_counts(examples: Examples) -> Any:
    return tagging.token_counts(examples.predictions, examples.references)


def _chunk_f1(examples: Examples) -> Mapping[str, float]:
    return tagging.chunk_f1_from(examples.once(_chunk_counts))


def _chunks(examples: Examples) -> Mapping[str, Ratios]:
    both, predicted, gold = examples.once(_chunk_counts).T
    return {
        "f1": ratios(2 * both, predicted + gold),
        "precision": ratios(both, predicted),
        "recall": ratios(both, gold),
    }


def _word_accuracy(examples: Examples) -> Mapping[str, float]:
    return tagging.token_accuracy_from(examples.once(_word_counts))


def _words(examples: Examples) -> Ratios:
    return ratios(*examples.once(_word_counts).T)


def _answers(examples: Examples) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Return predictions and references by the number of the question."""
    predictions = {str(number): answer for number, answer in enumerate(examples.predictions)}
    return predictions, {str(number): answers for number, answers in enumerate(examples.references)}


def _squad(examples: Examples) -> Any:
    return question_answering.squad_each(*_answers(examples))


def _squad_v2(examples: Examples) -> Any:
    return question_answering.squad_v2_each(*_answers(examples))


def _mlqa(examples: Examples) -> Any:
    """Answers are in the language of the contexts: of "mlqa.de.en" (contexts, then questions) in "de"."""
    language = next(part for part in examples.language.split(".") if part != "mlqa")
    return question_answering.mlqa_each(*_answers(examples), identity(language))


def _answer_f1(count: Callable[[Examples], Any], examples: Examples) -> Mapping[str, float]:
    return question_answering.squad_from(examples.once(count))


def _answer_overlap(count: Callable[[Examples], Any], examples: Examples) -> Mapping[str, Ratios]:
    exact, f1, questions = examples.once(count).T
    return {"f1": ratios(f1, questions), "exact_match": ratios(exact, questions)}


def _answer_metrics(count: Callable[[Examples], Any]) -> tuple[Metric, Metric]:
    """Return F1 and exact match, given what counts both for each question."""
    function, statistics = functools.partial(_answer_f1, count), functools.partial(_answer_overlap, count)
    return Metric("f1", function, statistics), Metric("exact_match", function, statistics)


def _pair_f1(examples: Examples) -> Mapping[str, float]:
    found, gold = (
        [pair for pairs in several for pair in pairs] for several in (examples.predictions, examples.references)
    )
    return bitext_f1(found, gold)


def _pairs(examples: Examples) -> Mapping[str, Ratios]:
    found, gold = ([set(pairs) for pairs in several] for several in (examples.predictions, examples.references))
    both = np.array([len(mined & right) for mined, right in zip(found, gold, strict=True)], np.float64)
    mined, right = (np.array([len(pairs) for pairs in several], np.float64) for several in (found, gold))
    return {"f1": ratios(2 * both, mined + right), "precision": ratios(both, mined), "recall": ratios(both, right)}


def _hidden_pieces(examples: Examples) -> Any:
    """Return the sum of the losses, the pieces found and the pieces hidden, each of shape (examples,)."""
    return np.asarray(examples.predictions, np.float64).reshape(-1, 3).T


def _masked(examples: Examples) -> Mapping[str, float]:
    losses, right, hidden = examples.once(_hidden_pieces)
    total = max(1.0, float(hidden.sum()))
    return {
        "masked_accuracy": float(right.sum()) / total * 100,
        "perplexity": math.exp(min(700.0, float(losses.sum()) / total)),
    }


def _masked_found(examples: Examples) -> Ratios:
    _, right, hidden = examples.once(_hidden_pieces)
    return ratios(right, hidden)


ACCURACY = Metric("accuracy", _accuracy, _correct)
MACRO_F1 = Metric("macro_f1", _macro_f1, _decisions)

CHUNK_F1, CHUNK_PRECISION, CHUNK_RECALL = (Metric(name, _chunk_f1, _chunks) for name in ("f1", "precision", "recall"))
WORD_ACCURACY = Metric("accuracy", _word_accuracy, _words)

SQUAD = _answer_metrics(_squad)
SQUAD_V2 = _answer_metrics(_squad_v2)
MLQA = _answer_metrics(_mlqa)

MINED_PAIRS = tuple(Metric(name, _pair_f1, _pairs) for name in ("f1", "precision", "recall"))

MASKED_ACCURACY = Metric("masked_accuracy", _masked, _masked_found)
PERPLEXITY = Metric("perplexity", _masked, higher_is_better=False, range=(1.0, math.inf))
