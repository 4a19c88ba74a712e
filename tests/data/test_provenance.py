"""The history and the origin of a dataset: kept by what the datasets library does, and by every transform."""

from collections.abc import Callable
from pathlib import Path

import pytest
from datasets import Dataset, DatasetDict, concatenate_datasets, load_from_disk
from recorded_rows import OWN, RECORDS, data

import xquality as xq
from xquality.data.provenance import history, make_description, origins, user_description, with_history, with_origin
from xquality.errors import DamagedError, DataKindError
from xquality.records import Record


def saved(folder: Path) -> Dataset:
    data().save_to_disk(str(folder / "saved"))
    return load_from_disk(str(folder / "saved"))


KEEPS: dict[str, Callable[[Dataset], Dataset]] = {
    "select": lambda rows: rows.select([3, 1]),
    "shuffle": lambda rows: rows.shuffle(seed=1),
    "sort": lambda rows: rows.sort("text", reverse=True),
    "filter": lambda rows: rows.filter(lambda row: row["label"] == 1),
    "map": lambda rows: rows.map(lambda row: {"text": row["text"] * 2}),
    "map that removes columns": lambda rows: rows.map(lambda _: {"new": 1}, remove_columns=["text", "label"]),
    "rename_column": lambda rows: rows.rename_column("text", "texts"),
    "remove_columns": lambda rows: rows.remove_columns("label"),
    "add_column": lambda rows: rows.add_column("more", list(range(6))),
    "cast_column": lambda rows: rows.class_encode_column("label"),
    "with_format": lambda rows: rows.with_format("numpy"),
    "flatten_indices": lambda rows: rows.select([1, 0]).flatten_indices(),
    "train_test_split": lambda rows: rows.train_test_split(0.5, seed=1)["train"],
    "concatenate_datasets": lambda rows: concatenate_datasets([rows.select([0]), rows.select([1])]),
}


@pytest.mark.filterwarnings("ignore:Specifying null_placement:FutureWarning")  # what sort in datasets asks of pyarrow
@pytest.mark.parametrize("how", KEEPS)
def test_the_history_survives_what_the_datasets_library_does(how: str) -> None:
    assert history(KEEPS[how](data())) == RECORDS


def test_the_history_survives_saving_to_disk(tmp_path: Path) -> None:
    assert history(saved(tmp_path)) == RECORDS
    saved(tmp_path).select([1, 3]).save_to_disk(str(tmp_path / "again"))
    assert history(load_from_disk(str(tmp_path / "again"))) == RECORDS


def test_concatenating_two_histories_keeps_both() -> None:
    plain = Dataset.from_dict({"text": ["x"], "label": [0]})
    other = (Record("Other"),)
    assert history(concatenate_datasets([data(), with_history(plain, other)])) == (*RECORDS, *other)
    assert history(concatenate_datasets([plain, data()])) == RECORDS


def test_data_without_a_history_have_an_empty_one() -> None:
    plain = Dataset.from_dict({"text": ["a"]})
    assert history(plain) == ()
    plain.info.description = None
    assert history(plain) == ()


def test_a_description_of_the_users_own_is_kept_through_every_transform() -> None:
    described = data(OWN)
    assert described.info.description.startswith(OWN + "\n\n")
    again = xq.Subsample(n=2)(with_history(described, ()), seed=0)
    assert again.info.description.startswith(OWN + "\n\n")
    assert [record.transform for record in history(again)] == ["Subsample"]
    assert again.info.description.count("xquality-history") == 1


def test_the_user_description_leaves_out_the_records() -> None:
    from xquality.data.provenance import with_origin

    described = with_origin(data(OWN), "task", "es", "train")
    assert user_description(described) == OWN
    assert user_description(data()) == user_description(Dataset.from_dict({"text": ["a"]})) == ""


def test_describing_twice_replaces_the_records() -> None:
    once = make_description(OWN, RECORDS)
    assert make_description(once, RECORDS) == once
    assert len(once.split("\n")) == len(OWN.split("\n")) + 2
    assert make_description(None, RECORDS) == make_description("", RECORDS)


def test_only_the_last_record_has_the_digest_of_its_rows() -> None:
    first, last = history(data())
    assert first.digest is None
    assert last.digest == xq.digest(data())


def test_with_history_changes_no_row_and_leaves_its_input_as_it_is() -> None:
    before = data(OWN)
    after = with_history(before.select([2, 0]), ())
    assert after.to_list() == before.select([2, 0]).to_list()
    assert history(before) == RECORDS


@pytest.mark.parametrize("value", [None, {}, [], DatasetDict()])
def test_a_history_belongs_to_one_split(value: object) -> None:
    with pytest.raises(DataKindError, match="one split"):
        history(value)


def test_rows_carry_the_task_language_and_split_they_were_loaded_as() -> None:
    from xquality import toy
    from xquality.data.provenance import origins
    from xquality.train import Stage

    spanish = toy.topics.load("es", "train")
    spoilt = (xq.LabelNoise(0.2) >> xq.Subsample(n=50))(spanish, seed=1)
    assert origins(spoilt.shuffle(seed=1)) == [{"task": "toy.topics", "language": "es", "split": "train"}]
    assert Stage(toy.topics, spoilt).trained_language == "es"
    with pytest.warns(UserWarning, match="were loaded in es"):
        assert Stage(toy.topics, spoilt, "de").trained_language == "de+es"
    assert Stage(toy.inference, toy.inference.load("sw", "train")).trained_language == "sw"
    assert origins(Dataset.from_dict({"text": ["a"]})) == []
    both = xq.concatenate([spanish, toy.topics.load("de", "train")], names=["es", "de"])
    assert Stage(toy.topics, both).languages == ("es", "de")


def test_origins_of_rows_that_were_mixed_in_are_listed_once() -> None:
    from xquality import toy
    from xquality.data.provenance import origins

    spanish, german = toy.topics.load("es", "train"), toy.topics.load("de", "train")
    mixed = (xq.Mix(german, 0.5) >> xq.Mix(german, 0.5))(spanish, seed=1)
    assert [origin["language"] for origin in origins(mixed)] == ["es", "de"]
    joined = xq.concatenate([xq.concatenate([mixed, german], names=["a", "b"]), spanish], names=["c", "d"])
    assert [origin["language"] for origin in origins(joined)] == ["es", "de"]


def test_records_of_parts_follow_that_of_the_concatenation() -> None:
    from xquality import toy
    from xquality.data.provenance import flatten_records

    noisy = xq.LabelNoise(0.2)(toy.topics.load("es", "validation"), seed=1)
    joined = xq.concatenate([noisy, toy.topics.load("de", "validation")], names=["es", "de"])
    twice = xq.Subsample(n=9)(xq.concatenate([joined], names=["all"]), seed=1)
    names = [record.transform for record in flatten_records(history(twice))]
    assert names == ["concatenate", "concatenate", "LabelNoise", "Subsample"]


@pytest.mark.parametrize("parts", [3, None, "x", ["x"], [3], {"a": 1}])
def test_settings_and_details_of_a_users_own_are_no_parts_and_no_origins(parts: object) -> None:
    from xquality.data.provenance import flatten_records, origins

    for name in ("Split", "concatenate"):
        own = with_history(data(), [Record(name, {"parts": parts}, details={"origins": parts})])
        assert [record.transform for record in flatten_records(history(own))] == [name]
        assert origins(own) == []
        assert "parts" in xq.card(own)
        xq.Subsample(n=1)(own, seed=1)


TEXTS = [
    "xquality-history: hello",
    "xquality-history: ",
    "xquality-history: 1",
    "xquality-history: null",
    "xquality-history: [1]",
    'xquality-history: {"a": 1}',
    "xquality-history: " + "[" * 50_000,
    "xquality-history: " + "9" * 5_000,
    "xquality-origin: hello",
    "xquality-origin: []",
    'xquality-origin: {"task": "t"}',
    'xquality-origin: {"task": 1, "language": 2, "split": 3}',
    "xquality-origin: " + "[" * 50_000,
]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:40])
def test_a_line_of_the_users_that_begins_like_ours_is_the_users(text: str, tmp_path: Path) -> None:
    rows = Dataset.from_dict({"text": ["a", "b"], "label": ["x", "y"]}).class_encode_column("label")
    rows.info.description = f"Mine.\n{text}\nMore."
    rows = with_origin(rows, "task", "es", "train")
    done = xq.LabelNoise(0.5)(rows, seed=1)
    assert [record.transform for record in history(done)] == ["LabelNoise"]
    assert user_description(done) == user_description(rows) == f"Mine.\n{text}\nMore."
    assert [origin["language"] for origin in origins(done)] == ["es"]
    joined = xq.concatenate([done, done], names=["a", "b"])
    assert [record.transform for record in history(joined)] == ["concatenate"]
    assert xq.card(joined)
    assert user_description(xq.load(xq.save(joined, tmp_path / "kept"))).count(text) >= 1


def test_records_that_cannot_be_read_are_not_lost_unnoticed() -> None:
    rows = data()
    rows.info.description = rows.info.description.replace('"rate"', '"rate')
    with pytest.raises(DamagedError, match="history in the description"):
        xq.Subsample(n=1)(rows, seed=1)


def test_the_origins_of_a_stream_are_those_of_all_rows_that_may_be_in_it() -> None:
    from xquality import toy
    from xquality.data.provenance import origins

    spanish = toy.topics.load("es", "validation")
    german = xq.with_uid(toy.topics.load("de", "validation"))
    for rate, languages in ((0.3, ["de", "es"]), (0.0, ["de"])):
        mixed = xq.Mix(spanish, rate, exact=False)(german.to_iterable_dataset(), seed=1)
        assert [origin["language"] for origin in [*origins(german), *origins(mixed)]] == languages
