"""XNLI on real rows."""

from collections import Counter
from pathlib import Path

import pytest

import xquality as xq
from xquality.errors import SourceError
from xquality.tasks import xnli


@pytest.mark.parametrize(("split", "rows"), [("validation", 2490), ("test", 5010)])
def test_row_i_is_one_example_in_every_language(split: str, rows: int, real_data: Path) -> None:
    english = xnli.load("en", split, real_data)
    assert english["uid"][:] == list(range(rows))
    assert set(Counter(english["label"]).values()) == {rows // 3}
    assert english.features["label"].names == ["entailment", "neutral", "contradiction"]
    for language in ("ar", "sw", "zh"):
        other = xnli.load(language, split, real_data)
        assert other["label"][:] == english["label"][:]
        assert other["uid"][:] == english["uid"][:]
        assert (
            sum(premise != translated for premise, translated in zip(other["premise"], english["premise"], strict=True))
            > 0.99 * rows
        )


def test_the_labels_mean_what_they_say(real_data: Path) -> None:
    rows = xnli.load("de", "test", real_data)
    assert rows[0]["hypothesis"] == "Ich habe nicht wieder mit ihm gesprochen."
    assert rows.features["label"].int2str(rows[0]["label"]) == "contradiction"


def test_parallel_languages_keep_and_change_the_same_rows(real_data: Path) -> None:
    spoil = xq.LabelNoise(rate=0.2) >> xq.Subsample(fraction=0.1)
    german, thai = (spoil(xnli.load(language, "validation", real_data), seed=1) for language in ("de", "th"))
    assert german["uid"][:] == thai["uid"][:]
    assert german["label"][:] == thai["label"][:]
    assert german["label_before"][:] == thai["label_before"][:]


def test_the_environment_names_the_folder(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XQUALITY_DATA", str(real_data))
    assert xq.digest(xnli.load("ru", "test")) == xq.digest(xnli.load("ru", "test", real_data))


def test_training_rows_are_read_in_the_source_language(real_data: Path) -> None:
    assert len(xnli.load(xnli.source_language, "train", real_data)) == 6000
    with pytest.raises(SourceError, match="no split 'train'"):
        xnli.load("sw", "train", real_data)


def test_the_task_has_the_fifteen_languages_of_the_paper() -> None:
    assert len(set(xnli.languages)) == 15
    assert "Conneau" in xnli.citation
