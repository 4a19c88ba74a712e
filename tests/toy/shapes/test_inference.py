"""Inference: the label follows from the two sentences together, and from neither alone."""

import functools
from collections import Counter

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from xquality.toy import generate as module
from xquality.toy.generate import LABELS, SIZES, TOPICS
from xquality.toy.lexicon import lexicon
from xquality.toy.shapes import inference
from xquality.transforms import Draw

generate = functools.cache(module.generate)  # the tests read the same splits again and again


def draw(start: int, stop: int) -> Draw:
    return Draw(seed=0, scope="test", stream=0, uids=np.arange(start, stop, dtype=np.uint64))


@pytest.mark.parametrize("column", ["premise", "hypothesis"])
def test_one_sentence_of_inference_does_not_give_the_label_away(column: str) -> None:
    train, test = generate("inference", "en", "train"), generate("inference", "en", "test")
    probe = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000)).fit(train[column], train["label"])
    assert probe.score(test[column], test["label"]) < 0.5


@pytest.mark.parametrize("split", SIZES["inference"])
def test_inference_labels_follow_from_the_lists(split: str) -> None:
    nouns = {word["en"] for topic in TOPICS for word in lexicon().words[topic]}
    cities = [word["en"] for word in lexicon().words["city"]]
    for row in generate("inference", "en", split):
        listed, (claimed,) = (
            [word for word in row[side].rstrip(".").split() if word in nouns] for side in ("premise", "hypothesis")
        )
        place, other = ([city for city in cities if city in row[side]] for side in ("premise", "hypothesis"))
        if place != other or (claimed not in listed and "only" not in row["premise"].lower()):
            expected = "neutral"
        else:
            agrees = (claimed in listed) == (" not " not in row["hypothesis"])
            expected = "entailment" if agrees else "contradiction"
        assert LABELS["inference"][row["label"]] == expected


def test_every_kind_of_premise_and_of_claim_is_as_frequent_with_every_label() -> None:
    rows = inference.plan(draw(0, 3000))
    for side in ("premise", "hypothesis"):
        counts = Counter((getattr(row, side).name.split("_")[0], row.label) for row in rows)
        shares = [counts[kind, label] for kind in {kind for kind, _ in counts} for label in range(3)]
        assert len(shares) == 6
        for kind in {kind for kind, _ in counts}:
            each = [counts[kind, label] for label in range(3)]
            assert max(each) < 1.3 * min(each)


def test_a_row_is_fixed_by_its_uid_alone() -> None:
    assert inference.plan(draw(3, 6)) == inference.plan(draw(0, 10))[3:6]
