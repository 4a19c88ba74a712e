"""Heads: what each of them can do, and which models it can score."""

import pytest

from xquality import toy
from xquality.errors import SettingError
from xquality.heads import (
    ChoiceHead,
    CountsTokens,
    GathersRows,
    GivesProbabilities,
    MaskedLMHead,
    MiningHead,
    RetrievalHead,
    SequenceHead,
    SpanHead,
    TokenHead,
    TrainableHead,
    WritesSubmissions,
)

ABILITIES = (TrainableHead, GivesProbabilities, WritesSubmissions, CountsTokens, GathersRows)


@pytest.mark.parametrize(
    ("head", "abilities"),
    [
        (toy.topics.head, {TrainableHead, GivesProbabilities, WritesSubmissions}),
        (toy.choices.head, {TrainableHead, GivesProbabilities, WritesSubmissions}),
        (toy.questions.head, {TrainableHead, GivesProbabilities, WritesSubmissions}),
        (toy.entities.head, {TrainableHead, GivesProbabilities, WritesSubmissions, CountsTokens}),
        (MaskedLMHead(), {TrainableHead, CountsTokens}),
        (toy.sentences.head, {WritesSubmissions}),
        (toy.mining.head, {WritesSubmissions, GathersRows}),
    ],
)
def test_each_head_has_its_abilities(head: object, abilities: set[type]) -> None:
    assert {ability for ability in ABILITIES if isinstance(head, ability)} == abilities


def test_a_trained_head_scores_models_with_its_own_labels() -> None:
    head = toy.topics.head
    assert head.fits(SequenceHead(("other",), head.labels).signature())
    assert not head.fits(toy.inference.head.signature())
    assert toy.sentences.head.fits(toy.inference.head.signature())


def test_a_head_is_written_without_the_metrics_that_it_has_by_default() -> None:
    assert repr(MaskedLMHead()) == "MaskedLMHead(text='text', rate=0.15)"
    assert repr(MaskedLMHead(metrics=("perplexity",))).endswith("metrics=('perplexity',))")


CLASSES = {"columns": ("text",), "labels": ("no", "yes")}
TAGS = {"labels": ("O", "B-X")}
METRICS = [("f",), ("F1",), "accuracy", (), [3], [["accuracy"]], None, ("loss",)]


@pytest.mark.parametrize("metrics", METRICS)
@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        *((SequenceHead, CLASSES), (TokenHead, TAGS), (SpanHead, {}), (ChoiceHead, {}), (MaskedLMHead, {})),
        *((RetrievalHead, {}), (MiningHead, {})),
    ],
)
def test_metrics_that_a_head_does_not_have_are_refused_where_it_is_made(kind, settings, metrics) -> None:
    with pytest.raises(SettingError, match=f"{kind.__name__}.metrics="):
        kind(**settings, metrics=metrics)


def test_no_classification_head_has_the_f1_of_tags() -> None:
    with pytest.raises(SettingError, match="'accuracy', 'macro_f1'"):
        SequenceHead(**CLASSES, metrics=("f1",))


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        *(
            (SequenceHead, {**CLASSES, "columns": wrong})
            for wrong in ("text", (), ("a", "b", "c"), ("a", "a"), ("label",))
        ),
        *((SequenceHead, {**CLASSES, "labels": wrong}) for wrong in ("ab", (), ("a",), ("a", "a"), (1, 2), {"a": 0})),
        *((TokenHead, {"labels": wrong}) for wrong in ("OX", ("O",), ("O", "O"), (0, 1))),
        *((TokenHead, {**TAGS, **wrong}) for wrong in ({"tokens": ("a",)}, {"tokens": "x", "tags": "x"})),
        *(
            (SpanHead, wrong)
            for wrong in ({"context": "x", "question": "x"}, {"question": "answers"}, {"n_best": True})
        ),
        *((ChoiceHead, {"options": wrong}) for wrong in ((), ("a",), ("a", "a"), 3, ("context", "b"), "label")),
        *((ChoiceHead, wrong) for wrong in ({"context": "x", "question": "x"}, {"label": "context"})),
        *((RetrievalHead, wrong) for wrong in ({"source": "x", "target": "x"}, {"layers": []}, {"layers": [1.5]})),
        *(
            (MiningHead, {"heaps": wrong})
            for wrong in ("abc", ("a", "b"), ("a", "a", "b"), ("{x}", "b", "c"), ("{", "b", "c"))
        ),
    ],
)
def test_settings_that_name_the_wrong_columns_or_classes_are_refused_where_a_head_is_made(kind, settings) -> None:
    with pytest.raises(SettingError, match=kind.__name__):
        kind(**settings)
