"""A model hub in miniature: real HTTP, the protocol of the real one, one folder of repositories, faults on demand.

HEAD and GET of `/<owner>/<name>/resolve/<revision>/<file>` with etag, commit and size; large files redirect to a second
address as the hub's storage does; ranges; `/api/models/<owner>/<name>/revision/<revision>` and `/discussions`.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

LARGE = 4096
"""Bytes from which a file is stored apart and named by its sha256."""


@dataclass
class Hub:
    """What the server serves, how it misbehaves, and what it was asked.

    cut:     bytes after which a download of a large file breaks off, None for never
    lie:     True where the stated digest is not that of the bytes
    gated:   True where files need a token
    renamed: former names of repositories, and what the hub answers 307 to
    """

    folder: Path
    endpoint: str = ""
    cut: int | None = None
    lie: bool = False
    gated: bool = False
    renamed: dict[str, str] = field(default_factory=dict)
    discussions: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def commit(self, revision: str) -> str:
        return hashlib.sha1(revision.encode()).hexdigest()


@contextmanager
def serve(folder: Path, handler: type[Handler] | None = None) -> Iterator[Hub]:
    """A hub of the repositories `folder/<owner>/<name>/<revision>/<file>` on a free local port."""
    hub = Hub(folder)
    bound: Any = type("Bound", (handler or Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), bound)
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, format: str, *args: Any) -> None:
        """Silence."""

    def _answer(self, body: bool) -> None:
        self.hub.asked.append(f"{self.command} {self.path} {self.headers.get('Range', '')}".strip())
        former = next((name for name in self.hub.renamed if f"/{name}/" in self.path), None)
        stored = re.fullmatch(r"/storage/(.+)", self.path)
        resolve = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", self.path)
        listing = re.fullmatch(r"/api/models/([^/]+/[^/]+)/revision/([^/]+)", self.path)
        if former:
            now = self.path.replace(f"/{former}/", f"/{self.hub.renamed[former]}/")
            self._send(307, {"Location": now}, b"", body)
        elif stored:
            self._store(self.hub.folder / unquote(stored[1]), body)
        elif resolve:
            self._resolve(resolve[1], unquote(resolve[2]), resolve[3], body)
        elif listing and (self.hub.folder / listing[1]).is_dir():
            files = sorted(path.name for path in (self.hub.folder / listing[1] / listing[2]).iterdir())
            self._json({"siblings": [{"rfilename": name} for name in files]})
        elif self.path.endswith("/discussions"):
            self._json({"discussions": self.hub.discussions})
        else:
            self._refuse(404, "RepoNotFound")

    def _resolve(self, repo: str, revision: str, name: str, body: bool) -> None:
        if not (self.hub.folder / repo).is_dir():
            return self._refuse(401, "RepoNotFound")
        if self.hub.gated:
            return self._refuse(403 if "Authorization" in self.headers else 401, "GatedRepo")
        file = self.hub.folder / repo / revision / name
        if not file.is_file():
            return self._refuse(404, "EntryNotFound")
        content = file.read_bytes()
        headers = {"X-Repo-Commit": self.hub.commit(revision)}
        if len(content) < LARGE:
            git = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
            return self._send(200, {**headers, "ETag": f'"{git}"'}, content, body)
        digest = hashlib.sha256(b"another" if self.hub.lie else content).hexdigest()
        headers |= {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(content))}
        location = self.hub.endpoint.replace("127.0.0.1", "localhost")
        headers["Location"] = f"{location}/storage/{file.relative_to(self.hub.folder).as_posix()}"
        return self._send(302, headers, b"", body)

    def _store(self, file: Path, body: bool) -> None:
        self.hub.tokens += [self.headers["Authorization"]] if "Authorization" in self.headers else []
        content = file.read_bytes()
        start = int(re.findall(r"\d+", self.headers["Range"])[0]) if "Range" in self.headers else 0
        headers = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if start else {}
        self._send(206 if start else 200, headers, content[start:], body)

    def _send(self, status: int, headers: dict[str, str], content: bytes, body: bool) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            large = self.path.startswith("/storage/")
            self.wfile.write(content[: self.hub.cut] if large and self.hub.cut is not None else content)

    def _json(self, value: object) -> None:
        self._send(200, {"Content-Type": "application/json"}, json.dumps(value).encode(), True)

    def _refuse(self, status: int, code: str) -> None:
        self._send(status, {"X-Error-Code": code}, b"", False)
