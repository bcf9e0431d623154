"""The dataset half of the miniature hub: what the `datasets` library asks of a real one, over real HTTP."""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.hub_server import Handler, Hub, serve


def serve_datasets(folder: Path) -> AbstractContextManager[Hub]:
    """A hub of the datasets `folder/datasets/<owner>/<name>/main/<file>` on a free local port."""
    return serve(folder, Datasets)


class Datasets(Handler):
    """`/api/datasets/<owner>/<name>`, its tree and its paths, and files under `/datasets/<owner>/<name>/resolve/`."""

    def do_POST(self) -> None:  # noqa: N802 (http.server's name)
        asked = re.fullmatch(r"/api/(datasets/[^/]+/[^/]+)/paths-info/([^/]+)", urlsplit(self.path).path)
        size = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(size)
        self.hub.asked.append(f"POST {self.path} {body.decode()}")
        if asked is None or not (self.hub.folder / asked[1]).is_dir():
            return self._refuse(404, "RepoNotFound")
        paths = json.loads(body)["paths"]
        root = self.hub.folder / asked[1] / "main"
        return self._json([entry(root, root / path) for path in paths if (root / path).exists()])

    def _answer(self, body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        found = re.fullmatch(r"/api/(datasets/[^/]+/[^/]+)(?:/(revision|tree)/([^/]+))?(?:/(.*))?", path)
        file = re.fullmatch(r"/(datasets/[^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        if found:
            self.hub.asked.append(f"{self.command} {self.path}")
            self._told(found)
        elif file:
            self.hub.asked.append(f"{self.command} {self.path} {self.headers.get('Range', '')}".strip())
            self._resolve(file[1], "main", file[3], body)
        else:
            super()._answer(body)

    def _told(self, found: re.Match[str]) -> None:
        root = self.hub.folder / found[1] / "main"
        if not root.is_dir():
            return self._refuse(404, "RepoNotFound")
        if found[2] == "tree":
            place = root / (found[4] or "")
            return self._json([entry(root, path) for path in sorted(place.rglob("*"))])
        files = [path.relative_to(root).as_posix() for path in sorted(root.rglob("*")) if path.is_file()]
        name = found[1].removeprefix("datasets/")
        siblings = [{"rfilename": file} for file in files]
        return self._json({
            "id": name, "_id": "0", "sha": self.hub.commit("main"), "private": False, "gated": False, "disabled": False,
            "downloads": 0, "likes": 0, "tags": [], "siblings": siblings, "author": name.partition("/")[0],
            "createdAt": "2026-01-01T00:00:00.000Z", "lastModified": "2026-01-01T00:00:00.000Z",
        })  # fmt: skip


def entry(root: Path, path: Path) -> dict[str, Any]:
    """One line of a tree as the hub tells it."""
    name = path.relative_to(root).as_posix()
    if path.is_dir():
        return {"type": "directory", "oid": hashlib.sha1(name.encode()).hexdigest(), "size": 0, "path": name}
    content = path.read_bytes()
    return {"type": "file", "oid": hashlib.sha1(content).hexdigest(), "size": len(content), "path": name}
