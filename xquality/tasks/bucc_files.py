"""The files of BUCC 2018: two heaps of sentences and the gold pairs between them."""

from collections.abc import Collection
from pathlib import Path

from xquality.data.local_files import line_error, read_lines


def read_heap(file: Path) -> dict[str, str]:
    """Return the sentences of a heap by their ids, in the file's order. Each line is an id, a tab and a sentence.

    Raises:
        DamagedError: for a line of another form, or an id that stands twice, naming the line.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(read_lines(file), start=1):
        name, tab, sentence = line.partition("\t")
        if not tab or not name.strip():
            raise line_error(file, number, "an id, a tab and a sentence were expected")
        if name in found:
            raise line_error(file, number, f"the id {name!r} stands there for the second time")
        found[name] = sentence
    return found


def read_gold(file: Path, source: Collection[str], target: Collection[str]) -> list[tuple[str, str]]:
    """Return the gold pairs, in the file's order. Each line is a source id, a tab and a target id.

    Args:
        file: the file.
        source: the ids of the source heap.
        target: the ids of the target heap.

    Raises:
        DamagedError: for a line of another form, or an id that its heap does not have, naming the line.
    """
    pairs = []
    for number, line in enumerate(read_lines(file), start=1):
        one, tab, other = line.partition("\t")
        if not tab or "\t" in other:
            raise line_error(file, number, "two ids with a tab between them were expected")
        for name, heap in ((one, source), (other, target)):
            if name not in heap:
                raise line_error(file, number, f"the id {name!r} is not in its heap")
        pairs.append((one, other))
    return pairs
