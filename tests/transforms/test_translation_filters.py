"""Filters for translated data: words that were not translated, and sides that do not mean the same."""

from pathlib import Path

import pytest
from datasets import Dataset, Features, List, Value

import xquality as xq
from xquality import toy
from xquality.errors import ColumnError, ModelError, SettingError, XqualityError
from xquality.transforms import SimilarityFilter, UntranslatedFilter
from xquality.translators import FunctionTranslator


def rows(pairs: list[tuple[str | None, str | None]]) -> Dataset:
    columns = {"text": [text for text, _ in pairs], "text_before": [before for _, before in pairs]}
    return Dataset.from_dict(columns, features=Features(dict.fromkeys(columns, Value("string"))))


def parallel(count: int = 80) -> Dataset:
    data = toy.sentences.load("es", "train").select(range(count))
    return rows(list(zip(data["source_sentence"], data["target_sentence"], strict=True)))


@pytest.mark.parametrize(
    ("text", "before", "share"),
    [
        ("El perro de Ana duerme", "Ana's dog sleeps", 0.0),
        ("El perro de Ana duerme", "The dog of Ana sleeps", 1 / 5),
        ("THE «dog» de Ana", "The dog of Ana", 3 / 4),
        ("12 34 56 perros", "12 34 56 dogs", 0.0),
        ("123 45", "123 45", 0.0),
        ("犬が寝る", "犬", 1 / 4),
        ("a a a b", "a", 3 / 4),
    ],
)
def test_the_share_is_that_of_the_translations_words(text: str, before: str, share: float) -> None:
    data = rows([(text, before)])
    assert len(UntranslatedFilter(maximum=share)(data, seed=1)) == 1
    if share:
        assert len(UntranslatedFilter(maximum=share - 0.01)(data, seed=1)) == 0


def test_a_text_without_a_first_value_is_as_it_was() -> None:
    data = rows([("The dog", None), ("The dog", "The dog"), (None, None), ("1 : 2", None), ("El perro", "The dog")])
    filtered = UntranslatedFilter()(data, seed=1)
    assert filtered["uid"][:] == [2, 3, 4]
    assert xq.history(filtered)[-1].details["untranslated"] == {"text": 2}


def test_lists_of_tokens_are_read_too() -> None:
    features = Features(dict.fromkeys(("tokens", "tokens_before"), List(Value("string"))))
    columns = {"tokens": [["el", "perro"], ["the", "dog"]], "tokens_before": [["the", "dog"]] * 2}
    data = Dataset.from_dict(columns, features=features)
    assert UntranslatedFilter(columns=("tokens",))(data, seed=1)["uid"][:] == [0]


def test_the_source_text_is_named_where_it_is_missing(encoder: Path) -> None:
    data = rows([("a", "b")]).remove_columns("text_before")
    for filtering in (UntranslatedFilter(), SimilarityFilter(encoder)):
        with pytest.raises(ColumnError, match="'text_before', which TranslateTrain leaves"):
            filtering(data, seed=1)
        with pytest.raises(ColumnError, match="other"):
            type(filtering)(*([encoder] if isinstance(filtering, SimilarityFilter) else []), columns=("other",))(
                data, seed=1
            )


def test_pairs_that_are_no_translations_are_dropped_first(encoder: Path) -> None:
    data = parallel()
    texts = data["text"][:]
    mixed = rows(
        [
            (texts[(place + 31) % 80] if place % 4 == 0 else text, before)
            for place, (text, before) in enumerate(zip(texts, data["text_before"], strict=True))
        ]
    )
    wrong = {place for place in range(80) if place % 4 == 0}
    filtered = SimilarityFilter(encoder, keep=0.75)(mixed, seed=1)
    kept = set(filtered["uid"][:])
    assert len(kept) == 60
    assert len(wrong - kept) >= 15  # of 20; 5 would be dropped by chance
    record = xq.history(filtered)[-1]
    assert len(record.details["encoder"]) == 32
    assert -1 <= record.details["lowest_similarity"] <= 1


def test_shares_nest(encoder: Path) -> None:
    data = parallel(40)
    kept = [set(SimilarityFilter(encoder, keep=keep)(data, seed=1)["uid"][:]) for keep in (0.0, 0.3, 0.6, 1.0)]
    assert [len(rows) for rows in kept] == [0, 12, 24, 40]
    assert kept[0] < kept[1] < kept[2] < kept[3]
    unchanged = rows([("a text that is as it was", None), *zip(data["text"], data["text_before"], strict=True)])
    assert SimilarityFilter(encoder, keep=1 / 41)(unchanged, seed=1)["uid"][:] == [0]


def test_what_cannot_be_filtered_is_refused(encoder: Path) -> None:
    for keep in (-0.1, 1.1, float("nan")):
        with pytest.raises(SettingError):
            SimilarityFilter(encoder, keep=keep)
    for settings in ({"max_length": 1}, {"columns": "text"}, {"layer": "last"}):
        with pytest.raises(SettingError):
            SimilarityFilter(encoder, **settings)
    with pytest.raises(SettingError):
        UntranslatedFilter(maximum=2)
    with pytest.raises(ModelError):
        SimilarityFilter("no such encoder")(parallel(9), seed=1)
    with pytest.raises(ModelError, match="SimilarityFilter reads layer 99"):
        SimilarityFilter(encoder, layer=99)(parallel(9), seed=1)
    with pytest.raises(XqualityError):
        SimilarityFilter(encoder, keep=0.5)(parallel(9).to_iterable_dataset(), seed=1)


def test_machine_rows_are_filtered_and_then_mixed_with_human_ones() -> None:
    human = xq.with_uid(parallel(20).remove_columns("text_before"))
    english = xq.with_uid(parallel(20).select_columns("text_before").rename_column("text_before", "text"))

    def translate(texts, source, target):
        return [text if "a" in text[:9] else f"Hoy {place} no" for place, text in enumerate(texts)]

    machine = xq.TranslateTrain(FunctionTranslator(translate, "copying", "1"), "en", "es")(english, seed=1)
    filtered = UntranslatedFilter()(machine, seed=1)
    assert 0 < len(filtered) < 20
    assert all(text.startswith("Hoy") for text in filtered["text"])
    common = set(filtered["uid"])
    matching = human.filter(lambda row: row["uid"] in common)
    mixed = xq.Mix(filtered, rate=0.5)(matching, seed=1)
    assert sum(text.startswith("Hoy") for text in mixed["text"]) == round(len(common) / 2)
    ratio = xq.LengthRatioFilter(columns=("text_before", "text"), maximum=1.5)(machine, seed=1)
    assert all(
        len(before or "") <= 1.5 * len(text) for before, text in zip(ratio["text_before"], ratio["text"], strict=True)
    )
