"""Text files read line by line, with errors that name the line."""

from pathlib import Path

from xquality.errors import DamagedError


def read_lines(file: Path) -> list[str]:
    """Return a file's lines without their ends: line feeds, or those of other systems; other separators are text.

    Raises:
        DamagedError: for bytes that are not UTF-8, naming the line.
    """
    try:
        text = file.read_text(encoding="utf-8", errors="strict")
    except UnicodeDecodeError as fault:
        number = file.read_bytes()[: fault.start].count(b"\n") + 1
        raise line_fault(file, number, "the bytes are not UTF-8") from fault
    lines = text.removeprefix("\ufeff").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def line_fault(file: Path, number: int, what: str) -> DamagedError:
    """Return the error for one line of a file."""
    return DamagedError(f"{file}, line {number}: {what}; restore or mend the file.")
