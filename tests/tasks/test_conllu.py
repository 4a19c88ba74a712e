"""CoNLL-U is read as XTREME reads it: written words, one part of speech each; what is malformed names its line."""

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality.errors import DamagedError
from xquality.tasks.conllu import UPOS, read_conllu

Row = tuple[str, str, str, Any, str]  # id, form, part of speech, head, enhanced dependencies


def text(*rows: Row) -> str:
    return "".join(f"{one}\t{form}\t_\t{tag}\t_\t_\t{head}\tdep\t{deps}\t_\n" for one, form, tag, head, deps in rows)


def read(folder: Path, content: str | bytes, language: str = "xx") -> list[tuple[list[str], list[str]]]:
    file = folder / "xx_made-ud-dev.conllu"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_conllu(file, language)


def test_fused_words_stay_one_with_the_part_of_speech_of_the_highest_of_their_parts(tmp_path: Path) -> None:
    # "Vámonos al mar": the verb is above its pronoun; "a" and "el" hang on the noun alike, so the list decides.
    spanish = text(
        ("1-2", "Vámonos", "_", "_", "_"),
        ("1", "Vamos", "VERB", 0, "_"),
        ("2", "nos", "PRON", 1, "_"),
        ("3-4", "al", "_", "_", "_"),
        ("3", "a", "ADP", 5, "_"),
        ("4", "el", "DET", 5, "_"),
        ("5", "mar", "NOUN", 1, "_"),
    )
    assert read(tmp_path, f"# sent_id = 1\n{spanish}\n", "es") == [(["Vámonos", "al", "mar"], ["VERB", "ADP", "NOUN"])]


@pytest.mark.parametrize(
    ("language", "first", "second", "chosen"),
    [
        ("es", "ADP", "PRON", "PRON"),
        ("xx", "DET", "ADP", "ADP"),
        ("xx", "ADV", "NUM", "NUM"),
        ("it", "PRON", "ADV", "ADV"),
        ("fr", "ADV", "NOUN", "NOUN"),
        ("xx", "NOUN", "ADV", "NOUN"),
        ("it", "NOUN", "DET", "DET"),  # a part of speech that the language's list does not name comes last
        ("es", "NOUN", "PROPN", "NOUN"),  # and of two such, the first
    ],
)
def test_among_equals_the_languages_list_of_precedence_decides(
    tmp_path: Path, language: str, first: str, second: str, chosen: str
) -> None:
    rows = text(
        ("1", "a", "VERB", 0, "_"),
        ("2-3", "bc", "_", "_", "_"),
        ("2", "b", first, 1, "_"),
        ("3", "c", second, 1, "_"),
    )
    assert read(tmp_path, rows + "\n", language) == [(["a", "bc"], ["VERB", chosen])]


def test_enhanced_dependencies_count_and_empty_nodes_do_not(tmp_path: Path) -> None:
    rows = text(
        ("1", "a", "VERB", 0, "0:root"),
        ("1.1", "hidden", "NOUN", "_", "1:obj"),
        ("2-3", "bc", "_", "_", "_"),
        ("2", "b", "VERB", 1, "1:conj|4:dep|1.1:dep"),  # above: 0, 1 and 4
        ("3", "c", "PART", 1, "1:dep"),  # above: 0 and 1
        ("4", "d", "NOUN", 1, "_"),
    )
    assert read(tmp_path, rows + "\n") == [(["a", "bc", "d"], ["VERB", "PART", "NOUN"])]


@given(data=st.data(), size=st.integers(2, 7))
def test_how_high_a_word_stands_is_the_number_of_its_ancestors_in_the_graph(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, size: int
) -> None:
    place = st.integers(0, size)
    heads = data.draw(st.lists(place, min_size=size, max_size=size))
    enhanced = data.draw(st.lists(st.lists(place, max_size=2), min_size=size, max_size=size))
    tags = data.draw(st.lists(st.sampled_from(UPOS), min_size=size, max_size=size, unique=True))
    first = data.draw(st.integers(1, size - 1))
    last = data.draw(st.integers(first + 1, size))
    edges = {*enumerate(heads, start=1), *((word, one) for word, several in enumerate(enhanced, 1) for one in several)}
    above = set(edges)
    for middle in range(size + 1):  # the transitive closure
        above |= {(low, high) for low, mid in above if mid == middle for other, high in above if other == middle}
    depths = {word: len({high for low, high in above if low == word} - {word}) for word in range(first, last + 1)}
    highest = [word for word, depth in depths.items() if depth == min(depths.values())]
    usual = "VERB NOUN PROPN PRON ADJ NUM ADV INTJ AUX ADP DET PART CCONJ SCONJ X PUNCT SYM".split()
    wanted = min((tags[word - 1] for word in highest), key=usual.index)
    rows = [
        (str(word), f"w{word}", tags[word - 1], heads[word - 1], "|".join(f"{one}:dep" for one in several) or "_")
        for word, several in enumerate(enhanced, start=1)
    ]
    rows.insert(first - 1, (f"{first}-{last}", "fused", "_", "_", "_"))
    ((forms, found),) = read(tmp_path_factory.mktemp("graph"), text(*rows) + "\n")
    assert forms == [f"w{one}" for one in range(1, first)] + ["fused"] + [
        f"w{one}" for one in range(last + 1, size + 1)
    ]
    assert found == [*tags[: first - 1], wanted, *tags[last:]]


def test_sentences_of_hidden_words_go_and_forms_lose_their_inner_blanks(tmp_path: Path) -> None:
    shown = text(("1", "10 000", "NUM", 0, "_"), ("2", "می\u200cروم", "VERB", 1, "_"))
    hidden = text(("1", "_", "NOUN", 0, "_"), ("2", ".", "PUNCT", 1, "_"))
    partly = text(("1", "_", "NOUN", 0, "_"), ("2", "a", "DET", 1, "_"), ("3", ".", "PUNCT", 1, "_"))
    found = read(tmp_path, f"{shown}\n{hidden}\n{partly}\n")
    assert [one for one, _ in found] == [["10000", "میروم"], ["_", "a", "."]]


WORD = text(("1", "a", "NOUN", 0, "_"))
MALFORMED = {
    "line 1: 10 columns were expected, but there are 1": "a\n\n",
    "line 1: 10 columns were expected, but there are 9": WORD.rsplit("\t", 1)[0] + "\n\n",
    "line 2: 10 columns were expected, but there are 1": "# text = a\n \n\n",
    "line 1: 'one' is no word's number": text(("one", "a", "NOUN", 0, "_")) + "\n",
    "line 1: '0' is no word's number": text(("0", "a", "NOUN", 0, "_")) + "\n",
    "line 1: the word 1 was expected, but it is '2'": text(("2", "a", "NOUN", 0, "_")) + "\n",
    "line 2: the word 2 was expected, but it is '1'": WORD + WORD + "\n",
    "line 1: '1-1' is no range of words": text(("1-1", "a", "_", "_", "_")) + WORD + "\n",
    "line 2: '1-3' is no range of words, or overlaps": text(("1-2", "a", "_", "_", "_"), ("1-3", "b", "_", "_", "_")),
    "line 3: a range in the sentence that ends here goes": text(("1-2", "a", "_", "_", "_")) + WORD + "\n",
    "line 1: the head 'x' is no word's number": text(("1", "a", "NOUN", "x", "_")) + "\n",
    "line 2: a head in the sentence that ends here is not": text(("1", "a", "NOUN", 2, "_")) + "\n",
    "line 2: a word of the sentence that ends here has the part": text(("1", "a", "NOM", 0, "_")) + "\n",
    "line 1: the file ends in the middle of a sentence": WORD,
    "line 2: the bytes are not UTF-8": WORD.encode() + b"2\t\xe4\n\n",
}


@pytest.mark.parametrize(("what", "content"), MALFORMED.items(), ids=range(len(MALFORMED)))
def test_what_is_malformed_is_refused_with_its_line(tmp_path: Path, what: str, content: str | bytes) -> None:
    with pytest.raises(DamagedError) as caught:
        read(tmp_path, content)
    assert f"xx_made-ud-dev.conllu, {what}" in str(caught.value)


@given(
    content=st.one_of(
        st.binary(max_size=200),
        st.lists(
            st.sampled_from([WORD, "\n", "# c\n", "1-2\ta\n", "2\t", "\t", "x", text(("2", "b", "X", 1, "_"))])
        ).map("".join),
    )
)
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: str | bytes) -> None:
    found = []
    with contextlib.suppress(DamagedError):
        found = read(tmp_path_factory.mktemp("any"), content)
    assert all(len(forms) == len(tags) > 0 and set(tags) <= set(UPOS) for forms, tags in found)
