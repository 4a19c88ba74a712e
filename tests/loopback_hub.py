"""A dataset Hub on this machine: what uploading and loading ask of it, with every commit kept."""

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
        found = commits[-1:] if revision == "main" else [one for one in commits if one[0] == revision]
        return found[0][2] if found else None

    def answer(
        self, method: str, path: str, query: dict[str, list[str]], body: bytes
    ) -> tuple[int, dict[str, str], Any]:
        """Answer one request with a status, headers and JSON or bytes."""
        kind, _, rest = path.lstrip("/").partition("/")
        if path == "/api/validate-yaml":
            return 200, {}, {"warnings": []}
        if path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked.get('organization') or 'someone'}/{asked['name']}"
            self.private[name] = asked.get("visibility") == "private"
            self.add(name, "initial commit", {})
            return 200, {}, {"url": f"{self.endpoint}/datasets/{name}"}
        if path.endswith(".git/info/lfs/objects/batch"):
            wanted = [
                {**one, "actions": {"upload": {"href": f"{self.endpoint}/objects/{one['oid']}"}}}
                for one in json.loads(body)["objects"]
            ]
            return 200, {}, {"transfer": "basic", "objects": wanted}
        if kind == "objects":
            self._objects[rest] = body
            return 200, {}, {}
        if kind == "datasets":
            return self._resolved(rest)
        return self._asked(rest.removeprefix("datasets/").split("/"), query, body)

    def _asked(self, path: list[str], query: dict[str, list[str]], body: bytes) -> tuple[int, dict[str, str], Any]:
        """Answer what is asked of one repository."""
        owner, name, *more = path
        repository, action = f"{owner}/{name}", more[0] if more else ""
        files = self.files(repository, more[1] if len(more) > 1 else "main")
        if files is None:
            return 404, {"X-Error-Code": "RevisionNotFound" if repository in self.commits else "RepoNotFound"}, {}
        if action == "commit":
            return self._committed(repository, files, body)
        if action == "preupload":
            modes = {
                one["path"]: "lfs" if one["path"].endswith(".parquet") else "regular"
                for one in json.loads(body)["files"]
            }
            return (
                200,
                {},
                {"files": [{"path": one, "uploadMode": mode, "shouldIgnore": False} for one, mode in modes.items()]},
            )
        if action in ("tree", "paths-info"):
            wanted = "/".join(more[2:]) if action == "tree" else None
            if wanted and not any(one.startswith(f"{wanted}/") for one in files):
                return 404, {"X-Error-Code": "EntryNotFound"}, {}
            return 200, {}, self._listed(files, wanted, parse_qs(body.decode()), query)
        commit = next(one[0] for one in reversed(self.commits[repository]) if one[2] is files)
        siblings = [{"rfilename": one} for one in files]
        return 200, {}, {"id": repository, "sha": commit, "siblings": siblings, "private": False, "tags": []}

    def _resolved(self, rest: str) -> tuple[int, dict[str, str], Any]:
        """Answer for one file."""
        owner, name, _, revision, *path = rest.split("/")
        files = self.files(f"{owner}/{name}", revision)
        content = (files or {}).get("/".join(path))
        if files is None or content is None:
            return 404, {"X-Error-Code": "RepoNotFound" if files is None else "EntryNotFound"}, {}
        commit = next(one[0] for one in reversed(self.commits[f"{owner}/{name}"]) if one[2] is files)
        return 200, {"X-Repo-Commit": commit, "ETag": f'"{_oid(content)}"', "Accept-Ranges": "bytes"}, content

    def _committed(self, repository: str, files: Files, body: bytes) -> tuple[int, dict[str, str], Any]:
        """Make a commit, or refuse it."""
        lines = [json.loads(line) for line in body.splitlines()]
        header = next(one["value"] for one in lines if one["key"] == "header")
        if header["summary"] in self.refuse:
            return 500, {}, {"error": "out of luck"}
        if header.get("parentCommit") not in (None, self.commits[repository][-1][0]):
            return 412, {}, {"error": "another commit came in between"}
        new = dict(files)
        for one in lines:
            if one["key"] == "file":
                new[one["value"]["path"]] = base64.b64decode(one["value"]["content"])
            elif one["key"] == "lfsFile":
                new[one["value"]["path"]] = self._objects[one["value"]["oid"]]
            elif one["key"] == "deletedFile":
                del new[one["value"]["path"]]
        commit = self.add(repository, header["summary"], new)
        return 200, {}, {"commitUrl": f"{self.endpoint}/datasets/{repository}/commit/{commit}", "commitOid": commit}

    def _listed(
        self, files: Files, folder: str | None, asked: dict[str, list[str]], query: dict[str, list[str]]
    ) -> list[dict[str, Any]]:
        """List a folder, or the paths that were asked for."""
        paths = asked.get("paths", []) if folder is None else None
        folders = {one.rpartition("/")[0] for one in files} - {""}
        entries = [{"type": "directory", "path": one, "oid": _oid(one.encode()), "size": 0} for one in folders]
        entries += [{"type": "file", "path": one, "oid": _oid(files[one]), "size": len(files[one])} for one in files]
        if paths is not None:
            return [one for one in entries if one["path"] in paths]
        deep = query.get("recursive", ["false"])[0].lower() == "true"
        inside = (one for one in entries if not folder or one["path"].startswith(f"{folder}/"))
        prefix = len(folder) + 1 if folder else 0
        return [one for one in inside if deep or "/" not in one["path"][prefix:]]


def _oid(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()
