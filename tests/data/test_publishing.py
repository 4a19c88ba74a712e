"""push_to_hub: at no commit does a card describe different rows; tested against a Hub on this machine."""

from collections.abc import Callable, Iterator
from pathlib import Path

import datasets
import huggingface_hub
import pytest
from datasets import Dataset
from huggingface_hub import DatasetCard
from huggingface_hub.errors import HfHubHTTPError
from loopback_hub import LoopbackHub

import xquality as xq
from xquality import toy
from xquality.data.publishing import merge_cards, remove_section
from xquality.errors import DataKindError, SettingError, UnreachableError

MINE = "someone/noisy"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """A Hub that this process talks to, with a cache of its own."""
    with LoopbackHub() as running:
        monkeypatch.setattr(datasets.config, "HF_ENDPOINT", running.endpoint)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield running


def rows(rate: float = 0.2, count: int = 100, split: str = "train") -> Dataset:
    made = (xq.LabelNoise(rate) >> xq.Subsample(n=count))(toy.topics.load("es", "train"), seed=1)
    made._split = datasets.Split(split)
    return made


def push(data: Dataset, private: bool | None = None) -> str:
    return xq.push_to_hub(data, MINE, private=private, token="mine")  # noqa: S106 (no password: the server takes any)


def test_rows_and_card_come_back(hub: LoopbackHub, run_python: Callable[..., str], tmp_path: Path) -> None:
    data = rows()
    commit = push(data, private=True)
    assert commit == hub.commits[MINE][-1][0]
    assert [message for _, message, _ in hub.commits[MINE]] == ["initial commit", "Upload dataset", "Card of train"]
    assert hub.private == {MINE: True}
    assert "mine" in hub.tokens
    loaded = run_python(
        "import xquality as xq\nfrom datasets import load_dataset\n"
        f"data = load_dataset({MINE!r}, split='train', revision={commit!r})\nprint(len(data), xq.digest(data))",
        HF_ENDPOINT=hub.endpoint,
        HF_HUB_OFFLINE="0",
        HF_HOME=str(tmp_path / "home"),
    )
    assert loaded.splitlines()[-1] == f"100 {xq.digest(data)}"
    written = hub.files(MINE)["README.md"].decode()
    assert f'assert xq.digest(data) == "{xq.digest(data)}"' in written
    assert f'load_dataset("{MINE}", split="train")' in written
    top = DatasetCard(written).data.to_dict()
    assert top["language"] == ["es"]
    assert top["dataset_info"]["splits"][0]["num_examples"] == 100
    assert top["configs"] == [{"config_name": "default", "data_files": [{"split": "train", "path": "data/train-*"}]}]


def test_new_rows_take_the_place_of_old_ones_in_the_card(hub: LoopbackHub) -> None:
    push(rows(rate=0.2))
    push(rows(rate=0.4, count=50))
    assert [message for _, message, _ in hub.commits[MINE]][3:] == [
        "Remove the card of train, whose rows are replaced",
        "Upload dataset",
        "Card of train",
    ]
    written = hub.files(MINE)["README.md"].decode()
    assert '"rate": 0.4' in written
    assert '"rate": 0.2' not in written
    assert written.count("<!-- xquality: train -->") == 1
    # At no commit does the card describe different rows from those beside it.
    parquet = "data/train-00000-of-00001.parquet"
    first = hub.commits[MINE][1][2][parquet]
    for _, message, files in hub.commits[MINE][1:]:
        named = [rate for rate in ("0.2", "0.4") if f'"rate": {rate}' in files["README.md"].decode()]
        right = ["0.2"] if files[parquet] == first else ["0.4"]
        assert named == (right if message == "Card of train" else [])


@pytest.mark.parametrize("broken", ["Upload dataset", "Card of train"])
def test_an_interrupted_upload_leaves_no_card_of_other_rows(hub: LoopbackHub, broken: str) -> None:
    push(rows(rate=0.2))
    hub.refuse.add(broken)
    with pytest.raises(HfHubHTTPError):
        push(rows(rate=0.4, count=50))
    left = hub.files(MINE)["README.md"].decode()
    assert "being replaced" in left
    assert '"rate"' not in left
    hub.refuse.clear()
    push(rows(rate=0.4, count=50))
    mended = hub.files(MINE)["README.md"].decode()
    assert "being replaced" not in mended
    assert '"rate": 0.4' in mended


def test_splits_share_a_card_and_user_text_is_kept(hub: LoopbackHub) -> None:
    own = "---\nlicense: mit\ntags:\n- ours\npretty_name: Our rows\n---\n# Our rows\n\nPlease cite us.\n"
    hub.add(MINE, "ours", {"README.md": own.encode()})
    push(rows())
    push(rows(rate=0.3, split="validation"))
    written = hub.files(MINE)["README.md"].decode()
    top = DatasetCard(written).data.to_dict()
    assert (top["license"], top["pretty_name"]) == ("mit", "Our rows")
    assert top["tags"] == ["ours", "xquality", "label-noise", "subsample"]
    assert [split["name"] for split in top["dataset_info"]["splits"]] == ["train", "validation"]
    expected = ("Please cite us.", "xquality: train", "0.2", "xquality: validation", "0.3")
    positions = [written.index(text) for text in expected]
    assert positions == sorted(positions)


def test_a_card_is_merged_into_the_readme() -> None:
    data = xq.LabelNoise(0.2)(toy.topics.load("es", "train"), seed=1)
    written = xq.card(data)
    assert merge_cards(None, written, "train") == written
    assert merge_cards(written, written, "train") == written
    other = xq.card(xq.Subsample(n=9)(data, seed=1))
    again = merge_cards(written, other, "train")
    assert DatasetCard(again).data.pretty_name == "toy.topics (es, train) after LabelNoise, Subsample"
    renamed = merge_cards(
        written.replace("pretty_name: toy.topics (es, train) after LabelNoise", "pretty_name: Mine"), other, "train"
    )
    assert DatasetCard(renamed).data.pretty_name == "Mine"
    german = xq.card(toy.topics.load("de", "train"))
    assert DatasetCard(
        merge_cards(written.replace("language:\n- es", "language: es"), german, "train")
    ).data.language == [
        "es",
        "de",
    ]
    removed = remove_section(written, "train")
    assert "LabelNoise" not in DatasetCard(removed).text
    assert merge_cards(removed, written, "train") == written


def test_what_cannot_be_pushed_is_refused_before_anything_is_sent(hub: LoopbackHub) -> None:
    with pytest.raises(DataKindError, match="one split at a time"):
        xq.push_to_hub([{"text": "a"}], MINE)
    with pytest.raises(SettingError, match="repository"):
        xq.push_to_hub(toy.topics.load("es", "test"), "")
    assert hub.commits == {}


@pytest.mark.parametrize(
    "error", [None, HfHubHTTPError.__bases__[0]("no route"), ConnectionResetError("hung up")], ids=str
)
def test_without_a_connection_the_error_is_typed_and_nothing_is_sent(
    hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    if error is None:
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    else:
        monkeypatch.setattr(huggingface_hub.HfApi, "hf_hub_download", fail)
    with pytest.raises(UnreachableError, match=r"could not be reached to push someone/noisy .*xq\.save"):
        push(rows(count=5))
    assert hub.commits == {}


@pytest.mark.parametrize("name", ["a/b/c", "a b/c", "../x", "-", "x" * 200, "a/..b"])
def test_a_name_that_the_hub_does_not_allow_is_a_typed_error(hub: LoopbackHub, name: str) -> None:
    with pytest.raises(SettingError, match=r"push_to_hub\(repository="):
        xq.push_to_hub(rows(count=5), name)
    assert hub.commits == {}
