"""Mix: rows of another version, by uid, kept apart where the versions agree; a dataset as a setting."""

import copy
import dataclasses
import math
from pathlib import Path

import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, List, Value
from hypothesis import given
from hypothesis import strategies as st

import xquality as xq
from xquality import toy
from xquality.data.provenance import origins
from xquality.errors import (
    ColumnError,
    DataKindError,
    RateWarning,
    SerialisationError,
    SettingError,
    StreamError,
    UidError,
)
from xquality.train import Stage
from xquality.transforms.mix import DatasetSetting

FEATURES = Features(
    {
        "text": Value("string"),
        "tokens": List(Value("string")),
        "answers": {"text": List(Value("string")), "answer_start": List(Value("int32"))},
        "score": Value("float64"),
        "label": ClassLabel(names=["a", "b"]),
        "uid": Value("int64"),
    }
)


def version(word: str, count: int = 40, **columns: list) -> Dataset:
    made = {
        "text": [f"{word} {row}" for row in range(count)],
        "tokens": [[word, str(row)] for row in range(count)],
        "answers": [{"text": [word], "answer_start": [row]} for row in range(count)],
        "score": [math.nan if row % 5 == 0 else float(len(word)) for row in range(count)],
        "label": [row % 2 for row in range(count)],
        "uid": [row * 3 for row in range(count)],
    }
    return Dataset.from_dict({**made, **columns}, features=FEATURES)


HUMAN, MACHINE = version("cat"), version("feline")


@given(st.integers(0, 40), st.floats(0, 1), st.integers(0, 2**40))
def test_the_share_of_the_rows_is_replaced_whole(count: int, rate: float, seed: int) -> None:
    data = HUMAN.select(range(count))
    if rate > 0 and count and not round(rate * count):
        with pytest.warns(RateWarning):
            mixed = xq.Mix(MACHINE, rate)(data, seed=seed)
    else:
        mixed = xq.Mix(MACHINE, rate)(data, seed=seed)
    taken = [row["text"].startswith("feline") for row in mixed]
    assert sum(taken) == round(rate * count)
    for row, came in zip(mixed, taken, strict=True):
        place = row["uid"] // 3
        source = MACHINE if came else HUMAN
        assert [row[name] for name in ("text", "tokens", "answers", "label")] == [
            source[place][name] for name in ("text", "tokens", "answers", "label")
        ]
        assert (row["text_before"] is not None) == came
    record = xq.history(mixed)[-1]
    numbers = sum(came and row["uid"] // 3 % 5 != 0 for row, came in zip(mixed, taken, strict=True))
    assert record.changed == 3 * sum(taken) + numbers
    assert record.realised_rate == (sum(taken) / count if count else 0)


def test_first_values_are_kept_only_where_the_versions_differ() -> None:
    mixed = xq.Mix(MACHINE, 1.0)(HUMAN, seed=1)
    assert mixed.column_names == [
        *FEATURES,
        "text_before",
        "tokens_before",
        "answers_before",
        "score_before",
        "label_before",
    ]
    assert mixed["text_before"][:] == HUMAN["text"][:]
    assert mixed["label_before"][:] == [None] * 40
    assert mixed["score_before"][:5] == [None, 3.0, 3.0, 3.0, 3.0]  # NaN in both versions is no change
    assert xq.history(mixed)[-1].details["columns"] == ["text", "tokens", "answers", "score", "label"]


def test_the_rows_of_the_other_version_are_found_by_uid_wherever_they_stand() -> None:
    more = version("feline", count=60)
    turned = more.select(range(59, -1, -1))
    assert xq.digest(xq.Mix(turned, 0.5)(HUMAN, seed=1)) == xq.digest(xq.Mix(MACHINE, 0.5)(HUMAN, seed=1))
    few = HUMAN.select([7, 3, 5])
    assert xq.Mix(turned, 1.0)(few, seed=1)["text"][:] == ["feline 7", "feline 3", "feline 5"]
    names = [f"id{row}" for row in range(40)]
    human, machine = (version.remove_columns("uid").add_column("uid", names) for version in (HUMAN, MACHINE))
    assert xq.Mix(machine.select(range(39, -1, -1)), 1.0)(human, seed=1)["text"][:] == MACHINE["text"][:]


def test_rows_without_uids_are_paired_by_their_place() -> None:
    human, machine = HUMAN.remove_columns("uid"), MACHINE.remove_columns("uid")
    mixed = xq.Mix(machine, 0.5)(human, seed=1)
    assert all(row["text"].split()[1] == str(row["uid"]) for row in mixed)


def test_only_shared_columns_are_replaced() -> None:
    mixed = xq.Mix(MACHINE.select_columns(["text", "uid"]), 1.0)(HUMAN, seed=1)
    assert mixed["text"][:] == MACHINE["text"][:]
    assert mixed["tokens"][:] == HUMAN["tokens"][:]
    assert "tokens_before" not in mixed.column_names
    wider = MACHINE.add_column("origin", ["mt"] * 40)
    assert "origin" not in xq.Mix(wider, 1.0)(HUMAN, seed=1).column_names


def test_mixing_after_noise_keeps_the_first_values_of_all() -> None:
    noisy = xq.LabelNoise(0.5)(HUMAN, seed=1)
    mixed = xq.Mix(MACHINE, 0.5)(noisy, seed=1)
    first = [
        now if before is None else before for now, before in zip(mixed["label"], mixed["label_before"], strict=True)
    ]
    assert first == HUMAN["label"][:]
    again = xq.Mix(noisy, 1.0)(HUMAN, seed=1)  # first values of the other version are not taken over
    assert [first_label for first_label in again["label_before"] if first_label is not None]
    assert xq.history(again)[-1].details["columns"] == ["text", "tokens", "answers", "score", "label"]


def test_the_value_is_known_by_the_digest_of_its_rows() -> None:
    mix = xq.Mix(MACHINE, 0.3)
    assert mix == xq.Mix(MACHINE.select(range(40)), 0.3)
    assert hash(mix) == hash(xq.Mix(DatasetSetting(MACHINE), 0.3))
    assert mix != xq.Mix(HUMAN, 0.3)
    assert repr(mix) == f"Mix(other=<40 rows, digest {xq.digest(MACHINE)}>, rate=0.3, exact=True, stream=0)"
    assert dataclasses.replace(mix, rate=0.5) == xq.Mix(MACHINE, 0.5)
    assert copy.deepcopy(mix) == mix


def test_json_says_which_rows_they_were_and_does_not_give_them_back() -> None:
    described = xq.Mix(MACHINE, 0.3).to_dict()
    assert described["settings"]["other"]["digest"] == xq.digest(MACHINE)
    with pytest.raises(SerialisationError, match="but not its rows"):
        xq.from_dict(described)
    with pytest.raises(SerialisationError, match="but not its rows"):
        xq.from_dict((xq.Mix(MACHINE, 0.3) >> xq.Subsample(n=3)).to_dict())


def test_composed_twice_the_second_draws_apart() -> None:
    twice = xq.Mix(MACHINE, 0.5) >> xq.Mix(version("lion"), 0.5)
    mixed = twice(HUMAN, seed=1)
    counts = {word: sum(text.startswith(word) for text in mixed["text"]) for word in ("cat", "feline", "lion")}
    assert counts["lion"] == 20
    assert 3 < counts["cat"] < 17
    assert counts["cat"] + counts["feline"] == 20


def test_the_record_and_the_stage_know_what_was_mixed_in() -> None:
    spanish, german = toy.topics.load("es", "train"), toy.topics.load("de", "train")
    translated = xq.Subsample(n=len(german))(german, seed=1)
    mixed = (xq.Mix(translated, 0.2) >> xq.Subsample(n=60))(spanish, seed=1)
    settings = xq.history(mixed)[0].settings["other"]
    assert settings["digest"] == xq.digest(translated)
    assert [record["transform"] for record in settings["history"]] == ["Subsample"]
    assert [origin["language"] for origin in origins(mixed)] == ["es", "de"]
    assert Stage(toy.topics, mixed).languages == ("es", "de")
    joined = xq.concatenate([mixed, toy.topics.load("sw", "train")], names=["a", "b"])
    assert set(Stage(toy.topics, joined).languages) == {"es", "de", "sw"}
    assert Stage(toy.topics, xq.Mix(german, 0.0)(spanish, seed=1)).languages == ("es",)


def test_real_translations_of_the_same_sentences_can_be_mixed(real_data: Path) -> None:
    folder = real_data / "xnli"
    german, spanish = (Dataset.from_parquet(str(folder / language / "test.parquet")) for language in ("de", "es"))
    levels = [xq.Mix(german, rate)(spanish, seed=1) for rate in (0.1, 0.3)]
    few, many = ({row["uid"] for row in mixed if row["premise_before"] is not None} for mixed in levels)
    assert few < many
    assert len(few) <= 501  # rows whose premise reads the same in both languages count as replaced, not as changed
    assert len(few) > 480
    assert levels[1]["label"][:] == spanish["label"][:]  # parallel rows have one label


def test_what_cannot_be_paired_is_refused() -> None:
    with pytest.raises(UidError, match="1 of 40 are missing there, the first with the uid 0"):
        xq.Mix(MACHINE.select(range(1, 40)), 0.0)(HUMAN, seed=1)
    text = MACHINE.remove_columns("uid").add_column("uid", [str(uid) for uid in MACHINE["uid"]])
    with pytest.raises(UidError, match="integers and the other strings"):
        xq.Mix(text, 0.5)(HUMAN, seed=1)
    with pytest.raises(UidError):
        xq.Mix(MACHINE.select([0, 0]), 0.5)
    with pytest.raises(ColumnError, match="'score'"):
        xq.Mix(MACHINE.cast_column("score", Value("float32")), 0.5)(HUMAN, seed=1)
    with pytest.raises(ColumnError, match="'label'"):
        xq.Mix(MACHINE.cast_column("label", ClassLabel(names=["b", "a"])), 0.5)(HUMAN, seed=1)
    with pytest.raises(ColumnError, match="no column"):
        xq.Mix(MACHINE.select_columns(["uid"]), 0.5)(HUMAN, seed=1)
    with pytest.raises(ColumnError, match="could not be undone"):
        xq.Mix(MACHINE, 1.0)(version("cat", text=[None] * 40), seed=1)
    for wrong in (None, MACHINE.to_list(), MACHINE.to_iterable_dataset()):
        with pytest.raises(DataKindError):
            xq.Mix(wrong, 0.5)
    for settings in ({"rate": 1.5}, {"rate": "all"}, {"rate": 0.5, "exact": 1}, {"rate": 0.5, "stream": -1}):
        with pytest.raises(SettingError):
            xq.Mix(MACHINE, **settings)


def test_a_stream_is_mixed_row_by_row_and_missing_uids_are_found_there_too() -> None:
    alone = xq.Mix(MACHINE, 0.5, exact=False)
    assert (
        list(alone(HUMAN.select_columns(["text", "uid"]).to_iterable_dataset(), seed=1))
        == alone(HUMAN.select_columns(["text", "uid"]), seed=1).to_list()
    )
    with pytest.raises(StreamError, match="exact=False"):
        xq.Mix(MACHINE, 0.5)(HUMAN.to_iterable_dataset(), seed=1)
    with pytest.raises(UidError):
        list(xq.Mix(MACHINE.select([0]), 0.5, exact=False)(HUMAN.to_iterable_dataset(), seed=1))


def test_a_null_may_take_the_place_of_a_value() -> None:
    mixed = xq.Mix(version("cat", text=[None] * 40), 0.5)(HUMAN, seed=1)
    gone = [row for row in mixed if row["text"] is None]
    assert len(gone) == 20
    assert all(row["text_before"] == f"cat {row['uid'] // 3}" for row in gone)


def letters(texts: str = "abc") -> Dataset:
    return Dataset.from_dict({"text": list(texts)})


def test_a_dataset_as_a_setting_is_equal_where_the_rows_are() -> None:
    assert (
        DatasetSetting(letters())
        == DatasetSetting(xq.with_uid(letters()))
        == DatasetSetting(xq.with_uid(letters()).select([0, 1, 2]))
    )
    assert len({DatasetSetting(letters()), DatasetSetting(letters()), DatasetSetting(letters("abd"))}) == 2
    assert DatasetSetting(letters()).digest == xq.digest(xq.with_uid(letters()))
    assert repr(DatasetSetting(letters())) == f"<3 rows, digest {DatasetSetting(letters()).digest}>"


def test_a_dataset_as_a_setting_is_written_as_its_digest_and_history(spanish: Dataset) -> None:
    half = xq.Subsample(n=50)(spanish, seed=1)
    written = DatasetSetting(half).to_dict()
    assert written["digest"] == xq.digest(half)
    assert written["rows"] == 50
    assert written["origins"] == [{"task": "toy.topics", "language": "es", "split": "train"}]
    assert [record["transform"] for record in written["history"]] == ["Subsample"]


def test_only_a_dataset_with_unique_uids_is_a_setting() -> None:
    for wrong in (None, [{"text": "a"}], DatasetDict({"train": letters()}), letters().to_iterable_dataset()):
        with pytest.raises(DataKindError):
            DatasetSetting(wrong)
    with pytest.raises(SerialisationError, match="but not its rows"):
        DatasetSetting(DatasetSetting(letters()).to_dict())
    with pytest.raises(UidError):
        DatasetSetting(letters().add_column("uid", [1, 1, 2]))
