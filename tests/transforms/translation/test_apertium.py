"""TranslateTrain with the real engine, where Debian's packages are installed, on real rows with human translations."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, List

import xquality as xq
from xquality import tasks
from xquality.text.tag_schemes import TagScheme, sentence_starts
from xquality.translators import Apertium

COMMAND = "apt-get install apertium apertium-eng-spa"
HAS_ENGINE = shutil.which("apertium") is not None and Path("/usr/share/apertium/modes/eng-spa.mode").exists()
pytestmark = pytest.mark.skipif(not HAS_ENGINE, reason=f"needs Apertium: {COMMAND}")

ENGINE = Apertium(processes=2)


def test_pairs_are_translated_by_the_engine() -> None:
    data = Dataset.from_list([{"premise": "The old man bought the car.", "hypothesis": "A man has a car.", "label": 0}])
    translated = xq.TranslateTrain(ENGINE, "en", "es", ("premise", "hypothesis"))(data, seed=0)
    assert translated[0]["premise"] == "El hombre viejo compró el coche."
    assert "apertium-eng-spa" in xq.history(translated)[-1].details["engine"]


def test_names_keep_valid_tags_and_stand_where_the_engine_put_them() -> None:
    names = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    tokens, tags = "The red car of Ana Díaz is in New Zealand .", "O O O O B-PER I-PER O O B-LOC I-LOC O"
    features = {"tokens": [tokens.split()], "tags": [[names.index(tag) for tag in tags.split()]]}
    data = Dataset.from_dict(features).cast_column("tags", List(ClassLabel(names=names)))
    row = xq.TranslateTrain(ENGINE, "en", "es", ("tokens",))(data, seed=0)[0]
    tagged = [token for token, tag in zip(row["tokens"], row["tags"], strict=True) if tag]
    assert tagged == ["Ana", "Díaz", "Nueva", "Zelanda"]
    assert [names[tag] for tag in row["tags"] if tag] == ["B-PER", "I-PER", "B-LOC", "I-LOC"]


def test_answers_of_xquad_are_found_again(real_data: Path) -> None:
    english, spanish = (tasks.xquad.load(language, "validation", real_data) for language in ("en", "es"))
    english = english.select(range(0, len(english), 30))
    translated = xq.TranslateTrain(ENGINE, "en", "es", ("context",))(english, seed=0)
    human = dict(zip(spanish["uid"], spanish["answers"], strict=True))
    alike = 0
    for row in translated:
        text, start = row["answers"]["text"][0], row["answers"]["answer_start"][0]
        assert row["context"][start : start + len(text)] == text
        alike += not words(text).isdisjoint(words(human[row["uid"]]["text"][0]))
    assert len(translated) >= 0.8 * len(english)
    assert alike >= 0.8 * len(translated)  # 0.86 of 394 rows


def words(text: str) -> set[str]:
    """Return the words of a text, without punctuation around them."""
    return {word.strip(".,;:()\"'«»").casefold() for word in text.split()}


def test_tags_of_panx_stay_valid(real_data: Path) -> None:
    data = tasks.panx.load("en", "validation", real_data).select(range(40))
    translated = xq.TranslateTrain(ENGINE, "en", "es", ("tokens",))(data, seed=0)
    scheme = TagScheme.of(data.features["ner_tags"].feature.names)
    counts = np.array([len(tags) for tags in translated["ner_tags"]])
    flat = np.array([tag for tags in translated["ner_tags"] for tag in tags])
    assert scheme.first_invalid(flat, sentence_starts(counts)) is None
    assert all(len(row["tokens"]) == len(row["ner_tags"]) for row in translated)
    assert len(translated) >= 0.8 * len(data)
