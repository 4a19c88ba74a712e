"""A writable dataset Hub on the loopback interface, for tests: it answers uploads and downloads and keeps every commit."""

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

Files = dict[str, bytes]


class LoopbackHub:
    """Repositories with their commits, the newest last; use it in a with statement.

    Attributes:
        commits: for each repository its commits, each a commit id, a message and all files.
        refuse: messages of commits that are answered with an error.
    """

    def __init__(self) -> None:
        self.commits: dict[str, list[tuple[str, str, Files]]] = {}
        self.private: dict[str, bool] = {}
        self.tokens: set[str] = set()
        self.refuse: set[str] = set()
        self._objects: Files = {}  # large files by their SHA-256, uploaded before the commit that names them
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *arguments: object) -> None:
                pass

            def do_GET(self) -> None:
                self._answer(b"")

            def do_PUT(self) -> None:
                self.do_POST()

            do_HEAD = do_GET  # noqa: N815 (the name that the server calls)

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

            def _answer(self, body: bytes) -> None:
                hub.tokens.add(self.headers.get("Authorization", "").removeprefix("Bearer "))
                parts = urlsplit(self.path)
                status, headers, content = hub.answer(self.command, unquote(parts.path), parse_qs(parts.query), body)
                whole = content if isinstance(content, bytes) else json.dumps(content).encode()
                ranged = self.headers.get("Range", "")
                if ranged.startswith("bytes=") and status == 200:
                    low, _, high = ranged.removeprefix("bytes=").partition("-")
                    last = min(int(high or len(whole) - 1), len(whole) - 1)
                    headers["Content-Range"] = f"bytes {int(low)}-{last}/{len(whole)}"
                    status, whole = 206, whole[int(low) : last + 1]
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(whole))}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(whole)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *fault: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def add(self, repository: str, message: str, files: Files) -> str:
        """Commit files by name and return the commit."""
        commits = self.commits.setdefault(repository, [])
        commit = hashlib.sha1(f"{repository} {len(commits)}".encode(), usedforsecurity=False).hexdigest()
        commits.append((commit, message, files))
        return commit

    def files(self, repository: str, revision: str = "main") -> Files | None:
        """Return the files of a revision; None where there is none."""
        commits = self.commits.get(repository, [])
        found = commits[-1:] if revision == "main" else [commit for commit in commits if commit[0] == revision]
        return found[0][2] if found else None

    def answer(
        self, method: str, path: str, query: dict[str, list[str]], body: bytes
    ) -> tuple[int, dict[str, str], Any]:
        """Answer one request with a status, headers and JSON or bytes."""
        kind, _, rest = path.lstrip("/").partition("/")
        if path == "/api/validate-yaml":
            return 200, {}, {"warnings": []}
        if path == "/api/repos/create":
            wanted = json.loads(body)
            name = f"{wanted.get('organization') or 'someone'}/{wanted['name']}"
            self.private[name] = wanted.get("visibility") == "private"
            self.add(name, "initial commit", {})
            return 200, {}, {"url": f"{self.endpoint}/datasets/{name}"}
        if path.endswith(".git/info/lfs/objects/batch"):
            objects = [
                {**item, "actions": {"upload": {"href": f"{self.endpoint}/objects/{item['oid']}"}}}
                for item in json.loads(body)["objects"]
            ]
            return 200, {}, {"transfer": "basic", "objects": objects}
        if kind == "objects":
            self._objects[rest] = body
            return 200, {}, {}
        if kind == "datasets":
            return self._answer_file(rest)
        return self._answer_repository(rest.removeprefix("datasets/").split("/"), query, body)

    def _answer_repository(
        self, path: list[str], query: dict[str, list[str]], body: bytes
    ) -> tuple[int, dict[str, str], Any]:
        """Answer a request to the API of one repository."""
        owner, name, *more = path
        repository, action = f"{owner}/{name}", more[0] if more else ""
        files = self.files(repository, more[1] if len(more) > 1 else "main")
        if files is None:
            return 404, {"X-Error-Code": "RevisionNotFound" if repository in self.commits else "RepoNotFound"}, {}
        if action == "commit":
            return self._commit(repository, files, body)
        if action == "preupload":
            modes = {
                file["path"]: "lfs" if file["path"].endswith(".parquet") else "regular"
                for file in json.loads(body)["files"]
            }
            return (
                200,
                {},
                {"files": [{"path": file, "uploadMode": mode, "shouldIgnore": False} for file, mode in modes.items()]},
            )
        if action in ("tree", "paths-info"):
            wanted = "/".join(more[2:]) if action == "tree" else None
            if wanted and not any(file.startswith(f"{wanted}/") for file in files):
                return 404, {"X-Error-Code": "EntryNotFound"}, {}
            return 200, {}, self._list(files, wanted, parse_qs(body.decode()), query)
        commit = self._commit_of(repository, files)
        siblings = [{"rfilename": file} for file in files]
        return 200, {}, {"id": repository, "sha": commit, "siblings": siblings, "private": False, "tags": []}

    def _commit_of(self, repository: str, files: Files) -> str:
        """Return the newest commit with these files."""
        return next(commit for commit, _, content in reversed(self.commits[repository]) if content is files)

    def _answer_file(self, rest: str) -> tuple[int, dict[str, str], Any]:
        """Answer with one file."""
        owner, name, _, revision, *path = rest.split("/")
        files = self.files(f"{owner}/{name}", revision)
        content = (files or {}).get("/".join(path))
        if files is None or content is None:
            return 404, {"X-Error-Code": "RepoNotFound" if files is None else "EntryNotFound"}, {}
        commit = self._commit_of(f"{owner}/{name}", files)
        return 200, {"X-Repo-Commit": commit, "ETag": f'"{_oid(content)}"', "Accept-Ranges": "bytes"}, content

    def _commit(self, repository: str, files: Files, body: bytes) -> tuple[int, dict[str, str], Any]:
        """Make a commit, or refuse it."""
        lines = [json.loads(line) for line in body.splitlines()]
        header = next(line["value"] for line in lines if line["key"] == "header")
        if header["summary"] in self.refuse:
            return 500, {}, {"error": "refused by the test"}
        if header.get("parentCommit") not in (None, self.commits[repository][-1][0]):
            return 412, {}, {"error": "the parent is not the newest commit"}
        new = dict(files)
        for line in lines:
            kind, value = line["key"], line["value"]
            if kind == "file":
                new[value["path"]] = base64.b64decode(value["content"])
            elif kind == "lfsFile":
                new[value["path"]] = self._objects[value["oid"]]
            elif kind == "deletedFile":
                del new[value["path"]]
        commit = self.add(repository, header["summary"], new)
        return 200, {}, {"commitUrl": f"{self.endpoint}/datasets/{repository}/commit/{commit}", "commitOid": commit}

    def _list(
        self, files: Files, folder: str | None, form: dict[str, list[str]], query: dict[str, list[str]]
    ) -> list[dict[str, Any]]:
        """List a folder, or the requested paths."""
        paths = form.get("paths", []) if folder is None else None
        folders = {file.rpartition("/")[0] for file in files} - {""}
        entries = [{"type": "directory", "path": inner, "oid": _oid(inner.encode()), "size": 0} for inner in folders]
        entries += [
            {"type": "file", "path": file, "oid": _oid(content), "size": len(content)}
            for file, content in files.items()
        ]
        if paths is not None:
            return [entry for entry in entries if entry["path"] in paths]
        deep = query.get("recursive", ["false"])[0].lower() == "true"
        inside = (entry for entry in entries if not folder or entry["path"].startswith(f"{folder}/"))
        prefix = len(folder) + 1 if folder else 0
        return [entry for entry in inside if deep or "/" not in entry["path"][prefix:]]


def _oid(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()
