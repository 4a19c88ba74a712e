"""Fuzzing of the readers of outside files: a damaged file gives a typed error, and nothing damaged is believed.

Each target changes real, small, valid files and calls the public function that reads them. Its findings are errors
that are no `XqualityError`, crashes, inputs that take longer than 20 s, and content that was read although it is not
what was written. An input that gives a finding is kept in the folder of findings; runs go on after one.

    conllu      tasks.udpos.load from a file of a treebank
    bucc        tasks.bucc.load from the three official files
    submission  xtreme.score_folder with a file of predictions and one of labels
    records     from_dict of Record, Score, History and Result, and what uses the result
    saved       xq.load
    store       Fitted.load, and the lookup of an entry of a store
    study       Study.results and report.summarise

Needs the extra `fuzz`. Some changes of stored folders also write new checksums that fit them, as somebody who forges
them would: then only typed errors are asked for.

python benchmarks/fuzz_readers.py saved [--minutes N] [--findings FOLDER]
"""

import argparse
import contextlib
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import atheris
from transformers.utils import logging as transformers_logging

with atheris.instrument_imports(include=["xquality"]):
    import xquality as xq
    import xquality.data.saving
    import xquality.report.summary
    import xquality.study
    import xquality.train
    from xquality import report, tasks, toy, xtreme
    from xquality._files import checksum
    from xquality._stored import write_json
    from xquality.data.provenance import with_history
    from xquality.errors import XqualityError
    from xquality.study import Study

Read = Callable[[bytes], None]
"""Reads what an input describes; raises `Believed` where changed content was accepted."""

_BETWEEN = b"\n%%%%\n"  # between the files of an input
_SLOWEST = 20  # seconds

_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1e308, 10**30, math.nan, math.inf, "", "x", "\ud800", "../x", "a\x00b", [], {}, [[]], [None],
    {"x": None}, [1, "x"],
)  # fmt: skip
_CELLS = (
    "",
    "_",
    " ",
    "\u200c",
    "\u00a0",
    "0",
    "1",
    "-1",
    "1-",
    "9" * 5_000,
    "\u0661",
    "1.1",
    "NOUN",
    "PUNCT",
    "X",
    "1:a|2:b",
    "|",
    "\r",
    "#",
)
_CONTENTS = (b"", b"null", b"[]", b"{}", b"0", b'"x"', b"\xff\xfe", b"[" * 100_000, b"1" * 5_000, b"\x00" * 64, b"PK")


class Believed(Exception):  # noqa: N818 (a finding, not an error of the package)
    """Content was read that differs from what was written."""


def expect(holds: bool, message: str) -> None:
    """Raise `Believed` where a condition does not hold."""
    if not holds:
        raise Believed(message)


# Targets of one text.


def sentences_as_conllu(language: str) -> str:
    """Return toy sentences as CoNLL-U, with a fused word, an empty node and enhanced dependencies."""
    lines = []
    for number, row in enumerate(toy.entities.load(language, "test").select(range(4))):
        lines.append(f"# sent_id = {number}")
        for place, token in enumerate(row["tokens"], start=1):
            if place == 2:
                lines.append(f"2-3\t{token}\t_\t_\t_\t_\t_\t_\t_\t_")
            tag = tasks.udpos.head.labels[(number + place) % 17]
            lines.append(f"{place}\t{token}\t_\t{tag}\t_\t_\t{place - 1}\tdep\t{place - 1}:dep|1:x\t_")
            if place == 3:
                lines.append("3.1\te\t_\tVERB\t_\t_\t_\t_\t_\t_")
        lines.append("")
    return "\n".join(lines) + "\n"


def conllu(folder: Path) -> tuple[Read, list[bytes]]:
    """Read a file of a treebank. The first byte of an input chooses the language, and whether text or cells follow."""
    languages = ("de", "es", "en", "ar")
    valid = sentences_as_conllu("es")
    files = {code: folder / f"ud-treebanks-v2.5/UD_{code}/{code}_toy-ud-test.conllu" for code in languages}
    for file in files.values():
        file.parent.mkdir(parents=True)
        file.touch()

    def read(data: bytes) -> None:
        language = languages[data[0] % len(languages)] if data else "de"
        text = change_cells(valid, data[1:]).encode() if data and data[0] >= 128 else data[1:]
        files[language].write_bytes(text)
        rows = tasks.udpos.load(language, "test", root=folder)
        for row in rows:
            expect(len(row["tokens"]) == len(row["pos_tags"]) > 0, f"words and tags differ in number: {row}")
            expect(all(token.strip() for token in row["tokens"]), f"a word is empty: {row}")
        expect(rows["uid"][:] == list(range(len(rows))), "uids are not the numbers of the rows")

    return read, [bytes([place]) + valid.encode() for place in range(4)] + [
        bytes([128 + n] * 40) for n in range(0, 128, 9)
    ]


def change_cells(text: str, data: bytes) -> str:
    """Return tab-separated lines with a few cells changed as an input says."""
    source = atheris.FuzzedDataProvider(data)
    lines = [line.split("\t") for line in text.split("\n")]
    for _ in range(source.ConsumeIntInRange(1, 6)):
        line = lines[source.ConsumeIntInRange(0, len(lines) - 1)]
        place = source.ConsumeIntInRange(0, len(line) - 1)
        kind = source.ConsumeIntInRange(0, len(_CELLS) + 3)
        if kind < len(_CELLS):
            line[place] = _CELLS[kind]
        elif kind == len(_CELLS):
            line[place] = f"{source.ConsumeIntInRange(0, 9)}-{source.ConsumeIntInRange(0, 9)}"
        elif kind == len(_CELLS) + 1:
            line[place] = str(source.ConsumeIntInRange(0, 30))
        elif kind == len(_CELLS) + 2:
            line[place] = source.ConsumeUnicodeNoSurrogates(4)
        else:
            lines.append(list(line))
    return "\n".join("\t".join(line) for line in lines)


def bucc(folder: Path) -> tuple[Read, list[bytes]]:
    """Read the three official files, which stand one after the other in an input."""
    place = folder / "bucc2018/de-en"
    place.mkdir(parents=True)
    rows = toy.sentences.load("de", "test").select(range(6))
    sides = [
        "".join(f"{code}-{number:06d}\t{text}\n" for number, text in enumerate(rows[column]))
        for code, column in (("de", "source_sentence"), ("en", "target_sentence"))
    ]
    pairs = "".join(f"de-{number:06d}\ten-{number:06d}\n" for number in range(0, 6, 2))

    def read(data: bytes) -> None:
        parts = [*data.split(_BETWEEN, 2), b"", b""][:3]
        for ending, part in zip(("de", "en", "gold"), parts, strict=True):
            (place / f"de-en.training.{ending}").write_bytes(part)
        source, target, gold = (
            tasks.bucc.load("de", f"test{side}", root=folder) for side in (".source", ".target", "")
        )
        expect(set(gold["source_id"]) <= set(source["id"]), "a gold pair has no source sentence")
        expect(set(gold["target_id"]) <= set(target["id"]), "a gold pair has no target sentence")
        expect(len(set(source["id"])) == len(source), "an id is repeated")

    return read, [_BETWEEN.join(part.encode() for part in (*sides, pairs))]


def submission(folder: Path) -> tuple[Read, list[bytes]]:
    """Score one task. The first byte of an input chooses it; then the predictions and the labels of one language."""
    questions = [
        {"id": name, "question": "x", "answers": [{"text": text, "answer_start": 0}]}
        for name, text in (("q0", "an answer"), ("q1", "other"))
    ]
    labels = json.dumps({"data": [{"title": "t", "paragraphs": [{"context": "an answer", "qas": questions}]}]})
    answers = json.dumps({"q0": "an answer", "q1": "another"})
    entities = json.dumps({"m": ["Q1"], "n": ["Q2", "Q1"]})
    tags = "B-PER\nI-PER\nO\n\nB-LOC\nO\n\n"
    texts = {
        **dict.fromkeys(("xquad", "mlqa", "tydiqa"), (answers, labels)),
        **dict.fromkeys(("pawsx", "xnli", "tatoeba"), ("0\n1\n1\n", "1\n0\n1\n")),
        **dict.fromkeys(("panx", "udpos"), (tags, tags)),
        "bucc2018": ("de-1\ten-1\nde-2\ten-1\n", "de-1\ten-1\n"),
        "xcopa": ('{"label": 0}\n{"label": 1}\n', '{"label": 1}\n{"label": 1}\n'),
        "mewslix": (entities, entities),
    }
    chosen = [("xtreme", task) for task in texts if task in xtreme.layout.XTREME.languages]
    chosen += [("xtreme-r", task) for task in texts if task in ("xcopa", "mewslix", "xquad")]
    places = []
    for version, task in chosen:
        languages = xtreme.layout.find_benchmark(version).languages[task]
        base = folder / f"{version}-{task}"
        for side, text in zip(("predictions", "labels"), texts[task], strict=True):
            (base / side / task).mkdir(parents=True)
            for language in languages:
                (base / side / task / xtreme.file_name(task, language)).write_text(text, encoding="utf-8")
        places.append((version, base, Path(task) / xtreme.file_name(task, languages[0])))

    def read(data: bytes) -> None:
        version, base, name = places[data[0] % len(places)] if data else places[0]
        for side, content in zip(("predictions", "labels"), [*data[1:].split(_BETWEEN, 1), b""][:2], strict=True):
            (base / side / name).write_bytes(content)
        scores = xtreme.score_folder(base / "predictions", base / "labels", version=version)
        written = json.dumps(scores)
        expect("NaN" not in written and "Infinity" not in written, f"a score is no number: {written}")
        expect(0 <= scores[name.parent.name]["avg_metric"] <= 100, "a mean is not between 0 and 100")

    seeds = [
        bytes([place]) + _BETWEEN.join(text.encode() for text in texts[task]) for place, (_, task) in enumerate(chosen)
    ]
    return read, seeds


def records(folder: Path) -> tuple[Read, list[bytes]]:  # noqa: ARG001 (nothing is written)
    """Read values after a few changes, and use what was read. The first byte of an input chooses the class."""
    rows = toy.topics.load("es", "train").select(range(9))
    record = xq.history(xq.LabelNoise(0.5)(rows, seed=1))[-1]
    score = xq.Score("toy", "de", "accuracy", 61.25, 40, {"split": "test"})
    points = tuple(xq.Point(0, step, "toy", "de", "accuracy", 40.0 + step, 40) for step in (0, 10, 20))
    history = xq.History(({"steps": 10, "languages": ["de"]},), points)
    result = xq.Result((score,), history, {"mean": 40.5}, {"records": [record.to_dict()]})
    kinds: tuple[tuple[Any, Callable[[Any], object]], ...] = (
        (record, lambda read: xq.history(with_history(rows, [read]))._repr_html_()),
        (score, str),
        (history, lambda read: (read._repr_html_(), read.curve())),
        (result, lambda read: (list(map(str, read.scores)), read.history and read.history.curve())),
    )

    def read(data: bytes) -> None:
        value, use = kinds[data[0] % len(kinds)] if data else kinds[0]
        source = atheris.FuzzedDataProvider(data[1:])
        files = {"value": json.dumps(value.to_dict()).encode()}
        for _ in range(source.ConsumeIntInRange(1, 3)):
            change_json(files, "value", source)
        value = type(value).from_dict(json.loads(files["value"]))
        repr(value), str(value), use(value)
        written = json.dumps(value.to_dict())
        expect(json.dumps(type(value).from_dict(json.loads(written)).to_dict()) == written, "it is not written as read")

    return read, [bytes([place]) + bytes([filled]) * 30 for place in range(len(kinds)) for filled in range(0, 256, 31)]


# Targets of a folder: an input is a list of changes.


class Original:
    """A valid folder, its files in memory, and a copy that is changed by an input and restored afterwards."""

    def __init__(self, folder: Path, copy: Path) -> None:
        self.files = {
            str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()
        }
        self.copy = copy
        self.kept = copy.with_name(f"{copy.name}-kept")
        shutil.copytree(folder, copy)
        shutil.copytree(folder, self.kept)

    @contextlib.contextmanager
    def changed(self, data: bytes) -> Iterator[bool]:
        """Change the copy inside the block; yield whether checksums were written anew."""
        source = atheris.FuzzedDataProvider(data)
        files, anew = dict(self.files), False
        for _ in range(source.ConsumeIntInRange(1, 4)):
            anew |= change(files, source)
        for name in set(self.files) - set(files):
            (self.copy / name).unlink()
        for name, content in files.items():
            if content != self.files.get(name):
                (self.copy / name).parent.mkdir(parents=True, exist_ok=True)
                (self.copy / name).write_bytes(content)
        if anew:
            write_checksums_anew(self.copy)
        try:
            yield anew
        finally:
            shutil.rmtree(self.copy)
            for left in self.copy.parent.glob(f"{self.copy.name}.damaged-*"):
                shutil.rmtree(left)
            shutil.copytree(self.kept, self.copy)


def change(files: dict[str, bytes], source: Any) -> bool:
    """Change one file as an input says; return whether checksums shall be written anew."""
    names = sorted(files)
    if not names:
        return False
    name = names[source.ConsumeIntInRange(0, len(names) - 1)]
    kind = source.ConsumeIntInRange(0, 13)
    if kind <= 4:
        files[name] = change_bytes(files[name], kind, source)
    elif kind == 5:
        files[name] = _CONTENTS[source.ConsumeIntInRange(0, len(_CONTENTS) - 1)]
    elif kind == 6:
        files[name] = files[names[source.ConsumeIntInRange(0, len(names) - 1)]]
    elif kind == 7:
        del files[name]
    elif kind == 8:
        files[f"{name}{source.PickValueInList(['.json', '-1', '.tmp'])}"] = files[name]
    else:
        change_json(files, name, source)
    return kind >= 12


def change_bytes(content: bytes, kind: int, source: Any) -> bytes:
    """Return a file's bytes with some inserted (0), overwritten (1) or cut out (2), cut off (3), or a bit flipped."""
    place = source.ConsumeIntInRange(0, max(len(content) - 1, 0))
    before, after = content[:place], content[place:]
    if kind <= 1:
        written = source.ConsumeBytes(source.ConsumeIntInRange(1, 16))
        return before + written + after[len(written) * kind :]
    if kind == 2:
        return before + after[source.ConsumeIntInRange(1, 64) :]
    if kind == 3 or not content:
        return before
    return before + bytes([content[place] ^ 1 << source.ConsumeIntInRange(0, 7)]) + after[1:]


def change_json(files: dict[str, bytes], name: str, source: Any) -> None:
    """Change one value of a JSON file as an input says: replace it, remove it, or repeat it under another key."""
    try:
        content = json.loads(files[name])
    except (ValueError, RecursionError):
        return
    places: list[tuple[Any, Any]] = []
    waiting = [content]
    while waiting:
        node = waiting.pop()
        inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for place, value in inner:
            places.append((node, place))
            waiting.append(value)
    if not places:
        return
    node, place = places[source.ConsumeIntInRange(0, len(places) - 1)]
    kind = source.ConsumeIntInRange(0, 4)
    if kind <= 2:
        node[place] = _VALUES[source.ConsumeIntInRange(0, len(_VALUES) - 1)]
    elif kind == 3:
        del node[place]
    elif isinstance(node, dict):
        node[f"{place}x"] = node[place]
    else:
        node.append(node[place])
    with contextlib.suppress(UnicodeEncodeError):
        files[name] = json.dumps(content).encode()


def write_checksums_anew(folder: Path) -> None:
    """Write checksums that fit the files in a folder, where it has a file for them."""
    for file in sorted(folder.rglob("*.json"), key=lambda file: file.name == "checksums.json"):
        try:
            content = json.loads(file.read_bytes())
            if not isinstance(content, dict) or "checksum" not in content:
                continue
            del content["checksum"]
            for listed, below in (("files", ""), ("settings", "data")):
                names = content.get(listed)
                for name in names if isinstance(names, dict) else ():
                    names[name] = checksum(file.parent / below / name)
            write_json(file, content, ["run"] if "trial" in content else [])
        except (OSError, ValueError, RecursionError, XqualityError):
            continue


def describe(data: Any) -> dict[str, Any]:
    """Return everything that a loaded dataset says."""
    return {
        "rows": data.to_list(),
        "features": repr(data.features),
        "history": [record.to_dict() for record in xq.history(data)],
        "description": data.info.description,
        "split": str(data.split),
    }


def saved(folder: Path) -> tuple[Read, list[bytes]]:
    """Load a saved dataset."""
    rows = xq.LabelNoise(0.5)(toy.topics.load("es", "train").select(range(20)), seed=1)
    original = Original(xq.save(rows, folder / "original"), folder / "copy")
    right = describe(xq.load(original.copy))

    def read(data: bytes) -> None:
        with original.changed(data) as anew:
            found = describe(xq.load(original.copy))
            expect(anew or found == right, f"another dataset was loaded: {found}")

    return read, [bytes([kind]) * 40 for kind in range(0, 256, 16)]


def store(folder: Path) -> tuple[Read, list[bytes]]:
    """Load a fitted model, or look up a stage in a store, as the first byte of an input says."""
    from xquality.models import tiny_encoder
    from xquality.models.model import weights_digest
    from xquality.train import Fitted, Stage, fit

    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    rows = toy.topics.load("es", "train").select(range(16))
    encoder = tiny_encoder(rows["text"][:], folder=folder / "tiny", pieces=300, width=16, steps=1)

    def train() -> Fitted:
        return fit(
            [Stage(toy.topics, rows, steps=1, batch_size=4)], model=encoder, seed=1, threads=1, store=folder / "store"
        )

    fitted = train()
    right = (weights_digest(fitted.model.network), json.dumps(fitted.history.to_dict()))
    saved_model = Original(fitted.save(folder / "fitted"), folder / "copy")
    (entry,) = (place for place in (folder / "store").iterdir() if (place / "checksums.json").exists())
    stored = Original(entry, folder / "entry-copy")

    def read(data: bytes) -> None:
        original = saved_model if data and data[0] % 2 else stored
        with original.changed(data[1:]) as anew:
            if original is stored:
                shutil.rmtree(entry, ignore_errors=True)
                shutil.copytree(stored.copy, entry)
                found = train()
                for left in entry.parent.glob(f"{entry.name}.damaged-*"):
                    shutil.rmtree(left)
            else:
                found = Fitted.load(saved_model.copy)
            expect(weights_digest(found.model.network) == right[0], "other weights were loaded")
            expect(anew or json.dumps(found.history.to_dict()) == right[1], "another history was loaded")

    return read, [bytes([kind]) * 40 for kind in range(0, 256, 15)]


def finish_cell(rate: float, seed: int) -> xq.Result:
    """Return what a trial returns."""
    score = xq.Score("toy", "de", "accuracy", 60 * (1 - rate) + seed, 40, {"split": "test"})
    points = tuple(xq.Point(0, step, "toy", "de", "accuracy", 30 + step * (1 - rate) + seed, 40) for step in (0, 5, 10))
    return xq.Result((score,), xq.History(({"steps": 10},), points), {"mean": 50.0 + seed}, {"note": "a"})


def study(folder: Path) -> tuple[Read, list[bytes]]:
    """Read the table of a study folder, and summarise it."""
    made = Study(finish_cell, {"rate": [0.0, 0.5], "seed": range(3)}, quality="rate")
    made.run(folder / "original", progress=False)
    original = Original(folder / "original", folder / "copy")
    right = set(made.results(original.copy).astype(str).itertuples(index=False, name=None))
    arms = {arm.name for arm in report.summarise(original.copy).arms}

    def read(data: bytes) -> None:
        with original.changed(data) as anew:
            found = set(made.results(original.copy).astype(str).itertuples(index=False, name=None))
            expect(anew or found <= right, f"other rows were read: {found - right}")
            summary = report.summarise(original.copy)
            expect(anew or {arm.name for arm in summary.arms} <= arms, f"other arms: {summary.arms}")

    return read, [bytes([kind]) * 40 for kind in range(0, 256, 16)]


TARGETS: dict[str, Callable[[Path], tuple[Read, list[bytes]]]] = {
    "conllu": conllu,
    "bucc": bucc,
    "submission": submission,
    "records": records,
    "saved": saved,
    "store": store,
    "study": study,
}


def fuzz(target: str, seconds: float, findings: Path, figures: Path) -> None:
    """Fuzz one target in this process until the time is up; it does not return."""
    warnings.simplefilter("ignore")
    folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{target}-"))
    read, seeds = TARGETS[target](folder)
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    counts = {"executions": 0, "typed": 0, "findings": {}}
    until = time.monotonic() + seconds

    def test_one_input(data: bytes) -> None:
        counts["executions"] += 1
        try:
            read(data)
        except XqualityError:
            counts["typed"] += 1
        except BaseException as fault:  # noqa: BLE001 (a panic of a tokenizer is no Exception)
            frames = [frame for frame in traceback.extract_tb(fault.__traceback__) if "xquality" in frame.filename]
            where = f"{frames[-1].filename.rpartition('xquality/')[2]}:{frames[-1].lineno}" if frames else "?"
            name = f"{type(fault).__name__} at {where}"
            if name not in counts["findings"]:
                counts["findings"][name] = str(fault)[:300]
                kept = findings / f"{target}-{len(list(findings.iterdir()))}"
                kept.write_bytes(data)
                print(f"FINDING {name}: {str(fault)[:300]} (kept in {kept})", flush=True)
        if counts["executions"] % 20 == 0 or time.monotonic() > until:
            figures.write_text(json.dumps(counts), encoding="utf-8")
        if time.monotonic() > until:
            shutil.rmtree(folder)
            os._exit(0)

    settings = [f"-timeout={_SLOWEST}", "-rss_limit_mb=6000", "-max_len=6000", "-print_final_stats=0", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *settings, f"-artifact_prefix={findings}/{target}-", str(corpus)], test_one_input)
    atheris.Fuzz()


def main(target: str, minutes: float, findings: Path) -> int:
    """Fuzz one target in processes of its own, of which one that dies is a finding; print the figures."""
    findings.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + 60 * minutes
    executions, typed, found, deaths = 0, 0, {}, 0
    while time.monotonic() < until - 5:
        with tempfile.TemporaryDirectory() as scratch:
            figures = Path(scratch) / "figures.json"
            command = [sys.executable, __file__, target, "--findings", str(findings), "--figures", str(figures)]
            left = until - time.monotonic()
            ended = subprocess.run([*command, "--seconds", str(left)], check=False)
            counts = json.loads(figures.read_text(encoding="utf-8")) if figures.exists() else {}
        executions, typed = executions + counts.get("executions", 0), typed + counts.get("typed", 0)
        found.update(counts.get("findings", {}))
        if ended.returncode:
            deaths += 1
            print(f"FINDING the process ended with {ended.returncode}; its last input is in {findings}", flush=True)
            if not counts:
                break
    print(
        f"{target}: {executions} executions in {minutes:g} min, {typed} typed errors, {len(found)} kinds of other "
        f"errors or accepted damage, {deaths} crashes or time-outs"
    )
    for name, message in found.items():
        print(f"  {name}: {message}")
    return int(bool(found or deaths or not executions))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--findings", type=Path, default=Path(tempfile.gettempdir()) / "fuzz-findings")
    parser.add_argument("--figures", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.figures:
        fuzz(chosen.target, chosen.seconds, chosen.findings, chosen.figures)
    sys.exit(main(chosen.target, chosen.minutes, chosen.findings))
