"""A release of Universal Dependencies below the root is read first, all treebanks of a language joined."""

from pathlib import Path

import pytest
from datasets import Dataset

import xquality as xq
from xquality.errors import DamagedError, SourceError
from xquality.tasks import HubSource, MemorySource, udpos
from xquality.tasks.treebanks import TreebankSource

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


def test_a_language_or_split_that_the_release_has_not_is_refused(root: Path) -> None:
    with pytest.raises(SourceError, match=r"has no 'test' files of 'fr'; there are \[\]"):
        udpos.load("fr", "test", root)
    with pytest.raises(SourceError, match=r"has no 'other' files of 'de'; there are \['dev', 'test', 'train'\]"):
        udpos.load("de", "other", root)


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
