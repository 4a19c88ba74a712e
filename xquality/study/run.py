"""StudyRun: runs the cells of a study that are not finished, by an engine, and writes each when it returns."""

import contextlib
import os
import shlex
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, final

from tqdm import tqdm

from xquality._files import lock_folder, remove_unfinished
from xquality._stored import set_aside
from xquality.errors import DamagedError, StudyError, WriteError, first_line, warn
from xquality.study.cell_loop import CellLoop, CellQueue
from xquality.study.cells import (
    Cell,
    Failed,
    Finished,
    cell_file,
    has_study,
    list_cell_files,
    read_cell,
    read_cell_files,
    read_study,
    remove_failure,
    show_cell,
    study_file,
    sync_cells,
    write_cell,
    write_failure,
    write_study,
)
from xquality.study.claims import lock_study
from xquality.study.engines.base import Engine
from xquality.study.trial_identity import TrialIdentity, TrialReader
from xquality.study.trial_runner import Outcome, TrialRunner
from xquality.study.trial_source import write_trial

_MOST_NAMED = 5  # failures, or names that have changed, in one message


@final
class InterruptedStudyError(SystemExit, KeyboardInterrupt):
    """A study was interrupted: a `KeyboardInterrupt` that ends a program with status 130 and without a traceback."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.code = 130  # as a shell reports an interrupt


@final
class StudyRun:
    """One run of a study in its folder."""

    def __init__(
        self,
        trial: Callable[..., Any],
        cells: Sequence[Cell],
        settings: Mapping[str, Any],
        folder: Path,
        *,
        engine: Engine,
        stop: bool,
        share: bool,
        progress: bool,
    ) -> None:
        """Read the trial's identity.

        Args:
            trial: the function of a cell.
            cells: all cells of the study, in the order in which they are run.
            settings: the study's, for `study.json`.
            folder: where the study is kept.
            engine: where cells are run.
            stop: start no further cell after one that fails.
            share: let other drivers run cells of the study in the same folder.
            progress: show a bar, and write what was finished before and what fails.

        Raises:
            StudyError: if the trial is not a Python function.
        """
        self._cells, self._settings, self._engine = cells, settings, engine
        self._shown, self._folder = folder, folder.absolute()  # a trial may change the working directory
        self._stop, self._share, self._progress = stop, share, progress
        reader = TrialReader(trial)
        self._identity = reader.read()
        self._runner = TrialRunner(trial, reader)
        self._text = write_trial(trial)  # now: the file may be edited while the study runs
        self._start = self._identity  # with what the study started with, for what the trial changes itself
        self._changing: dict[str, str] = {}  # what the trial changes itself, with its last digest
        self._is_noted = True  # whether the settings of the study hold them
        self._synced = 0.0  # when the folder of cells was last flushed to disk

    def run(self) -> None:
        """Run every cell that is not finished."""
        self._warn_of_unfollowed()
        if self._is_complete():
            self._write_line(f"{len(self._cells)} of {len(self._cells)} cells were finished before.")
            return
        with lock_study(self._folder, self._shown, share=self._share) as lock:
            self._check_folder()
            unfinished = self._list_unfinished()
            if lock.is_alone:
                remove_unfinished(self._folder)
                remove_unfinished(self._folder / "cells")
                remove_unfinished(self._folder / "rows")
                self._write_study()
            else:
                self._check_same_settings()
            if self._share:
                lock.share()
            self._run_cells(unfinished, share=self._share)

    def _check_same_settings(self) -> None:
        """Raise where the drivers that run the study now run it with other axes, whose settings are in the folder."""
        stored = read_study(self._folder)
        different = [name for name, setting in self._settings.items() if stored[name] != setting]
        if different:
            raise StudyError(
                f"The study that others run in {self._shown} has another {_join(different)}; start all with the same "
                "study, or wait for them."
            )

    def _write_line(self, line: str) -> None:
        """Write a line to standard error, past the bar."""
        if self._progress:
            tqdm.write(line, file=sys.stderr)

    def _warn_of_unfollowed(self) -> None:
        """Warn of what the trial reaches and cannot be compared."""
        found = self._identity.unfollowed
        if found:
            name, reason = next(iter(found.items()))
            warn(
                f"A change of {_join(found)} in the trial goes unnoticed, since its content cannot be compared "
                f"({name}: {reason}); make it in the trial from plain values, or take a new folder when it changes."
            )

    def _is_complete(self) -> bool:
        """Return whether the folder holds this study with all its cells, so that nothing need be written."""
        try:
            stored = read_study(self._folder)
            trial = keep_changing(stored, self._identity)
            return (
                not changed_parts(stored, self._identity)
                and all(stored[name] == setting for name, setting in self._settings.items())
                and all(read_cell(self._folder, cell, trial) is not None for cell in self._cells)
            )
        except (StudyError, DamagedError):
            return False  # what is wrong is said with the folder locked

    def _check_folder(self) -> None:
        """Read what the folder holds; raise where it is something else, or of another trial.

        Raises:
            StudyError: if the folder holds other files, or cells of another trial.
        """
        stored, fault = None, None
        if has_study(self._folder):
            try:
                stored = read_study(self._folder)
            except StudyError as error:
                fault = error
        if stored is None:
            self._check_folder_without_study()
            if fault is not None:
                then = "it is written anew; the cells that the present trial finished are kept"
                set_aside(study_file(self._folder), DamagedError(str(fault.__cause__)), then)
            return
        changed = changed_parts(stored, self._identity)
        if changed and list_cell_files(self._folder):
            raise StudyError(changed_sentence(self._shown, changed, "name a new folder, or restore the trial"))
        if not changed:
            self._start = keep_changing(stored, self._identity)
            self._changing = dict(stored["changing"])
            self._warn_of_differences(stored)

    def _check_folder_without_study(self) -> None:
        """Raise where a folder without settings of a study holds something else, or cells of another trial only."""
        if list_cell_files(self._folder):
            finished, left_out = read_cell_files(self._folder, self._identity)
            if left_out and not finished:
                raise StudyError(
                    f"{self._shown} has no {study_file(self._folder).name} that can be read, and no cell in it was "
                    "finished by the present trial; name a new folder, or restore the trial."
                )
            if not has_study(self._folder):
                warn(
                    f"{self._shown} has lost its {study_file(self._folder).name}, which is written anew; the "
                    f"{len(finished)} cells that the present trial finished are kept."
                )
            return
        allowed = {"cells", "failed", "rows", study_file(self._folder).name}
        if any(not entry.name.startswith(".") and entry.name not in allowed for entry in self._folder.iterdir()):
            raise StudyError(f"{self._shown} holds other files and no study; name a new folder.")

    def _warn_of_differences(self, stored: Mapping[str, Any]) -> None:
        """Warn of what differs from the last run and decides results only perhaps."""
        paths = [name for name, path in self._identity.paths.items() if stored["paths"].get(name, path) != path]
        if paths:
            warn(
                f"The trial reads other paths than when the cells in {self._shown} were run ({_join(paths)}); these "
                "cells are kept, so make sure that the same content lies there."
            )
        parts = self._identity.parts
        changing = [
            name
            for name, last in stored["changing"].items()
            if name in parts and parts[name] not in {stored["parts"].get(name), last}
        ]
        if changing:
            warn(
                f"The trial changes {_join(changing)} while it runs, and has another value there than when the cells "
                f"in {self._shown} were run; these cells are kept, so make sure that no result depends on it."
            )

    def _list_unfinished(self) -> list[Cell]:
        """Return the cells to run, after setting aside the files that are not believed."""
        unfinished = []
        for cell in self._cells:
            try:
                finished = read_cell(self._folder, cell, self._start)
            except DamagedError as error:
                finished = None
                set_aside(cell_file(self._folder, cell), error, "the cell is run again")
            if finished is None:
                unfinished.append(cell)
        return unfinished

    def _write_study(self) -> None:
        """Write the study's settings, and what the trial reaches."""
        settings = {
            **self._settings,
            "source": self._start.digest(self._changing),
            "parts": dict(sorted(self._start.parts.items())),
            "paths": dict(sorted(self._identity.paths.items())),
            "changing": dict(sorted(self._changing.items())),
            "made": {"command": _command(), "trial": self._text},
        }
        write_study(self._folder, settings)

    def _run_cells(self, unfinished: Sequence[Cell], *, share: bool) -> None:
        """Run cells by the engine.

        Raises:
            StudyError: if a cell failed and no further one is to be started, or no cell of the study is finished.
            KeyboardInterrupt: if the study is interrupted.
        """
        total, done = len(self._cells), len(self._cells) - len(unfinished)
        if done:
            self._write_line(f"{done} of {total} cells were finished before.")
        place = self._folder.stat()
        queue = CellQueue(self._folder, unfinished, self._start, share=share)
        bar = tqdm(total=total, initial=done, unit="cell", disable=not self._progress)

        def keep(outcome: Outcome) -> None:
            self._check_still_there(place, loop.done)
            self._keep(outcome)

        retries = self._engine.retries
        loop = CellLoop(queue, keep, self._write_line, bar, done, most_retries=retries, stop=self._stop)
        try:
            if unfinished:
                with bar, self._engine.open(self._runner, self._folder) as pool:
                    loop.run(pool)
        except KeyboardInterrupt:
            with contextlib.suppress(StudyError, WriteError):
                self._write_changes()
            raise self._interrupt(list(loop.running.values()), loop.done) from None
        finally:
            queue.close()
            sync_cells(self._folder)
        self._check_still_there(place, loop.done)
        self._write_changes()
        self._check_none_lost(loop.done)
        self._say_failures(loop.failures, loop.done)

    def _keep(self, outcome: Outcome) -> None:
        """Write a cell that is finished or failed, and what its trial has changed.

        Raises:
            WriteError: if it cannot be written: then every further one would be lost too.
        """
        cell = outcome.cell
        try:
            self._note_changes(outcome.changed)
            if outcome.result is not None:
                trial, changing = self._start.digest(self._changing), tuple(sorted(self._changing))
                write_cell(self._folder, Finished(cell, outcome.result, outcome.versions, outcome.run, trial, changing))
                remove_failure(self._folder, cell)
                self._sync_now_and_then()
            else:
                write_failure(self._folder, Failed(cell, outcome.error, outcome.traceback, outcome.run))
        except WriteError as error:
            raise WriteError(
                f"The result at {show_cell(cell)} could not be kept: {first_line(error)}. Run the study again "
                "afterwards, which goes on with this cell."
            ) from error

    def _sync_now_and_then(self) -> None:
        """Flush the folder of cells to disk, at most once a second: each file is flushed when it is written."""
        if time.monotonic() - self._synced > 1:
            sync_cells(self._folder)
            self._synced = time.monotonic()

    def _check_still_there(self, place: os.stat_result, done: int) -> None:
        """Raise where the folder was deleted or replaced while the study ran.

        Raises:
            StudyError: if the folder is not the one that was locked, or has lost the study's settings.
        """
        try:
            now = self._folder.stat()
            there = (now.st_dev, now.st_ino) == (place.st_dev, place.st_ino) and has_study(self._folder)
        except OSError:
            there = False
        if not there:
            raise StudyError(
                f"The folder {self._shown} was deleted or replaced while the study ran, with the {done} cells that "
                "were finished; run the study again."
            )

    def _check_none_lost(self, done: int) -> None:
        """Raise where files of finished cells were deleted while the study ran."""
        there = sum(cell_file(self._folder, cell).exists() for cell in self._cells)
        if there < done:
            raise StudyError(
                f"{done - there} of the {done} cells that were finished in {self._shown} were deleted while the study "
                "ran; run it again."
            )

    def _note_changes(self, changed: Mapping[str, str]) -> None:
        """Note what the trial has changed itself, which cannot be part of its identity."""
        is_new = not set(changed) <= set(self._changing)
        self._changing |= changed
        self._is_noted = self._is_noted and not changed
        if is_new:
            self._write_changes()

    def _write_changes(self) -> None:
        """Write what the trial has changed itself, unless that is written."""
        if not self._is_noted:
            with lock_folder(self._folder):  # of several drivers, each notes what its trial has changed
                self._changing = {**read_study(self._folder)["changing"], **self._changing}
                self._write_study()
            self._is_noted = True

    def _interrupt(self, running: Sequence[Cell], done: int) -> BaseException:
        """Return the error for an interrupted study, after writing its sentence."""
        where = f" at {_join(list(map(show_cell, running)))}" if running else ""
        sentence = (
            f"Interrupted{where}; {done} of {len(self._cells)} cells are finished, and running the study "
            "again goes on with the others."
        )
        if hasattr(sys, "ps1"):  # an interpreter or a notebook, which goes on
            return KeyboardInterrupt(sentence)
        sys.stderr.write(f"{sentence}\n")
        return InterruptedStudyError(sentence)

    def _say_failures(self, failures: Sequence[tuple[Failed, Exception]], done: int) -> None:
        """Warn of the cells that failed.

        Raises:
            StudyError: if no further cell was to be started, or no cell of the study is finished.
        """
        if not failures:
            return
        named = [f"{show_cell(failed.cell)} ({failed.error})" for failed, _ in failures]
        kept = f"the traceback is in {self._shown / 'failed'}, and the next run tries again"
        if self._stop:
            raise StudyError(f"The trial failed at {named[-1]}; {kept}.") from failures[-1][1]
        counted = f"{len(failures)} of {len(self._cells)} cells failed: {_join(named)}; {kept}."
        if not done:
            raise StudyError(counted) from failures[0][1]
        warn(counted)


def changed_parts(stored: Mapping[str, Any], identity: TrialIdentity) -> list[str]:
    """Return the names of what a trial reaches and that has changed since the settings of a study were stored."""
    before, now = stored["parts"], identity.parts
    names = [name for name in {**before, **now} if name not in stored["changing"]]
    return sorted(name for name in names if before.get(name) != now.get(name))


def changed_sentence(folder: Path, changed: Sequence[str], end: str) -> str:
    """Return the sentence that says that a trial has changed, and what of it."""
    return f"The trial has changed since the cells in {folder} were run ({_join(changed)}); {end}."


def keep_changing(stored: Mapping[str, Any], identity: TrialIdentity) -> TrialIdentity:
    """Return an identity with the values that a study started with, for what the trial changes itself."""
    kept = {name: stored["parts"][name] for name in stored["changing"] if name in stored["parts"]}
    parts = {name: part for name, part in identity.parts.items() if name not in stored["changing"]}
    return replace(identity, parts={**parts, **kept})


def _join(names: Collection[str]) -> str:
    """Return names as a list in a sentence, the first few of many."""
    shown = ", ".join(list(names)[:_MOST_NAMED])
    return shown if len(names) <= _MOST_NAMED else f"{shown} and {len(names) - _MOST_NAMED} more"


def _command() -> str:
    """Return the command that runs the study, as typed into a shell; empty in an interpreter or a notebook."""
    interactive = hasattr(sys, "ps1") or "ipykernel" in sys.modules
    return "" if interactive else shlex.join(["python", *sys.argv])
