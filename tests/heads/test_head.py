"""Heads: what each of them can do, and which models it can score."""

import pytest

from xquality import toy
from xquality.heads import (
    CountsTokens,
    GathersRows,
    GivesProbabilities,
    MaskedLMHead,
    SequenceHead,
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
