"""Deduplicate: which rows are equal, which one is kept, and what is dropped from real data."""

import json
from pathlib import Path

import pytest
from datasets import ClassLabel, Dataset, Features, Value

import xquality as xq
from xquality.errors import ColumnError, SettingError

SENTENCES = ["The cat sat on the mat.", "A dog barked all night long.", "Nobody came to the party."]


def rows(*texts: str | None, **others: list) -> Dataset:
    return Dataset.from_dict({"text": list(texts), **others})


def kept(data: Dataset, seed: int = 1, **settings) -> list:
    return xq.Deduplicate(**settings)(data, seed=seed)["text"][:]


def test_one_row_of_each_group_is_kept_in_its_position() -> None:
    data = rows("b", "a", "b", "c", "a", "b")
    left = xq.Deduplicate()(data, seed=1)
    assert sorted(left["text"]) == ["a", "b", "c"]
    assert left["uid"][:] == sorted(left["uid"])
    record = xq.history(left)[-1]
    assert record.details == {"groups": 2, "dropped": 3, "columns": ["text"]}
    assert record.realised_rate == 0.5


def test_the_row_that_is_kept_is_drawn_whatever_its_position() -> None:
    data = xq.with_uid(rows(*(str(number // 2) for number in range(2000))))
    left = xq.Deduplicate()(data, seed=1)["uid"][:]
    first = sum(uid % 2 == 0 for uid in left)
    assert len(left) == 1000
    assert abs(first - 500) < 4 * 1000**0.5 / 2
    assert xq.Deduplicate()(data.select(range(1999, -1, -1)), seed=1)["uid"][::-1] == left
    assert xq.Deduplicate()(data, seed=2)["uid"][:] != left


@pytest.mark.parametrize(
    ("text", "variant"),
    [("Caf\u00e9", "cafe\u0301"), ("STRASSE", "stra\u00dfe"), ("a  b", " a b\n"), ("\uff21\uff22", "ab"), ("", " ")],
)
def test_texts_that_differ_in_writing_only_are_equal_unless_nothing_is_respelled(text: str, variant: str) -> None:
    assert len(kept(rows(text, variant, "else"))) == 2
    assert len(kept(rows(text, variant, "else"), respell=())) == 3


def test_steps_of_respelling_act_alone() -> None:
    data = rows("A b", "a b", "a  b", "\uff41 b")
    assert len(kept(data, respell=("casefold",))) == 3
    assert len(kept(data, respell=("casefold", "spaces"))) == 2
    assert len(kept(data, respell=["nfkc", "casefold", "spaces"])) == 1


def test_rows_are_equal_if_all_named_columns_are() -> None:
    data = rows("a", "a", "a", "b", more=["x", "y", "x", "x"], number=[1, 2, 3, 4])
    assert len(kept(data)) == 3  # both columns of text, and not the numbers
    assert len(kept(data, columns=("text",))) == 2
    assert len(kept(data, columns=["more"])) == 2
    # Joined, these would be one text.
    assert len(kept(rows("ab", "a", more=["c", "bc"]))) == 2


def test_labels_do_not_count_and_first_values_are_not_read() -> None:
    features = Features({"text": Value("string"), "label": ClassLabel(names=["x", "y"])})
    data = Dataset.from_dict({"text": ["a", "a", "b", "b"], "label": [0, 1, 0, 1]}, features=features)
    noisy = xq.LabelNoise(0.5)(data, seed=1).add_column("text_before", [None, "q", "r", None])
    assert len(kept(noisy)) == 2


def test_lists_of_tokens_are_compared_if_they_are_named() -> None:
    data = Dataset.from_dict({"tokens": [["Thanks", "."], ["Thanks", "."], ["thanks", "!"]]})
    assert len(xq.Deduplicate(columns=("tokens",))(data, seed=1)) == 2
    with pytest.raises(ColumnError, match="no string column among"):
        xq.Deduplicate()(data, seed=1)


def test_near_equal_texts_form_groups_by_chains() -> None:
    first = "one two three four five six seven eight nine ten"
    second = first.replace("ten", "eleven")
    third = second.replace("one two", "zero two")
    data = rows(first, second, third, *SENTENCES)
    near = {"method": "minhash", "unit": "words", "size": 1}
    assert (
        len(kept(data, threshold=0.8, **near)) == 4
    )  # the first and third share 8 of 12 words only, but the second connects them
    assert len(kept(data.select([0, 2, 3, 4, 5]), threshold=0.8, **near)) == 5
    assert len(kept(data, threshold=0.9, **near)) == 6
    assert len(kept(rows(*SENTENCES, *SENTENCES), **near)) == 3


def test_every_column_must_be_near_equal_however_long_another_is() -> None:
    premise = " ".join(f"word{number}" for number in range(60))
    data = rows(premise, premise, premise, hypothesis=["It rains.", "It rains!", "Nobody is here."])
    assert len(kept(data, method="minhash", threshold=0.6)) == 2


def test_the_unit_is_chosen_for_each_column_and_recorded() -> None:
    long = [" ".join(f"{row}w{number}" for number in range(60)) for row in range(4)]
    left = xq.Deduplicate(method="minhash")(rows(*long, question=[*SENTENCES, "Why?"]), seed=1)
    assert xq.history(left)[-1].details["units"] == ["words", "characters"]
    fixed = xq.Deduplicate(method="minhash", unit="characters")(rows(*long), seed=1)
    assert xq.history(fixed)[-1].details["units"] == ["characters"]


def test_no_rows_and_single_rows_are_unchanged() -> None:
    for method in ("exact", "minhash"):
        assert kept(rows("a").select([]), method=method) == []
        assert kept(rows("a"), method=method) == ["a"]
        assert kept(rows("", ""), method=method) == [""]


@pytest.mark.parametrize("method", ["exact", "minhash"])
def test_rows_of_nulls_are_equal_to_no_other_row(method: str) -> None:
    data = rows(None, "a text", None, "a text", "", "")
    with pytest.warns(UserWarning, match="Deduplicate: 2 rows have no text in text, the first of them row 0; all are"):
        left = xq.Deduplicate(method=method)(data, seed=1)
    assert sorted(left["text"][:], key=str) == ["", None, None, "a text"]
    assert xq.history(left)[-1].details["without_text"] == 2
    pairs = Dataset.from_dict({"text": ["a", "a", "b"], "more": [None, None, None]}).cast_column(
        "more", Value("string")
    )
    assert len(xq.Deduplicate(method=method)(pairs, seed=1)) == 2


def test_a_stream_is_refused() -> None:
    with pytest.raises(xq.errors.StreamError, match="compares each row with all others"):
        xq.Deduplicate()(rows("a").to_iterable_dataset(), seed=1)


@pytest.mark.parametrize(
    "settings",
    [
        {"columns": "text"},
        {"columns": ()},
        {"method": "simhash"},
        {"threshold": 0},
        {"threshold": 1.1},
        {"threshold": float("nan")},
        {"respell": "nfkc"},
        {"respell": ("nfd",)},
        {"respell": ("spaces", "nfkc")},
        {"respell": ("nfkc", "nfkc")},
        {"respell": None},
        {"unit": "bytes"},
        {"size": 0},
        {"permutations": 15},
        {"stream": -1},
    ],
)
def test_invalid_settings_are_refused(settings) -> None:
    with pytest.raises(SettingError):
        xq.Deduplicate(**settings)


def test_it_survives_json_with_nothing_respelled() -> None:
    bare = xq.Deduplicate(columns=("text",), respell=())
    assert xq.from_dict(json.loads(json.dumps(bare.to_dict()))) == bare


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_repeated_sentences_of_the_english_treebank_are_dropped(real_data: Path, split: str) -> None:
    data = Dataset.from_parquet(str(real_data / "udpos" / "en" / f"{split}.parquet"))
    bare = xq.Deduplicate(columns=("tokens",), respell=())(data, seed=1)
    assert len(bare) == len({" ".join(tokens) for tokens in data["tokens"]}) < len(data)
    assert len(xq.Deduplicate(columns=("tokens",))(data, seed=1)) < len(bare)  # "THANKS ." and "Thanks ."


@pytest.mark.parametrize("language", ["amh", "cmn", "deu", "fra", "jpn", "kat", "tam", "tha"])
def test_tatoeba_has_hardly_any_duplicates_and_added_ones_are_found(real_data: Path, language: str) -> None:
    data = Dataset.from_parquet(str(real_data / "tatoeba" / language / "validation.parquet"))
    columns = ("source_sentence", "target_sentence")
    once = xq.Deduplicate(columns, method="minhash")(data, seed=1)
    assert 0.97 * len(data) < len(once) <= len(data)
    copies = once.map(lambda row: {name: f" {row[name].upper()}  " for name in columns})
    twice = xq.concatenate([once, copies], names=["once", "copies"])
    for method in ("exact", "minhash"):
        assert len(xq.Deduplicate(columns, method=method)(twice, seed=2)) == len(once)


@pytest.mark.parametrize(
    "language", ["arb_Arab", "eng_Latn", "hin_Deva", "jpn_Jpan", "swh_Latn", "tha_Thai", "zho_Hans"]
)
def test_real_sentences_with_one_character_less_are_near_equal_and_nothing_else_is(
    real_data: Path, language: str
) -> None:
    data = Dataset.from_parquet(str(real_data / "sib200" / language / "train.parquet"))
    near = xq.Deduplicate(("text",), method="minhash", threshold=0.7)
    once = near(data, seed=1)
    shorter = once.map(
        lambda row: {"text": row["text"][: len(row["text"]) // 2] + row["text"][len(row["text"]) // 2 + 1 :]}
    )
    twice = xq.concatenate([once, shorter], names=["whole", "shorter"])
    left = near(twice, seed=2)
    assert len(once) >= 0.98 * len(data)
    assert len(once) <= len(left) <= 1.02 * len(once)
    wholes = {uid.split("/")[1] for uid in left["uid"]}
    assert len(wholes) == len(once)  # one of each pair is kept
