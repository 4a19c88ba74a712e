"""BUCC on real rows, and on mining sets of the same form."""

import dataclasses
from pathlib import Path

import pytest
from datasets import Features, Value

from xquality.tasks import bucc


def test_the_pairs_are_those_of_the_heaps(real_data: Path) -> None:
    gold, source, target = (bucc.load("zh", f"validation{one}", real_data) for one in ("", ".source", ".target"))
    assert (len(gold), len(source), len(target)) == (257, 8624, 13589)
    text = Value("string")
    names = ("source_id", "target_id", "source_sentence", "target_sentence")
    assert gold.features == Features({**dict.fromkeys(names, text), "uid": Value("int64")})
    assert (
        source.features
        == target.features
        == Features({"id": text, "sentence": text, "lang": text, "uid": Value("int64")})
    )
    heaps = [dict(zip(one["id"], one["sentence"], strict=True)) for one in (source, target)]
    for row in gold:
        assert heaps[0][row["source_id"]] == row["source_sentence"]
        assert heaps[1][row["target_id"]] == row["target_sentence"]
    assert gold["uid"][:] == list(range(257))


@pytest.mark.parametrize(("language", "pairs", "heap"), [("de", 300, 650), ("he", 299, 648), ("sw", 116, 252)])
def test_other_mining_sets_of_the_same_form_are_read_too(language: str, pairs: int, heap: int, real_data: Path) -> None:
    source = dataclasses.replace(bucc.source, folder="bucc_from_tatoeba/{language}-en")
    made = dataclasses.replace(bucc, name="mined", languages=("de", "fr", "he", "ru", "sw", "zh"), source=source)
    assert len(made.load(language, "validation", real_data)) == pairs
    assert [len(made.load(language, f"validation.{one}", real_data)) for one in ("source", "target")] == [heap] * 2


def test_the_task_has_the_four_languages_of_xtreme() -> None:
    assert bucc.languages == ("de", "fr", "ru", "zh")
    assert bucc.train_languages == ()
