"""Topics: the text fixes the label, and a bag of words learns most of it from enough rows."""

import functools
from collections import Counter

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from xquality.toy import generate as module
from xquality.toy.generate import LANGUAGES, TOPICS
from xquality.toy.lexicon import lexicon
from xquality.toy.shapes import topics
from xquality.transforms import Draw

generate = functools.cache(module.generate)  # the tests read the same splits again and again


def draw(start: int, stop: int) -> Draw:
    return Draw(seed=0, scope="test", stream=0, uids=np.arange(start, stop, dtype=np.uint64))


def test_the_translations_are_those_of_the_lexicon() -> None:
    row = {language: generate("topics", language, "train")[0] for language in LANGUAGES}
    assert row["en"]["text"] == "This morning the notes mentioned flute, beach and storm."
    assert row["de"]["text"] == "Heute Morgen standen in den Notizen Fl\u00f6te, Strand und Sturm."
    assert row["sw"]["text"] == "Leo asubuhi maelezo yalitaja filimbi, ufukwe na dhoruba."
    assert row["en"]["label"] == TOPICS.index("music")


def test_the_label_of_a_topic_row_follows_from_its_text() -> None:
    topic_of = {word["en"]: TOPICS.index(topic) for topic in TOPICS for word in lexicon().words[topic]}
    for row in generate("topics", "en", "test"):
        words = row["text"].rstrip(".").replace(",", " ").split()
        named = [topic_of[word] for word in words if word in topic_of]
        assert len(named) in (3, 4)
        assert Counter(named).most_common(1)[0][0] == row["label"]  # ties go to the first named


@pytest.mark.parametrize("language", ["en", "tr", "ar"])
def test_a_bag_of_words_learns_topics_from_all_rows_and_less_from_a_tenth(language: str) -> None:
    train, test = generate("topics", language, "train"), generate("topics", language, "test")

    def accuracy(rows: int) -> float:
        probe = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000))
        probe.fit(train["text"][:rows], train["label"][:rows])
        return float(probe.score(test["text"], test["label"]))

    assert 0.85 < accuracy(1000) < 0.95
    assert 0.25 < accuracy(100) < accuracy(300) - 0.1 < accuracy(1000) - 0.1


def test_some_rows_are_decided_by_the_order_of_words_alone_and_some_name_one_topic_only() -> None:
    rows = topics.plan(draw(0, 2000))
    named = [
        Counter(group for slot, ((group, _), *_) in row.sentence.fill if slot.isdigit()).most_common() for row in rows
    ]
    tied = [counts for counts in named if len(counts) > 1 and counts[0][1] == counts[1][1]]
    pure = [counts for counts in named if len(counts) == 1]
    assert 0.12 < len(tied) / len(rows) < 0.18
    assert 0.07 < len(pure) / len(rows) < 0.13


def test_no_noun_is_named_twice_in_a_row() -> None:
    for row in topics.plan(draw(0, 500)):
        nouns = [words for slot, words in row.sentence.fill if slot.isdigit()]
        assert len(set(nouns)) == len(nouns)


def test_a_row_is_fixed_by_its_uid_alone() -> None:
    assert topics.plan(draw(3, 6)) == topics.plan(draw(0, 10))[3:6]
