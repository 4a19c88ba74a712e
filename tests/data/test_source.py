"""Rows come from the folder or the repository that was named, or a sentence says what is not there."""

import socket
from pathlib import Path

import datasets
import huggingface_hub
import pytest
from datasets import Dataset, DatasetDict

from xquality.data.hub import ROOT_VARIABLE
from xquality.data.local_files import read_local
from xquality.data.source import HubSource, LocalSource, MemorySource, SupplementedSource
from xquality.errors import DamagedError, SettingError, SourceError, UnreachableError

SOURCE = HubSource("nobody/no-such-data", "0" * 40, "nli/{language}", splits={"validation": "dev"})


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path_factory.mktemp("cache")))


def write(file: Path, *texts: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Dataset.from_dict({"text": list(texts)}).to_parquet(str(file))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    write(folder / "nli/de/test.parquet", "eins", "zwei")
    write(folder / "nli/de/train.parquet", "drei")
    write(folder / "nli/es/data/test.parquet", "uno")
    write(folder / "nli/es/data/dev.parquet", "dos")
    write(tmp_path / "secret/test.parquet", "mine")
    return folder


def test_a_split_is_read_from_the_languages_folder_in_its_order(root: Path) -> None:
    assert SOURCE.load("de", "test", root)["text"][:] == ["eins", "zwei"]
    assert SOURCE.load("de", "train", str(root))["text"][:] == ["drei"]


def test_a_split_is_read_from_the_data_folder_too(root: Path) -> None:
    assert SOURCE.load("es", "test", root)["text"][:] == ["uno"]


def test_a_split_that_the_source_names_otherwise_is_found(root: Path) -> None:
    assert SOURCE.load("es", "validation", root)["text"][:] == ["dos"]


def test_a_split_in_several_files_is_read_whole_and_in_order(root: Path) -> None:
    for part, words in enumerate((["a", "b"], ["c"], ["d"])):
        write(root / f"nli/fr/data/test-{part:05d}-of-00003.parquet", *words)
        write(root / f"nli/fr/data/test_matched-{part:05d}-of-00003.parquet", "other")
    write(root / "nli/fr/data/dev-00000-of-00001.parquet", "e")
    assert SOURCE.load("fr", "test", root)["text"][:] == ["a", "b", "c", "d"]
    assert SOURCE.load("fr", "validation", root)["text"][:] == ["e"]
    with pytest.raises(SourceError, match=r"no split 'train'; there are \['dev', 'test', 'test_matched'\]"):
        SOURCE.load("fr", "train", root)


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_split_that_lacks_one_of_its_files_is_refused(root: Path, missing: int) -> None:
    for part in {0, 1, 2} - {missing}:
        write(root / f"nli/fr/test-{part:05d}-of-00003.parquet", "a")
    with pytest.raises(DamagedError, match="copy the other files too"):
        SOURCE.load("fr", "test", root)


def test_a_folder_that_was_changed_is_read_anew(root: Path) -> None:
    assert SOURCE.load("de", "train", root)["text"][:] == ["drei"]
    write(root / "nli/de/train.parquet", "vier", "f\u00fcnf")
    assert SOURCE.load("de", "train", root)["text"][:] == ["vier", "f\u00fcnf"]


def test_the_environment_names_a_folder_and_an_argument_goes_before_it(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "other/nli/de/test.parquet", "andere")
    monkeypatch.setenv(ROOT_VARIABLE, str(root))
    assert ROOT_VARIABLE == "XQUALITY_DATA"
    assert SOURCE.load("de", "test", None)["text"][:] == ["eins", "zwei"]
    assert SOURCE.load("de", "test", tmp_path / "other")["text"][:] == ["andere"]


def test_a_home_folder_is_understood(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(root.parent))
    assert SOURCE.load("de", "test", "~/root")["text"][:] == ["eins", "zwei"]


def test_a_missing_language_is_refused_with_those_there_are(root: Path) -> None:
    with pytest.raises(SourceError, match=r"no folder 'nli/fr'; there are \['de', 'es'\]"):
        SOURCE.load("fr", "test", root)


def test_a_missing_split_is_refused_with_those_there_are(root: Path) -> None:
    with pytest.raises(SourceError, match=r"no split 'dev'; there are \['test', 'train'\]"):
        SOURCE.load("de", "validation", root)
    with pytest.raises(SourceError, match=r"there are \['dev', 'test'\]"):
        SOURCE.load("es", "train", root)


def test_a_missing_task_and_a_missing_root_are_told_apart(root: Path) -> None:
    with pytest.raises(SourceError, match=r"no folder 'qa/de'; there are \[\]"):
        HubSource("a/b", "0", "qa/{language}").load("de", "test", root)
    with pytest.raises(SourceError, match=r"nowhere is not there; give root= or XQUALITY_DATA"):
        SOURCE.load("de", "test", root / "nowhere")


@pytest.mark.parametrize("language", ["../../../secret", "../..", "../../../root/../secret"])
def test_a_language_that_climbs_out_of_the_root_is_refused(root: Path, language: str) -> None:
    with pytest.raises(SourceError, match="leads out of"):
        SOURCE.load(language, "test", root / "nli")


def test_a_language_that_stays_inside_by_detours_reads_what_is_there(root: Path) -> None:
    assert SOURCE.load("../nli/de", "test", root)["text"][:] == ["eins", "zwei"]


def test_an_absolute_path_is_refused(root: Path) -> None:
    with pytest.raises(SourceError, match="leads out of"):
        read_local(root, str(root.parent / "secret"), "test")


@pytest.mark.parametrize(
    "split", ["../../../secret/test", "../es/data/test", "/etc/passwd", "data/test", "a/../test", "..", "."]
)
def test_a_split_is_a_name_and_no_path(root: Path, split: str) -> None:
    with pytest.raises(SourceError):
        read_local(root, "nli/de", split)


def test_a_link_that_leads_out_of_the_root_is_refused(root: Path) -> None:
    (root / "nli/it").symlink_to(root.parent / "secret", target_is_directory=True)
    with pytest.raises(SourceError, match="leads out of"):
        SOURCE.load("it", "test", root)


def test_a_root_that_is_itself_a_link_is_followed(root: Path) -> None:
    (root.parent / "link").symlink_to(root, target_is_directory=True)
    assert SOURCE.load("de", "test", root.parent / "link")["text"][:] == ["eins", "zwei"]


def test_a_hub_that_cannot_be_reached_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError("no network in tests")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.delenv(ROOT_VARIABLE, raising=False)
    with pytest.raises(UnreachableError) as fault:
        SOURCE.load("de", "validation", None)
    for part in ("nobody/no-such-data (de, dev) at revision 000000000000", "root=", "XQUALITY_DATA"):
        assert part in str(fault.value)
    assert "\n" not in str(fault.value)


def test_rows_in_memory_are_found_by_language_and_split() -> None:
    rows = Dataset.from_dict({"text": ["a"]})
    source = MemorySource({("es", "train"): rows})
    assert source.load("es", "train", None) is rows
    for language, split in (("es", "test"), ("de", "train")):
        with pytest.raises(SourceError, match=rf"'{language}' and split '{split}'; there are \[\('es', 'train'\)\]"):
            source.load(language, split, None)


def test_a_file_that_is_no_parquet_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "test.parquet").write_bytes(b"not parquet")
    with pytest.raises(DamagedError):
        read_local(tmp_path, "x", "test")
    with pytest.raises(SourceError):
        (tmp_path / "y").mkdir()
        (tmp_path / "y" / "test.parquet").symlink_to(Path(__file__))
        read_local(tmp_path, "y", "test")


def test_a_supplement_serves_its_language_and_splits_and_nothing_else() -> None:
    rows = {
        ("en", "train"): Dataset.from_dict({"text": ["own"]}),
        ("de", "train"): Dataset.from_dict({"text": ["own"]}),
        ("en", "test"): Dataset.from_dict({"text": ["own"]}),
    }
    own = MemorySource(rows)
    extra = MemorySource({key: Dataset.from_dict({"text": ["extra"]}) for key in rows})
    for source, served in (
        (SupplementedSource(own, extra), [("en", "train")]),
        (SupplementedSource(own, extra, language="de", splits=()), [("de", "train")]),
        (SupplementedSource(own, extra, splits=("train", "test")), [("en", "train"), ("en", "test")]),
    ):
        found = [key for key in rows if source.load(*key, None)["text"][:] == ["extra"]]
        assert found == served


@pytest.mark.parametrize("folder", ["nli/{language}", "{root}/nli/{language}", "nli/{language}/data"])
def test_files_of_ones_own_are_read_below_a_root_or_from_where_they_are(
    root: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ROOT_VARIABLE, raising=False)
    source = LocalSource(folder.replace("{root}", str(root)), splits={"validation": "dev"})
    assert source.load("es", "validation", root)["text"][:] == ["dos"]
    monkeypatch.chdir(root)
    assert source.load("es", "test", None)["text"][:] == ["uno"]
    monkeypatch.setenv(ROOT_VARIABLE, str(root))
    monkeypatch.chdir("/")
    assert source.load("es", "test", None)["text"][:] == ["uno"]
    with pytest.raises(SourceError, match=r"no split 'train'; there are \['dev', 'test'\]"):
        source.load("es", "train", root)
    with pytest.raises(SourceError):
        source.load("fr", "train", root)


@pytest.mark.parametrize("folder", ["nli/{language}", "{root}/nli/{language}", "{language}"])
def test_a_language_leads_out_of_no_folder_of_ones_own(root: Path, folder: str) -> None:
    source = LocalSource(folder.replace("{root}", str(root)))
    with pytest.raises(SourceError, match="leads out of"):
        source.load("../../secret", "test", root)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: HubSource("a/b", "0", "nli/{lang}"), r"HubSource\(folder="),
        (lambda: HubSource("", "0", "nli"), r"HubSource\(repository="),
        (lambda: HubSource("a/b", "0", "nli", splits=["dev"]), r"HubSource\(splits="),
        (lambda: LocalSource("{0}"), r"LocalSource\(folder="),
        (lambda: LocalSource(3), r"LocalSource\(folder="),
        (lambda: MemorySource([]), r"MemorySource\(rows\)"),
        (lambda: MemorySource(DatasetDict()), r"MemorySource\(rows\) must say which language"),
        (
            lambda: MemorySource(DatasetDict(train=Dataset.from_dict({}))),
            r"MemorySource\(rows\) must say which language",
        ),
        (lambda: MemorySource(DatasetDict), r"MemorySource\(rows\)"),
        (lambda: MemorySource({"train": Dataset.from_dict({})}), r"MemorySource\(rows\)"),
        (lambda: MemorySource({("es", "train"): [{"text": "a"}]}), r"MemorySource\(rows\)"),
        (lambda: SupplementedSource(MemorySource({}), "squad"), r"SupplementedSource\(extra="),
        (lambda: SupplementedSource(MemorySource, MemorySource({})), r"SupplementedSource\(rows="),
    ],
)
def test_a_wrong_setting_is_refused_by_name(make, named: str) -> None:
    with pytest.raises(SettingError, match=named):
        make()


def test_a_path_is_a_folder_too(root: Path) -> None:
    assert LocalSource(root / "nli" / "{language}") == LocalSource(f"{root}/nli/{{language}}")
