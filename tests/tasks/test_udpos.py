"""UD POS: real rows; a release of Universal Dependencies is read as XTREME reads it; malformed lines are refused."""

import contextlib
import time
from pathlib import Path
from typing import Any

import pytest
from datasets import ClassLabel, Dataset, Features, List, Value
from hypothesis import given
from hypothesis import strategies as st
from task_rows import load_splits, row_counts

import xquality as xq
from xquality.errors import DamagedError, SourceError
from xquality.tasks import HubSource, MemorySource, udpos
from xquality.tasks.udpos import NAMES, UPOS, TreebankSource, read_conllu

TAGS = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split()
# The rows of the shared treebanks, as their description counts them: validation and test, or test alone.
COUNTED = (
    "af 194 425, ar 1000, de 799 977, en 2001 2077, es 1400 427, fa 599 600, fi 1364 1555, fr 1476 416, hi 1000, "
    "id 559 557, ja 507 543, mr 46 47, ru 579 601, ta 534, th 1000, tr 979 979, vi 1123 800, yo 317, zh 500 500"
)


def test_every_language_of_the_folder_loads_with_seventeen_tags(real_data: Path) -> None:
    rows = load_splits(udpos, real_data)
    wanted = {counted.split()[0]: tuple(map(int, counted.split()[1:])) for counted in COUNTED.split(", ")}
    assert row_counts(rows, "validation", "test") == wanted
    assert len(rows["en", "train"]) == 10000
    tokens, tags = List(Value("string")), List(ClassLabel(names=TAGS))
    assert rows["th", "test"].features == Features({"tokens": tokens, "pos_tags": tags, "uid": Value("int64")})
    for data in rows.values():
        assert [len(values) for values in data["tokens"]] == [len(values) for values in data["pos_tags"]]


def test_a_tag_means_what_it_says(real_data: Path) -> None:
    row = udpos.load("af", "test", real_data)[0]
    assert row["tokens"] == "Verlede jaar het ons ons eerste resessie in 17 jaar ervaar .".split()
    named = [TAGS[tag] for tag in row["pos_tags"]]
    assert named == "ADJ NOUN AUX PRON PRON ADJ NOUN ADP SYM NOUN VERB PUNCT".split()


def test_the_task_has_the_thirty_three_languages_of_xtreme_each_with_its_name_on_the_hub() -> None:
    assert len(set(udpos.languages)) == 33
    assert len(set(NAMES.values())) == 33
    assert (NAMES["eu"], NAMES["fa"], NAMES["tl"]) == ("Basque", "Persian", "Tagalog")


OTHER = TreebankSource(MemorySource({("de", "test"): Dataset.from_dict({"tokens": [["other"]]})}))


def sentence(word: str) -> str:
    return f"1\t{word}\t_\tNOUN\t_\t_\t0\troot\t_\t_\n\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        "UD_German-PUD/de_pud-ud-test.conllu": sentence("drei"),
        "UD_German-GSD/de_gsd-ud-test.conllu": sentence("eins") + sentence("zwei"),
        "UD_German-GSD/de_gsd-ud-dev.conllu": sentence("vier"),
        "UD_German-HDT/de_hdt-ud-train-a-1.conllu": sentence("sechs"),
        "UD_German-GSD/de_gsd-ud-train.conllu": sentence("fünf"),
        "UD_Danish-DDT/da_ddt-ud-test.conllu": sentence("otte"),
        "UD_German-GSD/README.md": "de_gsd-ud-test",
    }
    for name, content in files.items():
        file = tmp_path / "ud-treebanks-v2.5" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return tmp_path


def words(split: str, root: Path) -> list[str]:
    return [token for row in udpos.load("de", split, root) for token in row["tokens"]]


def test_all_treebanks_of_a_language_are_joined_in_the_order_of_their_files(root: Path) -> None:
    assert words("test", root) == ["eins", "zwei", "drei"]
    assert words("train", root) == ["fünf", "sechs"]
    assert words("validation", root) == ["vier"]
    loaded = udpos.load("de", "test", root)
    assert loaded["uid"][:] == [0, 1, 2]
    assert loaded.features["pos_tags"].feature.int2str(loaded[0]["pos_tags"]) == ["NOUN"]
    assert xq.history(loaded) == ()


def test_a_language_or_split_that_is_nowhere_is_refused(root: Path) -> None:
    with pytest.raises(SourceError, match=r"has no 'test' files of 'fr' \(there are \[\]\), and other rows"):
        udpos.load("fr", "test", root)
    with pytest.raises(SourceError, match=r"has no 'other' files of 'de' \(there are \['dev', 'test', 'train'\]\)"):
        udpos.load("de", "other", root)


def test_what_a_partial_release_lacks_is_read_from_other_rows(root: Path, recwarn: pytest.WarningsRecorder) -> None:
    tagged = Dataset.from_dict({"tokens": [["uno"]], "pos_tags": [[8]]})
    for split in ("test", "validation"):
        (root / "udpos/es").mkdir(parents=True, exist_ok=True)
        tagged.to_parquet(root / f"udpos/es/{split}.parquet")
    assert udpos.load("es", "test", root)["tokens"][:] == [["uno"]]  # no Spanish treebank
    assert not recwarn.list
    (root / "ud-treebanks-v2.5/UD_Spanish-GSD").mkdir()
    (root / "ud-treebanks-v2.5/UD_Spanish-GSD/es_gsd-ud-test.conllu").write_text(sentence("dos"), encoding="utf-8")
    assert udpos.load("es", "test", root)["tokens"][:] == [["dos"]]
    with pytest.warns(UserWarning, match="holds test of 'es' but not 'validation'"):
        assert udpos.load("es", "validation", root)["tokens"][:] == [["uno"]]


def test_without_a_release_other_rows_are_read(tmp_path: Path) -> None:
    assert OTHER.load("de", "test", tmp_path)["tokens"][:] == [["other"]]
    assert OTHER.load("de", "test", None)["tokens"][:] == [["other"]]
    with pytest.raises(SourceError, match="nowhere is not there"):
        TreebankSource(HubSource("a/b", "0", "udpos/{language}")).load("de", "test", tmp_path / "nowhere")


def test_another_release_can_be_named(root: Path) -> None:
    (root / "ud-treebanks-v2.5").rename(root / "ud-treebanks-v2.7")
    newer = TreebankSource(OTHER.rows, folder="ud-treebanks-v2.7")
    assert len(newer.load("de", "test", root)) == 3


def test_a_malformed_file_is_refused_with_its_line(root: Path) -> None:
    (root / "ud-treebanks-v2.5/UD_German-PUD/de_pud-ud-test.conllu").write_text("1\tdrei\n\n", encoding="utf-8")
    with pytest.raises(DamagedError, match=r"de_pud-ud-test\.conllu, line 1: 10 columns"):
        udpos.load("de", "test", root)


Row = tuple[str, str, str, Any, str]  # id, form, part of speech, head, enhanced dependencies


def text(*rows: Row) -> str:
    return "".join(f"{name}\t{form}\t_\t{tag}\t_\t_\t{head}\tdep\t{deps}\t_\n" for name, form, tag, head, deps in rows)


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
    edges = {
        *enumerate(heads, start=1),
        *((word, high) for word, several in enumerate(enhanced, 1) for high in several),
    }
    above = set(edges)
    for middle in range(size + 1):  # the transitive closure
        above |= {(low, high) for low, mid in above if mid == middle for other, high in above if other == middle}
    depths = {word: len({high for low, high in above if low == word} - {word}) for word in range(first, last + 1)}
    highest = [word for word, depth in depths.items() if depth == min(depths.values())]
    usual = "VERB NOUN PROPN PRON ADJ NUM ADV INTJ AUX ADP DET PART CCONJ SCONJ X PUNCT SYM".split()
    wanted = min((tags[word - 1] for word in highest), key=usual.index)
    rows = [
        (str(word), f"w{word}", tags[word - 1], heads[word - 1], "|".join(f"{head}:dep" for head in several) or "_")
        for word, several in enumerate(enhanced, start=1)
    ]
    rows.insert(first - 1, (f"{first}-{last}", "fused", "_", "_", "_"))
    ((forms, found),) = read(tmp_path_factory.mktemp("graph"), text(*rows) + "\n")
    assert forms == [f"w{word}" for word in range(1, first)] + ["fused"] + [
        f"w{word}" for word in range(last + 1, size + 1)
    ]
    assert found == [*tags[: first - 1], wanted, *tags[last:]]


def test_sentences_of_hidden_words_go_and_forms_lose_their_inner_blanks(tmp_path: Path) -> None:
    shown = text(("1", "10 000", "NUM", 0, "_"), ("2", "می\u200cروم", "VERB", 1, "_"))
    hidden = text(("1", "_", "NOUN", 0, "_"), ("2", ".", "PUNCT", 1, "_"))
    partly = text(("1", "_", "NOUN", 0, "_"), ("2", "a", "DET", 1, "_"), ("3", ".", "PUNCT", 1, "_"))
    found = read(tmp_path, f"{shown}\n{hidden}\n{partly}\n")
    assert [forms for forms, _ in found] == [["10000", "میروم"], ["_", "a", "."]]


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
    "line 1: a head in the sentence that ends here is not": text(("1", "a", "NOUN", 2, "_")),
    "line 1: a range in the sentence that ends here goes": text(("1-2", "a", "_", "_", "_")),
    "line 1: the word 1 has no form": text(("1", "", "NOUN", 0, "_")) + "\n",
    "line 1: the word 1-2 has no form": text(("1-2", " ", "_", "_", "_")) + "\n",
    f"line 1: '{'9' * 39} is no word's number": text(("9" * 5000, "a", "NOUN", 0, "_")) + "\n",
    f"line 1: '1-{'9' * 37} is no word's number": text(("1-" + "9" * 5000, "a", "_", 0, "_")) + "\n",
    f"line 1: the head '{'9' * 39} is no word's number": text(("1", "a", "NOUN", "9" * 5000, "_")) + "\n",
    "line 1: a dependency has a head that": text(("1", "a", "NOUN", 0, "9" * 5000 + ":dep")) + "\n",
    "line 20003: the sentence that ends here has 20001 words": text(
        ("1-2", "ab", "_", "_", "_"), *((str(word), "a", "NOUN", 0, "_") for word in range(1, 20_002))
    )
    + "\n",
    "line 2: the bytes are not UTF-8": WORD.encode() + b"2\t\xe4\n\n",
}


@pytest.mark.parametrize("ending", ["", "\n", "\n\n", "\n# a comment", "\r\n"])
def test_the_last_sentence_may_lack_the_empty_line_after_it(tmp_path: Path, ending: str) -> None:
    content = f"{WORD}\n{WORD.rstrip()}"
    assert [forms for forms, _ in read(tmp_path, content + ending)] == [["a"], ["a"]]


def test_a_word_of_an_invisible_character_alone_keeps_it(tmp_path: Path) -> None:
    assert read(tmp_path, text(("1", "\u200c", "X", 0, "_"))) == [(["\u200c"], ["X"])]


@pytest.mark.parametrize("cycle", [False, True], ids=["chain", "cycle"])
@pytest.mark.parametrize("width", [2, 3000])
def test_fused_words_in_sentences_of_thousands_of_words_are_read_at_once(
    tmp_path: Path, width: int, *, cycle: bool
) -> None:
    size = 3000
    rows: list[Row] = []
    for word in range(1, size + 1):
        if word % width == 1:
            rows.append((f"{word}-{word + width - 1}", "fused", "_", "_", "_"))
        above = word - 1 if word > 1 or not cycle else size
        rows.append((str(word), "w", "NOUN" if word % 2 else "VERB", above, "_"))
    began = time.process_time()
    ((forms, tags),) = read(tmp_path, text(*rows))
    assert time.process_time() - began < 1
    assert len(forms) == size // width
    assert set(tags) == {"VERB" if cycle else "NOUN"}


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
