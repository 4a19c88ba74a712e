"""Rows from a Hub over loopback: of the pinned revision, whole, or a typed error that says what to do.

Every program below runs in an interpreter of its own with a cache of its own, as a user's would.
"""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hub_server import Fault, Hub

FIRST, SECOND, CONVERTED = "a" * 40, "b" * 40, "c" * 40
PROGRAM = """
import json, sys
from xquality.errors import XqualityError
from xquality.data.source import HubSource
for repository, revision, configuration, split in json.loads(sys.argv[1]):
    source = HubSource(repository, revision, "x", configuration="{language}", splits={"validation": "dev"})
    try:
        rows = source.load(configuration, split, None)
        print(json.dumps([len(rows), rows["text"][0], getattr(rows.features["label"], "names", None)]))
    except XqualityError as fault:
        print(json.dumps([type(fault).__name__, str(fault)]))
"""
CARD = """---
dataset_info:
- config_name: de
  features:
  - {name: text, dtype: string}
  - name: label
    dtype: {class_label: {names: {'0': 'no', '1': 'yes'}}}
configs:
- config_name: de
  data_files:
  - {split: train, path: de/train-*}
  - {split: dev, path: de/dev-*}
---
# Made for a test
"""

Request = tuple[str, str, str, str]  # repository, revision, configuration, split


def parquet(word: str, rows: int) -> bytes:
    buffer = io.BytesIO()
    table = pa.table({"text": [f"{word} {row}" for row in range(rows)], "label": pa.array([0, 1] * (rows // 2))})
    pq.write_table(table, buffer)
    return buffer.getvalue()


def revision(word: str) -> dict[str, bytes]:
    files = {f"de/{split}-00000-of-00001.parquet": parquet(f"{word} {split}", 40) for split in ("train", "dev")}
    return {"README.md": CARD.encode(), **files}


@pytest.fixture
def hub() -> Iterator[Hub]:
    names = ("good", "busy", "short", "torn", "cut")
    made = {f"datasets/made/{name}": {FIRST: revision("old"), SECOND: revision(name)} for name in names}
    # What the Hub converts from a loading script: folders for configurations and splits, and no card.
    converted = {"default/train/0000.parquet": parquet("converted", 6)}
    made["datasets/made/scripted"] = {SECOND: {"scripted.py": b"raise SystemExit(3)"}, CONVERTED: converted}
    with Hub(made) as server:
        yield server


def load(hub: Hub, home: Path, requests: list[Request], **environment: str) -> list[Any]:
    settings = {"HF_ENDPOINT": hub.url, "HF_HOME": str(home), "HF_HUB_OFFLINE": "0", "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(requests)],
        capture_output=True,
        text=True,
        check=False,
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **settings, **environment},
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def good(name: str) -> Request:
    return f"made/{name}", SECOND, "de", "validation"


def rows(name: str) -> list[Any]:
    return [40, f"{name} dev 0", ["no", "yes"]]


def test_rows_are_those_of_the_pinned_revision_also_from_the_cache_and_never_those_of_another(
    hub: Hub, tmp_path: Path
) -> None:
    assert load(hub, tmp_path, [good("good")]) == [rows("good")]
    resolved = {path.split("/resolve/")[1].split("/")[0] for path in hub.requests if "/resolve/" in path}
    assert resolved == {SECOND}
    hub.requests.clear()
    cached, other = load(hub, tmp_path, [good("good"), ("made/good", FIRST, "de", "validation")], HF_HUB_OFFLINE="1")
    assert cached == rows("good")
    assert hub.requests == []
    assert other[0] == "UnreachableError"
    assert f"at revision {FIRST}, but only {SECOND} is available" in other[1]


def test_a_busy_server_and_a_cut_connection_are_tried_again(hub: Hub, tmp_path: Path) -> None:
    hub.faults += [Fault("busy", "dev-00000-of-00001.parquet"), Fault("cut", "train-00000-of-00001.parquet")]
    assert load(hub, tmp_path, [good("good")]) == [rows("good")]
    assert [fault.times for fault in hub.faults] == [0, 0]


def test_what_is_damaged_is_refused_and_not_believed_at_the_next_call(hub: Hub, tmp_path: Path) -> None:
    always = 1000
    hub.faults += [
        Fault("short", "made/short/resolve/" + SECOND + "/de/dev-00000-of-00001.parquet"),
        Fault("torn", "made/torn/resolve/" + SECOND + "/de/dev-00000-of-00001.parquet", always),
        Fault("cut", "made/cut/resolve/" + SECOND + "/de/dev-00000-of-00001.parquet", always),
    ]
    short, torn, cut = load(hub, tmp_path, [good("short"), good("torn"), good("cut")])
    assert short == rows("short")  # the size was wrong, so it was fetched once more
    assert torn[0] == "DamagedError"
    assert "made/torn (de, dev) at revision bbbbbbbbbbbb cannot be read" in torn[1]
    assert "root=" in torn[1]
    assert cut[0] == "UnreachableError"
    assert "could not be loaded from the Hub (peer closed connection" in cut[1]
    assert all("\n" not in sentence and sentence.endswith(".") for _, sentence in (torn, cut))
    hub.faults.clear()
    assert load(hub, tmp_path, [good("torn"), good("cut")]) == [rows("torn"), rows("cut")]


def test_rows_that_the_disk_lost_are_fetched_again(hub: Hub, tmp_path: Path) -> None:
    assert load(hub, tmp_path, [good("good")]) == [rows("good")]
    (kept,) = tmp_path.glob("datasets/**/good-dev.arrow")
    kept.write_bytes(kept.read_bytes()[: kept.stat().st_size // 2])
    assert load(hub, tmp_path, [good("good")]) == [rows("good")]


def test_changed_bytes_in_the_cache_are_not_believed(hub: Hub, tmp_path: Path) -> None:
    assert load(hub, tmp_path, [good("good")]) == [rows("good")]
    (prepared,) = tmp_path.rglob("good-dev*.arrow")
    whole = prepared.read_bytes()
    assert b"good dev 0" in whole
    prepared.write_bytes(whole.replace(b"good dev 0", b"evil dev 0"))
    hub.requests.clear()
    assert load(hub, tmp_path, [good("good")]) == [rows("good")]
    assert any("/resolve/" in path for path in hub.requests)
    prepared.write_bytes(whole.replace(b"good dev 0", b"evil dev 0"))
    (offline,) = load(hub, tmp_path, [good("good")], HF_HUB_OFFLINE="1")
    assert offline[0] == "DamagedError"
    assert "has other bytes than were written" in offline[1]


def test_what_the_hub_does_not_have_is_a_sentence(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "made" / "folder").mkdir(parents=True)
    (tmp_path / "made" / "folder" / "dev.parquet").write_bytes(parquet("local", 4))
    asked = {
        "doesn't exist on the Hub": ("made/nothing", SECOND, "de", "validation"),
        f"Revision '{'d' * 40}' doesn't exist": ("made/good", "d" * 40, "de", "validation"),
        "BuilderConfig 'fr' not found": ("made/good", SECOND, "fr", "validation"),
        'Unknown split "test"': ("made/good", SECOND, "de", "test"),
        "name a commit by its 40 hex digits": ("made/good", "main", "de", "validation"),
        "leave a working directory that has a folder 'made/folder'": ("made/folder", SECOND, "default", "validation"),
    }
    for part, (kind, sentence) in zip(asked, load(hub, tmp_path, list(asked.values())), strict=True):
        other = "40 hex" in part or "working directory" in part  # another revision or folder was found
        assert kind == ("UnreachableError" if other else "SourceError"), sentence
        assert part in sentence
        assert "\n" not in sentence
        assert sentence.endswith(".")


def test_a_loading_script_is_not_run_and_its_conversion_is_read(hub: Hub, tmp_path: Path) -> None:
    asked = [("made/scripted", SECOND, "default", "train"), ("made/scripted", CONVERTED, "default", "train")]
    refused, read = load(hub, tmp_path, asked)
    assert refused[0] == "SourceError"
    assert "scripts are no longer supported" in refused[1]
    assert read == [6, "converted 0", None]
