"""A read-only Hub on the loopback interface, for tests: it serves `datasets` and `transformers`, and fails on demand."""

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

Files = Mapping[str, bytes]


@dataclass
class Fault:
    """A kind of failure: the first `times` requests whose path ends in `path` are answered wrongly.

    Attributes:
        kind: "busy" answers 503; "cut" closes the connection in the middle of a file; "short" sends half of a file as
            if it were whole; "torn" stores a file without its second half, with sizes that agree.
        path: the end of the path.
        times: the number of requests that fail.
    """

    kind: str
    path: str
    times: int = 1


@dataclass
class Hub:
    """Repositories at revisions, served until the block ends.

    Attributes:
        repositories: "datasets/owner/name" or "owner/name" to revision to path to bytes.
        faults: the failures; tests add to the list and clear it.
        requests: every request, as "GET /path".
    """

    repositories: dict[str, dict[str, Files]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        hub = self

        class Bound(_Handler):
            """The request handler of this hub."""

            served = hub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Bound)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The address, for HF_ENDPOINT."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def next_fault(self, path: str, *kinds: str) -> Fault | None:
        """Return the fault that applies to this request, and count it; None if there is none."""
        for fault in self.faults:
            if fault.times > 0 and fault.kind in kinds and path.endswith(fault.path):
                fault.times -= 1
                return fault
        return None

    def stored(self, path: str, content: bytes, *, sent: bool) -> bytes:
        """Return a file as it is stored; a torn one is whole again after it was sent as often as its fault says."""
        for fault in self.faults:
            if fault.kind == "torn" and fault.times > 0 and path.endswith(fault.path):
                fault.times -= sent
                return content[: len(content) // 2]
        return content


class _Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    served: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the parent's name)
        """Print nothing."""

    def do_GET(self) -> None:
        """Answer with a file, a list of files or what a revision is."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer with a file's headers."""
        self._answer()

    def do_POST(self) -> None:
        """Answer which of the requested paths exist."""
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path).strip("/")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.served.requests.append(f"{self.command} /{path}")
        if self.served.next_fault(path, "busy"):
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "")
            return
        api = path.startswith("api/")
        name, rest = self._repository(path.removeprefix("api/models/").removeprefix("api/"))
        if name not in self.served.repositories:
            self._refuse(HTTPStatus.UNAUTHORIZED, "RepoNotFound")
            return
        verb, _, rest = rest.partition("/")
        revision, _, file = rest.partition("/")
        revisions = self.served.repositories[name]
        sha = next(reversed(revisions)) if revision in ("", "main") else revision
        if sha not in revisions:
            self._refuse(HTTPStatus.NOT_FOUND, "RevisionNotFound")
        elif verb == "resolve" and not api:
            self._file(path, sha, revisions[sha].get(file))
        elif verb == "tree":
            self._tree(file, revisions[sha])
        elif verb == "paths-info":
            paths = json.loads(body)["paths"] if body.startswith(b"{") else []
            self._json([_entry(file, revisions[sha][file]) for file in paths if file in revisions[sha]])
        else:
            siblings = [{"rfilename": file} for file in revisions[sha]]
            self._json({"id": name.removeprefix("datasets/"), "sha": sha, "siblings": siblings, "tags": []})

    def _repository(self, path: str) -> tuple[str, str]:
        """Return a repository's name and the rest of the path."""
        parts = path.split("/")
        length = 3 if parts[0] == "datasets" else 2
        return "/".join(parts[:length]), "/".join(parts[length:])

    def _tree(self, folder: str, files: Files) -> None:
        """List the content of a folder."""
        inside = {path: content for path, content in files.items() if not folder or path.startswith(f"{folder}/")}
        if folder and not inside:
            self._refuse(HTTPStatus.NOT_FOUND, "EntryNotFound")
            return
        entries: dict[str, dict[str, Any]] = {}
        recursive = "recursive=true" in self.path.lower()
        for path, content in inside.items():
            rest = path.removeprefix(f"{folder}/" if folder else "")
            top, _, deeper = rest.partition("/")
            if recursive or not deeper:
                entries[path] = _entry(path, content)
            else:
                inner = f"{folder}/{top}" if folder else top
                entries[inner] = {"type": "directory", "path": inner, "oid": "0" * 40, "size": 0}
        self._json(list(entries.values()))

    def _file(self, path: str, sha: str, content: bytes | None) -> None:
        """Send a file, or its headers."""
        if content is None:
            self._refuse(HTTPStatus.NOT_FOUND, "EntryNotFound")
            return
        stored = self.served.stored(path, content, sent=self.command == "GET")
        fault = self.served.next_fault(path, "cut", "short") if self.command == "GET" else None
        start = 0
        span = self.headers.get("Range")
        if span:
            first, _, last = span.removeprefix("bytes=").partition("-")
            start, end = int(first), int(last) + 1 if last else len(stored)
        else:
            end = len(stored)
        piece = stored[start:end]
        sent = piece[: len(piece) // 2] if fault else piece
        self.send_response(HTTPStatus.PARTIAL_CONTENT if span else HTTPStatus.OK)
        if span:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(stored)}")
        self.send_header("Content-Length", str(len(sent if fault and fault.kind == "short" else piece)))
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", sha)
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(sent)
        if fault:
            self.close_connection = True

    def _json(self, value: Any) -> None:
        """Send JSON."""
        content = json.dumps(value).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _refuse(self, status: HTTPStatus, code: str) -> None:
        """Send an error with the Hub's error code."""
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()


def _entry(path: str, content: bytes) -> dict[str, Any]:
    """Return the entry of a file in a tree."""
    return {
        "type": "file",
        "path": path,
        "oid": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        "size": len(content),
    }
