"""What each example counts in a cell's scores (`Score.each`), packed into the cell's file, and the uids of the rows.

The statistics of most metrics take few different values: an accuracy counts 0 or 1 of 1, a macro-F1 depends on the
predicted and the right class. So the different rows of numbers are written once, with the number of its row for each
example, all scores of one language together. bzip2 compresses both, since it writes the same bytes on every system. A
language of 204 examples with accuracy and macro-F1 takes about 150 bytes. What is read back is equal, bit by bit.

The uids of the examples are equal in all cells that score the same rows: `rows/<digest>.json` in the study folder holds
them once for each digest of rows, the `data` of a score's signature.
"""

import base64
import bz2
import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from xquality._stored import read_json, write_json
from xquality.errors import DamagedError
from xquality.records import Deferred, Score

_ROWS = "rows"  # the folder of uids
_DIGEST = re.compile("[0-9a-f]{8,64}")  # a file name on every system

Floats = NDArray[np.float64]


def fault_of_statistics(scores: Sequence[Score]) -> str | None:
    """Return what is wrong with the statistics or the uids of scores; None if nothing is."""
    for score in scores:
        each, uids = score.each, score.uids
        named = f"{score.metric} in {score.language}"
        if each is not None and not (
            isinstance(each, np.ndarray) and each.ndim == 3 and each.shape[1] and each.shape[2] == 2
        ):
            return f"the statistics of {named} must be an array of shape (examples, parts, 2)"
        if each is not None and (each.dtype.kind not in "bif" or each.dtype.itemsize > 8):
            return f"the statistics of {named} must be numbers, not {each.dtype}"
        if uids is not None and not (
            isinstance(uids, tuple) and all(type(uid) in {int, str} for uid in uids) and len(uids) == score.rows
        ):
            return f"the uids of {named} must be a tuple of {score.rows} integers or strings"
    return None


def pack(scores: Sequence[Score]) -> dict[str, Any] | None:
    """Return the statistics of scores as plain JSON values, to be written with them; None where no score has any.

    Args:
        scores: the scores of a cell.
    """
    languages: dict[Any, list[int]] = {}  # the scores of the same examples, by their places
    for place, score in enumerate(scores):
        if score.each is not None:
            same = score.task, score.language, score.signature.get("data"), len(score.each)
            languages.setdefault(same, []).append(place)
    shapes: dict[tuple[int, ...], list[list[int]]] = {}  # those that have equal numbers of parts share their values
    for places in languages.values():
        shapes.setdefault(tuple(_statistics(scores[place]).shape[1] for place in places), []).append(places)
    kept = {_rows_name(score) for score in scores if score.uids is not None} - {""}
    packed = {
        "statistics": [_pack_together(scores, places, parts) for parts, places in shapes.items()],
        "uids": sorted(kept),
    }
    return packed if languages or kept else None


def _statistics(score: Score) -> Floats:
    """Return the statistics of a score that has them."""
    assert score.each is not None
    return score.each


def _pack_together(scores: Sequence[Score], places: list[list[int]], parts: tuple[int, ...]) -> dict[str, Any]:
    """Return the statistics of several languages, whose scores have the same numbers of parts."""
    sides = [
        [_statistics(scores[place]).reshape(-1, 2 * count) for place, count in zip(group, parts, strict=True)]
        for group in places
    ]
    whole = np.concatenate([np.concatenate(side, axis=1, dtype="<f8") for side in sides])
    different, numbers = _number_rows(whole)
    content = different.tobytes() + numbers.tobytes()
    shared = len(content) < whole.nbytes
    return {
        "scores": places,
        "parts": list(parts),
        "examples": [len(side[0]) for side in sides],
        "different": len(different) if shared else None,
        "bytes": base64.b64encode(bz2.compress(content if shared else whole.tobytes())).decode(),
    }


def _number_rows(whole: Floats) -> tuple[Floats, NDArray[Any]]:
    """Return the different rows of a table, and for each row its number among them, as small integers."""
    rows = np.ascontiguousarray(whole).view(np.dtype((np.void, whole.itemsize * whole.shape[1]))).ravel()
    different, numbers = np.unique(rows, return_inverse=True)  # by bytes, so that 0.0 and -0.0 are two numbers
    table = different.view(np.float64).reshape(len(different), whole.shape[1])
    return table, numbers.ravel().astype(_number_type(len(different)))


def _number_type(count: int) -> str:
    """Return the type of the smallest integers that number so many rows."""
    return "u1" if count <= 1 << 8 else "<u2" if count <= 1 << 16 else "<u4"


def unpack(packed: Mapping[str, Any], scores: Sequence[Score], file: Path) -> tuple[Score, ...]:
    """Return scores with their statistics and uids, which are read when they are first used.

    Args:
        packed: what `pack` returned.
        scores: the scores as their JSON has them.
        file: the file of the cell, in the folder `cells` of the study folder.

    Raises:
        ValueError, KeyError, TypeError: where `packed` is something else.
    """
    each: dict[int, Any] = {}
    for group in packed["statistics"]:
        together = _Together(
            tuple(map(int, group["parts"])),
            tuple(map(int, group["examples"])),
            None if group["different"] is None else int(group["different"]),
            str(group["bytes"]),
            file,
        )
        if min((*together.parts, *together.examples, together.different or 0), default=0) < 0:
            raise ValueError("the statistics have a negative size")
        for number, places in enumerate(group["scores"]):
            for column, place in enumerate(places):
                if place in each or not 0 <= place < len(scores) or len(places) != len(together.parts):
                    raise ValueError("the statistics are of other scores")
                each[place] = Deferred(functools.partial(together.read, number, column))
    kept = {name for name in packed["uids"] if _DIGEST.fullmatch(name)}
    folder = file.parent.parent
    uids: dict[str, Any] = {name: Deferred(functools.partial(read_uids, folder, name)) for name in kept}
    return tuple(
        replace(score, each=each.get(place), uids=uids.get(_rows_name(score))) for place, score in enumerate(scores)
    )


@final
@dataclass(frozen=True)
class _Together:
    """The packed statistics of several languages.

    Attributes:
        parts: the number of parts of each metric.
        examples: the number of examples of each language.
        different: the number of different rows of numbers; None where all are written.
        content: their bytes, compressed, in base 64.
        file: the file that they were read from, for the message.
    """

    parts: tuple[int, ...]
    examples: tuple[int, ...]
    different: int | None
    content: str
    file: Path

    def read(self, number: int, column: int) -> Floats:
        """Return the statistics of one language and metric, shape (examples, parts, 2).

        Raises:
            DamagedError: where the content is none that `pack` wrote.
        """
        start, left = sum(self.examples[:number]), 2 * sum(self.parts[:column])
        own = self._table[start : start + self.examples[number], left : left + 2 * self.parts[column]]
        return own.reshape(len(own), self.parts[column], 2)

    @functools.cached_property
    def _table(self) -> Floats:
        """The numbers of all languages and metrics, shape (examples, 2 x parts)."""
        total, width = sum(self.examples), 2 * sum(self.parts)
        count = total if self.different is None else self.different
        table_size = count * width * 8
        number_type = _number_type(count)
        size = table_size + (0 if self.different is None else total * np.dtype(number_type).itemsize)
        try:
            reader = bz2.BZ2Decompressor()
            content = reader.decompress(base64.b64decode(self.content, validate=True), size + 1)
            fault = "" if len(content) == size and reader.eof else f"not {size} bytes"
            numbers = np.frombuffer(content[table_size:], number_type)
        except (ValueError, OSError, OverflowError) as error:
            fault = str(error)
        if fault or (len(numbers) and numbers.max() >= count):
            raise DamagedError(
                f"{self.file} holds statistics of examples that cannot be read ({fault or 'a number is too large'}); "
                "run the cell again."
            )
        table = np.frombuffer(content[:table_size], "<f8").astype(np.float64).reshape(count, width)
        return table if self.different is None else table[numbers]


def write_uids(folder: Path, scores: Sequence[Score]) -> None:
    """Write the uids of the rows of scores, those that the study folder does not have yet."""
    for name, score in {_rows_name(score): score for score in scores if score.uids is not None}.items():
        file = folder / _ROWS / f"{name}.json"
        if name and not file.exists():
            write_json(file, {"data": name, "uids": list(score.uids or ())}, compact=True)


def read_uids(folder: Path, name: str) -> tuple[int | str, ...]:
    """Return the uids of the rows with a digest.

    Raises:
        DamagedError: where their file is missing, or has other content than was written.
    """
    uids = read_json(folder / _ROWS / f"{name}.json", {"data": name}).get("uids")
    if not isinstance(uids, list) or not all(type(uid) in {int, str} for uid in uids):
        raise DamagedError(f"{folder / _ROWS / name}.json holds no uids; delete it and run one of its cells again.")
    return tuple(uids)


def _rows_name(score: Score) -> str:
    """Return the digest of a score's rows, where its signature has one that can name a file; empty otherwise."""
    digest = score.signature.get("data")
    return digest if isinstance(digest, str) and _DIGEST.fullmatch(digest) else ""
