"""One run of a pipeline of programs, with a limit on the time without output, and nothing left running."""

import contextlib
import os
import select
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from xquality.errors import NotInstalledError, TranslationError

_BLOCK = 1 << 16  # bytes
_NOT_FOUND = 127  # the shell's exit status where a program is missing
_LAST_BYTES = 2000  # of what the programs said on stderr, for the message


def run_pipeline(line: str, arguments: Sequence[str], data: bytes, seconds: float, owner: str) -> bytes:
    """Return what a shell's pipeline prints when it is given `data`.

    Args:
        line: the pipeline, as bash reads it; `$1` and so on stand for the arguments.
        arguments: these.
        data: the whole input.
        seconds: how long the pipeline may print nothing.
        owner: whose pipeline it is, for messages.

    Raises:
        NotInstalledError: where one of the programs is missing.
        TranslationError: where it prints nothing for too long, or one of the programs fails or is killed.
    """
    command = ["bash", "-o", "pipefail", "-c", line, "bash", *arguments]
    with tempfile.TemporaryFile() as said, _start(command, said, owner) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        writer = threading.Thread(target=_write, args=(process.stdin, data), daemon=True)
        writer.start()
        printed, deadline = [], time.monotonic() + seconds
        while True:
            ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TranslationError(
                    f"{owner} printed nothing for {seconds:g} seconds and was stopped; raise timeout=, or check the "
                    "engine with fewer texts."
                )
            block = os.read(process.stdout.fileno(), _BLOCK)
            if not block:
                break
            printed.append(block)
            deadline = time.monotonic() + seconds
        status = process.wait()
        if status:
            said.seek(0)
            raise _failure(owner, status, said.read())
    return b"".join(printed)


@contextmanager
def _start(command: Sequence[str], said: IO[bytes], owner: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a command in a process group of its own; the whole group is killed when the block ends."""
    pipe = subprocess.PIPE
    # The locale decides how the programs read text: it must not be the user's.
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    try:
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=said, env=environment, process_group=0)  # noqa: S603 (the engine's own programs)
    except FileNotFoundError as error:
        raise NotInstalledError(f"{owner} needs bash; install it with: apt-get install bash.") from error
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                stream.close()  # type: ignore[union-attr]  # both are pipes


def _write(stream: IO[bytes], data: bytes) -> None:
    """Write all input and close it; a program that ends early shows in its exit status."""
    with contextlib.suppress(OSError, ValueError), stream:
        stream.write(data)


def _failure(owner: str, status: int, said: bytes) -> NotInstalledError | TranslationError:
    """Return the error for a pipeline that failed."""
    lines = said[-_LAST_BYTES:].decode(errors="replace").strip().splitlines()
    message = f": {lines[-1].strip().rstrip('.')}" if lines else ""
    if status == _NOT_FOUND:
        return NotInstalledError(f"{owner} needs a program that is missing{message}; install it and try again.")
    number = status - 128 if status > 128 else -status
    ending = f"was killed by signal {number}" if number > 0 else f"failed with exit status {status}"
    return TranslationError(f"{owner} {ending}{message}; nothing of this call is believed, so call it again.")
