"""The toy datasets: parallel over languages, always the same, correct by construction, learnable but not trivial."""

import functools
import itertools
import json
from collections import Counter

import pytest
from datasets import ClassLabel, Dataset
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from xquality.errors import SourceError
from xquality.toy import generate as module
from xquality.toy.generate import LABELS, LANGUAGES, SIZES, TOPICS
from xquality.toy.lexicon import lexicon
from xquality.toy.sentence import Sentence

generate = functools.cache(module.generate)  # the tests read the same splits again and again
SHAPES = [shape for shape in SIZES if shape != "mining"]
EVERY_CALL = [
    (shape, language, split)
    for shape, splits in SIZES.items()
    for language in LANGUAGES
    for split in splits
    if (shape, language) != ("mining", "en")
]


def written(data: Dataset) -> list[str]:
    return [json.dumps({key: value for key, value in row.items() if key != "id"}) for row in data]


def columns(data: Dataset, *names: str) -> list[tuple[object, ...]]:
    return list(zip(*(data[name] for name in names), strict=True))


@pytest.mark.parametrize("shape", SIZES)
def test_every_split_has_its_size_and_its_features_in_every_language(shape: str) -> None:
    for _, language, split in (call for call in EVERY_CALL if call[0] == shape):
        data = generate(shape, language, split)
        assert data.num_rows == SIZES[shape][split]
        assert data.features == generate(shape, "sw", split).features
        assert "uid" not in data.column_names


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_row_repeats_within_or_between_splits(shape: str, language: str) -> None:
    rows = [row for split in SIZES[shape] for row in written(generate(shape, language, split))]
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize(
    ("shape", "names"),
    [
        ("topics", ["label"]),
        ("inference", ["label"]),
        ("questions", ["id"]),
        ("choices", ["label", "question"]),
    ],
)
def test_labels_and_ids_are_the_same_in_every_language(shape: str, names: list[str]) -> None:
    for split in SIZES[shape]:
        english = columns(generate(shape, "en", split), *names)
        assert all(columns(generate(shape, language, split), *names) == english for language in LANGUAGES)


def test_entities_hold_the_same_names_in_every_language() -> None:
    def entities(language: str) -> list[Counter[int]]:
        # I-LOC is left out: a city of two words in English may be one word elsewhere.
        return [
            Counter(tag for tag in tags if tag in range(1, 6))
            for tags in generate("entities", language, "test")["ner_tags"]
        ]

    assert all(entities(language) == entities("en") for language in LANGUAGES)


def test_the_translations_are_those_of_the_lexicon() -> None:
    row = {language: generate("topics", language, "train")[0] for language in LANGUAGES}
    assert row["en"]["text"] == "This morning the notes mentioned flute, beach and storm."
    assert row["de"]["text"] == "Heute Morgen standen in den Notizen Fl\u00f6te, Strand und Sturm."
    assert row["sw"]["text"] == "Leo asubuhi maelezo yalitaja filimbi, ufukwe na dhoruba."
    assert row["en"]["label"] == TOPICS.index("music")


def test_a_second_generation_from_nothing_gives_the_same_bytes() -> None:
    first = {shape: written(generate(shape, "hi", next(iter(SIZES[shape])))) for shape in SIZES}
    module._plan.cache_clear()
    assert first == {shape: written(module.generate(shape, "hi", next(iter(SIZES[shape])))) for shape in SIZES}


def test_labels_are_declared_and_all_occur_about_equally() -> None:
    for shape in ("topics", "inference", "choices"):
        data = generate(shape, "en", "train")
        assert isinstance(data.features["label"], ClassLabel)
        assert tuple(data.features["label"].names) == LABELS[shape]
        counts = Counter(data["label"])
        assert len(counts) == len(LABELS[shape])
        assert max(counts.values()) < 1.4 * min(counts.values())
    assert tuple(generate("entities", "en", "train").features["ner_tags"].feature.names) == LABELS["entities"]


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


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sentences_for_alignment_hold_every_word_and_every_template(language: str) -> None:
    rows: list[Sentence] = [row.sentence for row in module._plan("sentences", "train")]  # type: ignore[attr-defined]
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


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_the_gold_pairs_are_all_the_translations_in_the_heaps(language: str) -> None:
    source, target, gold = (generate("mining", language, split) for split in SIZES["mining"])
    ours, theirs = (dict(zip(heap["id"], heap["sentence"], strict=True)) for heap in (source, target))
    assert len(set(ours.values())) == len(ours) == len(theirs) == len(set(theirs.values())) == 350
    pairs = columns(generate("sentences", language, "train"), "source_sentence", "target_sentence")
    assert not set(ours.values()) & {said for said, _ in pairs}
    assert not set(theirs.values()) & {said for _, said in pairs}
    reverse = {pair["target_id"]: pair["source_id"] for pair in gold}
    assert len(reverse) == 150
    assert [int(pair["source_id"][-4:]) for pair in gold] != [int(pair["target_id"][-4:]) for pair in gold]
    person = {word["en"]: word[language] for word in lexicon().words["person"]}
    for theirs_id, ours_id in reverse.items():
        named = [person[word] for word in person if word in theirs[theirs_id].replace("?", " ").split()]
        assert all(name in ours[ours_id] for name in named)


def test_mining_heaps_of_all_languages_stand_in_the_same_order() -> None:
    golds = [generate("mining", language, "gold")["target_id"][:] for language in LANGUAGES if language != "en"]
    assert all(gold == golds[0] for gold in golds)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (("poems", "en", "train"), "no shape named 'poems'; choose one of topics, "),
        (("topics", "fr", "train"), "no language of topics named 'fr'; choose one of en, "),
        (("topics", "en", "dev"), "no split of topics named 'dev'; choose one of train, validation, test."),
        (("mining", "en", "gold"), "no language of mining named 'en'; choose one of es, "),
        (("mining", "de", "train"), "choose one of source, target, gold."),
    ],
)
def test_what_is_not_there_is_refused_by_name(asked: tuple[str, str, str], named: str) -> None:
    with pytest.raises(SourceError) as refused:
        generate(*asked)
    assert named in str(refused.value)
