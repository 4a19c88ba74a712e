"""Engines of studies: what they cost, what they gain, and what is left after kills, of two drivers and on a full disk.

Each line of the table says what was measured, and how busy the machine was: times count only on a quiet one. The start
of workers is left out: times go from the start of the first cell to the end of the last. The kills hit random workers
of Ray while two drivers share one folder; the files of finished cells must then equal those of an undisturbed run in
process by bytes, times and hosts apart.

python benchmarks/bench_study.py [--cells N] [--kills N] [--seconds S] [--seed N] [--only PART ...]
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import numpy as np

from xquality import Result
from xquality.errors import WriteError
from xquality.study import Processes, Ray, Study

PARTS = ("machinery", "speed-up", "kills", "drivers", "disk")


def empty(number: int, seed: int) -> Result:
    """Return at once."""
    return Result(measures={"score": float(number + seed)})


def compute(number: int, seed: int, seconds: float) -> Result:
    """Compute for some seconds of the processor, not of the clock."""
    until, total = time.process_time() + seconds, 0.0
    while time.process_time() < until:
        total += sum(range(1000))
    return Result(measures={"score": float(number + seed)})


def logged(number: int, seed: int, folder: str) -> Result:
    """Compute for as long as the environment says, which is no part of a trial; leave a line for start and end."""
    name = f"{number}-{seed}"
    with Path(folder, "started").open("a", encoding="utf-8") as lines:
        lines.write(f"{name} {os.getpid()}\n")
    until = time.monotonic() + float(os.environ["BENCH_SECONDS"])
    while time.monotonic() < until:
        sum(range(1000))
    with Path(folder, "ended").open("a", encoding="utf-8") as lines:
        lines.write(f"{name} {os.getpid()}\n")
    return Result(measures={"score": float(number * 10 + seed)}, notes={"filler": "x" * 1000})


def contents(folder: Path) -> dict[str, str]:
    """Return every cell's file without times and host."""
    found = {}
    for file in sorted((folder / "cells").glob("*.json")):
        kept = json.loads(file.read_text(encoding="utf-8"))
        del kept["run"]
        found[file.name] = json.dumps(kept)
    return found


def timed(study: Study, folder: Path, engine: object) -> float:
    """Return the seconds from the start of the first cell of a run to the end of the last, as its files have them."""
    study.run(folder, engine=engine, progress=False)
    files = list((folder / "cells").glob("*.json"))
    ends = [file.stat().st_mtime for file in files]
    lengths = [json.loads(file.read_text(encoding="utf-8"))["run"]["seconds"] for file in files]
    return max(ends) - min(end - length for end, length in zip(ends, lengths, strict=True))


def machinery(cells: int, scratch: Path) -> Iterator[tuple[str, str]]:
    """Yield what a cell costs that does nothing."""
    study = Study(empty, {"number": range(cells), "seed": [0]})
    for name, engine in (("in process", None), ("2 processes", Processes(2)), ("Ray, 2 workers", Ray())):
        cost = timed(study, scratch / name, engine) / cells * 1000
        yield f"{cells} empty cells, {name}", f"{cost:.1f} ms a cell"


def speed_up(seconds: float, scratch: Path) -> Iterator[tuple[str, str]]:
    """Yield how much faster two workers are than one."""
    study = Study(partial(compute, seconds=seconds), {"number": range(20), "seed": [0]})
    cores = len(os.sched_getaffinity(0))
    for name, make in (("processes", Processes), ("Ray", lambda workers: Ray(cpus=cores / workers))):
        one, two = (timed(study, scratch / f"{name} {workers}", make(workers)) for workers in (1, 2))
        yield f"20 cells of {seconds} CPU s, {name}", f"{one:.1f} s with 1 worker, {two:.1f} s with 2: {one / two:.2f}x"


DRIVER = """
import sys
from functools import partial
sys.path.insert(0, {here!r})
from bench_study import logged
from xquality.study import Ray, Study

study = Study(partial(logged, folder={log!r}), {{"number": range({cells}), "seed": [0]}})
study.run({folder!r}, engine={engine}, share=True, progress=False)
"""


def start_drivers(scratch: Path, cells: int, engine: str) -> list[subprocess.Popen[bytes]]:
    """Start two programs that share a study."""
    settings = {"cells": cells, "log": str(scratch), "folder": str(scratch / "shared")}
    program = scratch / "driver.py"
    program.write_text(DRIVER.format(here=str(Path(__file__).parent), engine=engine, **settings), encoding="utf-8")
    return [subprocess.Popen([sys.executable, str(program)]) for _ in range(2)]


def read_lines(file: Path) -> list[list[str]]:
    """Return the words of each line; none before there is a file."""
    return [line.split() for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def kill_some(drivers: list[subprocess.Popen[bytes]], scratch: Path, kills: int, seed: int) -> int:
    """Kill random workers that are running a cell, at random moments; return how many."""
    draw, killed = np.random.default_rng(seed), list[str]()
    while len(killed) < kills and any(driver.poll() is None for driver in drivers):
        time.sleep(float(draw.uniform(0.2, 1.2)))
        ended = {tuple(line) for line in read_lines(scratch / "ended")}
        started = [line for line in read_lines(scratch / "started") if tuple(line) not in ended]
        running = sorted({process for _, process in started if process not in killed})
        if running:
            victim = str(draw.choice(running))
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(victim), signal.SIGKILL)
                killed.append(victim)
    return len(killed)


def kills(number: int, seed: int, scratch: Path) -> Iterator[tuple[str, str]]:
    """Yield what two drivers leave whose workers are killed."""
    import ray

    cells = 6 * number
    study = Study(partial(logged, folder=str(scratch)), {"number": range(cells), "seed": [0]})
    os.environ["BENCH_SECONDS"] = "0"
    calm = contents(study.run(scratch / "calm", progress=False))
    os.environ["BENCH_SECONDS"] = "0.3"
    for name in ("started", "ended"):
        (scratch / name).unlink()
    context = ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        engine = f"Ray(address={context.address_info['gcs_address']!r}, retries=5)"
        drivers = start_drivers(scratch, cells, engine)
        killed = kill_some(drivers, scratch, number, seed)
        codes = [driver.wait() for driver in drivers]
    finally:
        ray.shutdown()
    found = contents(scratch / "shared")
    same = found == calm
    starts = len(read_lines(scratch / "started"))
    yield (
        f"{killed} workers of Ray killed, 2 drivers, {cells} cells",
        f"{'EQUAL' if same and codes == [0, 0] else 'OTHER'} files; {starts} starts, {len(found)} cells, exits {codes}",
    )


def drivers(scratch: Path) -> Iterator[tuple[str, str]]:
    """Yield how two drivers divide the cells."""
    os.environ["BENCH_SECONDS"] = "0.02"
    started = start_drivers(scratch, 200, "None")
    codes = [driver.wait() for driver in started]
    lines = read_lines(scratch / "started")
    shares = sorted([process for _, process in lines].count(process) for process in {process for _, process in lines})
    twice = len(lines) - len({name for name, _ in lines})
    yield (
        "2 drivers in process, 200 cells of 0.02 s",
        f"{twice} twice, {200 - len(contents(scratch / 'shared'))} lost, shares {shares}, exits {codes}",
    )


def disk(scratch: Path) -> Iterator[tuple[str, str]]:
    """Yield what a full disk leaves, and whether the run goes on; it needs root, to mount a small disk."""
    place = scratch / "disk"
    place.mkdir()
    mount, unmount = shutil.which("mount") or "mount", shutil.which("umount") or "umount"
    if subprocess.run([mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], check=False).returncode:
        yield "full disk", "not measured: no small disk could be mounted"
        return
    try:
        study = Study(partial(filling, characters=30_000), {"number": range(20), "seed": [0]})
        (place / "filler").write_bytes(b"0" * 600_000)
        calm = contents(study.run(scratch / "calm", progress=False))
        try:
            study.run(place / "study", progress=False)
            fault = "no error"
        except WriteError as error:
            fault = type(error).__name__
        kept = contents(place / "study")
        believed = all(calm[name] == text for name, text in kept.items())
        (place / "filler").unlink()
        study.run(place / "study", progress=False)
        same = contents(place / "study") == calm
        yield (
            "full disk",
            f"{fault} after {len(kept)} cells, {believed=}; with space again {'EQUAL' if same else 'OTHER'}",
        )
    finally:
        subprocess.run([unmount, str(place)], check=True)


def filling(number: int, seed: int, characters: int) -> Result:
    """Return a result of many characters."""
    return Result(measures={"score": float(number + seed)}, notes={"filler": "x" * characters})


def main(cells: int, number: int, seconds: float, seed: int, only: list[str]) -> None:
    """Print the table."""
    measures = {
        "machinery": lambda scratch: machinery(cells, scratch),
        "speed-up": lambda scratch: speed_up(seconds, scratch),
        "kills": lambda scratch: kills(number, seed, scratch),
        "drivers": drivers,
        "disk": disk,
    }
    for part in only:
        with tempfile.TemporaryDirectory() as scratch:
            for what, found in measures[part](Path(scratch)):
                print(f"| {what} | {found} | load {os.getloadavg()[0]:.1f} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    given = parser.parse_args()
    main(given.cells, given.kills, given.seconds, given.seed, given.only)
