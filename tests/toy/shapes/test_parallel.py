"""Sentences and mining: pairs that mean the same, and heaps whose only translations are the gold pairs."""

import functools

import numpy as np
import pytest
from datasets import Dataset

from xquality.toy import generate as module
from xquality.toy.generate import LANGUAGES, SIZES
from xquality.toy.lexicon import lexicon
from xquality.toy.sentence import Sentence
from xquality.toy.shapes import parallel
from xquality.transforms import Draw

generate = functools.cache(module.generate)  # the tests read the same splits again and again


def columns(data: Dataset, *names: str) -> list[tuple[object, ...]]:
    return list(zip(*(data[name] for name in names), strict=True))


def draw(start: int, stop: int) -> Draw:
    return Draw(seed=0, scope="test", stream=0, uids=np.arange(start, stop, dtype=np.uint64))


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
    plain = parallel.mine("source", "es", ())
    known = parallel.plan(Draw(seed=0, scope="toy.mining.sentences", stream=0, uids=np.arange(50, dtype=np.uint64)))
    said = {row.sentence.text("es") for row in known}
    assert said & {row["sentence"] for row in plain}
    assert not said & {row["sentence"] for row in parallel.mine("source", "es", known)}


def test_a_row_is_fixed_by_its_uid_alone() -> None:
    assert parallel.plan(draw(3, 6)) == parallel.plan(draw(0, 10))[3:6]
