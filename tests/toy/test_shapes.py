"""The shapes of the toy data: labels and answers follow from the texts, and from no part of them alone."""

import functools
import itertools
from collections import Counter

import numpy as np
import pytest
from datasets import Dataset
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from xquality.randomness import Draw
from xquality.toy import generate as module
from xquality.toy import shapes
from xquality.toy.generate import SIZES, draw_split, make_mining
from xquality.toy.lexicon import LANGUAGES, TOPICS, lexicon
from xquality.toy.sentence import Sentence
from xquality.toy.shapes import DRAW_ROWS, LABELS

generate = functools.cache(module.generate)  # the tests read the same splits again and again


def draw(start: int, stop: int) -> Draw:
    return Draw(seed=0, scope="test", stream=0, uids=np.arange(start, stop, dtype=np.uint64))


def columns(data: Dataset, *names: str) -> list[tuple[object, ...]]:
    return list(zip(*(data[name] for name in names), strict=True))


@pytest.mark.parametrize("shape", DRAW_ROWS)
def test_a_row_is_fixed_by_its_uid_alone(shape: str) -> None:
    assert DRAW_ROWS[shape](draw(3, 6)) == DRAW_ROWS[shape](draw(0, 10))[3:6]


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
    rows = shapes.draw_topics(draw(0, 2000))
    named = [
        Counter(group for slot, ((group, _), *_) in row.sentence.fill if slot.isdigit()).most_common() for row in rows
    ]
    tied = [counts for counts in named if len(counts) > 1 and counts[0][1] == counts[1][1]]
    pure = [counts for counts in named if len(counts) == 1]
    assert 0.12 < len(tied) / len(rows) < 0.18
    assert 0.07 < len(pure) / len(rows) < 0.13


def test_no_noun_is_named_twice_in_a_row() -> None:
    for row in shapes.draw_topics(draw(0, 500)):
        nouns = [words for slot, words in row.sentence.fill if slot.isdigit()]
        assert len(set(nouns)) == len(nouns)


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
    rows = shapes.draw_inference(draw(0, 3000))
    for side in ("premise", "hypothesis"):
        counts = Counter((getattr(row, side).name.split("_")[0], row.label) for row in rows)
        shares = [counts[kind, label] for kind in {kind for kind, _ in counts} for label in range(3)]
        assert len(shares) == 6
        for kind in {kind for kind, _ in counts}:
            each = [counts[kind, label] for label in range(3)]
            assert max(each) < 1.3 * min(each)


def test_entities_hold_the_same_names_in_every_language() -> None:
    def entities(language: str) -> list[Counter[int]]:
        # I-LOC is left out: a city of two words in English may be one word elsewhere.
        return [
            Counter(tag for tag in tags if tag in range(1, 6))
            for tags in generate("entities", language, "test")["ner_tags"]
        ]

    assert all(entities(language) == entities("en") for language in LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_entity_tags_are_valid_and_cover_the_names(language: str) -> None:
    persons = {word[language] for word in lexicon().words["person"]}
    seen = set()
    for row in generate("entities", language, "train"):
        tags = ["O", *(LABELS["entities"][tag] for tag in row["ner_tags"])]
        assert len(row["tokens"]) == len(row["ner_tags"])
        assert all(now[0] != "I" or before[1:] == now[1:] for before, now in itertools.pairwise(tags))
        assert [token in persons for token in row["tokens"]] == [tag.endswith("PER") for tag in tags[1:]]
        assert all(token and not any(map(str.isspace, token)) for token in row["tokens"])
        seen.update(tags)
    single_token_cities = {"ru", "zh"}  # "Сан-Диего" is hyphenated and Chinese writes one word
    assert seen == set(LABELS["entities"]) - ({"I-LOC"} if language in single_token_cities else set())


@pytest.mark.parametrize("language", ["en", "hi", "zh"])
def test_the_tokens_are_the_words_of_the_running_text(language: str) -> None:
    for row in shapes.draw_entities(draw(0, 200)):
        said = row.in_language(language)["tokens"]
        assert isinstance(said, list)
        assert "".join(said) == row.sentence.text(language).replace(" ", "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_answers_stand_where_they_are_said_to_stand(language: str) -> None:
    for split in SIZES["questions"]:
        data = generate("questions", language, split)
        assert len(set(data["id"])) == data.num_rows
        for row in data:
            (start,), (text,) = row["answers"]["answer_start"], row["answers"]["text"]
            assert text
            assert row["context"][start : start + len(text)] == text
            assert text not in row["question"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_context_is_its_sentences_and_one_of_them_alone_gives_the_answer(language: str) -> None:
    for row in shapes.draw_questions(draw(0, 100)):
        said = row.in_language(language)
        texts = [sentence.text(language) for sentence in row.context]
        assert said["context"] == ("" if language == "zh" else " ").join(texts)
        (start,) = said["answers"]["answer_start"]  # type: ignore[index]
        lengths = [len(text) + (language != "zh") for text in texts]
        assert sum(lengths[: row.evidence]) <= start < sum(lengths[: row.evidence + 1])
        asked = set(row.question.fill)
        giving = [set(sentence.fill) >= asked and row.slot in dict(sentence.fill) for sentence in row.context]
        assert [place for place, gives in enumerate(giving) if gives] == [row.evidence]


def test_the_id_is_of_the_meaning_and_not_of_the_language() -> None:
    rows = shapes.draw_questions(draw(0, 50))
    ids = [[row.in_language(language)["id"] for row in rows] for language in ("en", "ar")]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == len(set(rows))


def test_the_right_choice_belongs_to_the_premise() -> None:
    cause, effect = lexicon().templates["cause"], lexicon().templates["effect"]
    story = {
        Sentence(kind, name, (("person", ()),)).text("en").strip(): name
        for kind, templates in (("cause", cause), ("effect", effect))
        for name in templates
    }

    def told(text: str) -> str:
        (name,) = {name for rest, name in story.items() if text.endswith(rest)}
        return name

    for row in generate("choices", "en", "test"):
        choices = [told(row["choice1"]), told(row["choice2"])]
        assert choices[row["label"]] == told(row["premise"]) != choices[1 - row["label"]]


def test_causes_and_effects_are_asked_for_about_equally_in_both_places() -> None:
    rows = [row.in_language("de") for row in shapes.draw_choices(draw(0, 2000))]
    counts = Counter((row["question"], row["label"]) for row in rows)
    assert len(counts) == 4
    assert max(counts.values()) < 1.2 * min(counts.values())


def test_a_question_asks_for_the_kind_that_the_premise_is_not() -> None:
    for row in shapes.draw_choices(draw(0, 200)):
        assert {row.premise.kind, row.right.kind} == {"cause", "effect"}
        assert row.right.kind == row.wrong.kind
        assert row.right.name == row.premise.name != row.wrong.name


def test_the_order_of_the_two_makes_no_other_row() -> None:
    (row,) = shapes.draw_choices(draw(0, 1))
    turned = shapes.ChoiceRow(row.premise, row.right, row.wrong, 1 - row.label)
    assert turned == row
    first, second = row.in_language("en"), turned.in_language("en")
    assert (first["choice1"], first["choice2"]) == (second["choice2"], second["choice1"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sentences_for_alignment_hold_every_word_and_every_template(language: str) -> None:
    rows: list[Sentence] = [row.sentence for row in draw_split("sentences", "train")]  # type: ignore[attr-defined]
    text = "\n".join(generate("sentences", language, "train")["source_sentence"]).lower()
    for group in lexicon().words.values():
        assert all(word[language].replace(" ", "" if language == "zh" else " ").lower() in text for word in group)
    used = {(row.kind, row.name) for row in rows}
    assert used == {(kind, name) for kind, names in lexicon().templates.items() for name in names}
    assert {word for row in rows for _, words in row.fill for word in words} == {
        (group, place) for group, words in lexicon().words.items() for place in range(len(words))
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_for_retrieval_repeats_on_either_side(language: str) -> None:
    for column in ("source_sentence", "target_sentence"):
        said = [text for split in SIZES["sentences"] for text in generate("sentences", language, split)[column]]
        assert len(set(said)) == len(said)
    test = generate("sentences", language, "test")
    assert (set(test["source_lang"]), set(test["target_lang"])) == ({language}, {"en"})


@pytest.mark.parametrize("part", ["", "validation."])
@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_the_gold_pairs_are_all_the_translations_in_the_heaps(language: str, part: str) -> None:
    source, target, gold = (generate("mining", language, f"{part}{split}") for split in ("source", "target", "gold"))
    size, pairs_wanted = SIZES["mining"][f"{part}source"], SIZES["mining"][f"{part}gold"]
    ours, theirs = (dict(zip(heap["id"], heap["sentence"], strict=True)) for heap in (source, target))
    assert len(set(ours.values())) == len(ours) == len(theirs) == len(set(theirs.values())) == size
    pairs = columns(generate("sentences", language, "train"), "source_sentence", "target_sentence")
    assert not set(ours.values()) & {said for said, _ in pairs}
    assert not set(theirs.values()) & {said for _, said in pairs}
    reverse = {pair["target_id"]: pair["source_id"] for pair in gold}
    assert len(reverse) == pairs_wanted
    assert [int(pair["source_id"][-4:]) for pair in gold] != [int(pair["target_id"][-4:]) for pair in gold]
    person = {word["en"]: word[language] for word in lexicon().words["person"]}
    for theirs_id, ours_id in reverse.items():
        named = [person[word] for word in person if word in theirs[theirs_id].replace("?", " ").split()]
        assert all(name in ours[ours_id] for name in named)


def test_heaps_to_tune_on_hold_other_sentences() -> None:
    for side in ("source", "target"):
        one, other = (set(generate("mining", "es", f"{part}{side}")["sentence"]) for part in ("", "validation."))
        assert not one & other


def test_mining_heaps_of_all_languages_stand_in_the_same_order() -> None:
    golds = [generate("mining", language, "gold")["target_id"][:] for language in LANGUAGES if language != "en"]
    assert all(gold == golds[0] for gold in golds)


def test_what_is_known_already_is_not_mined() -> None:
    plain = make_mining("source", "es", ())
    known = shapes.draw_sentences(
        Draw(seed=0, scope="toy.mining.sentences", stream=0, uids=np.arange(50, dtype=np.uint64))
    )
    said = {row.sentence.text("es") for row in known}
    assert said & {row["sentence"] for row in plain}
    assert not said & {row["sentence"] for row in make_mining("source", "es", known)}
