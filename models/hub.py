"""Files of a model hub in its usual cache folder, where timm, transformers and the hub's own client find them too.

`HF_HUB_CACHE` and `HF_HUB_OFFLINE` are obeyed; what lies in the cache is never asked for again.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from urllib.parse import quote

from filelock import FileLock
from huggingface_hub import constants, try_to_load_from_cache

from models.description import CONFIG, OPEN_CLIP
from models.download import Progress, ask, facts, fill, no_file, offline
from models.faults import Fault

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def cached(repo: str, filename: str, revision: str = "main") -> Path | None:
    """The file in the cache folder, or None."""
    found = try_to_load_from_cache(repo, filename, cache_dir=constants.HF_HUB_CACHE, revision=revision)
    return Path(found) if isinstance(found, str) else None


def fetch(repo: str, filename: str, progress: Progress | None = None, revision: str = "main") -> Path:
    """The file's place in the cache folder, fetched first if it is not there. Raises `Fault`."""
    _check_name(repo)
    there = cached(repo, filename, revision)
    return there or _download(repo, filename, revision, progress or _silent)


def listing(repo: str) -> tuple[str, ...]:
    """Names of a repository's files: as the cache has them if its weights are there, else as the hub lists them."""
    _check_name(repo)
    config = cached(repo, CONFIG) or cached(repo, OPEN_CLIP)
    here = tuple(path.name for path in config.parent.iterdir()) if config else ()
    if constants.HF_HUB_OFFLINE or any(".safetensors" in name for name in here) or _converted(repo):
        return here
    with ask(repo, "", f"{constants.ENDPOINT}/api/models/{repo}/revision/main") as answer:
        return tuple(entry["rfilename"] for entry in json.load(answer)["siblings"])


def conversion(repo: str) -> str:
    """The revision with the hub's own conversion of a pickle, where it waits to be accepted. Raises `Fault`.

    The bot SFconvertbot proposes safetensors for repositories that lack them; anybody else's proposal is passed over.
    """
    _check_name(repo)
    there = _converted(repo)
    if there:
        return there
    if constants.HF_HUB_OFFLINE:
        raise offline(repo)
    with ask(repo, "", f"{constants.ENDPOINT}/api/models/{repo}/discussions") as answer:
        proposals = json.load(answer)["discussions"]
    for proposal in proposals:
        if proposal["isPullRequest"] and proposal["status"] == "open" and proposal["author"]["name"] == "SFconvertbot":
            return f"refs/pr/{proposal['num']}"
    raise no_file(repo, "model.safetensors")


def _converted(repo: str) -> str | None:
    """The revision of a conversion that lies in the cache."""
    references = [f"refs/pr/{path.name}" for path in (_folder(repo) / "refs/refs/pr").glob("*")]
    return next((reference for reference in references if cached(repo, "model.safetensors", reference)), None)


def _folder(repo: str) -> Path:
    return Path(constants.HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}"


def revision(file: Path) -> str | None:
    """The commit under which a hub's cache keeps the file; None for a file that lies elsewhere."""
    return file.parent.name if file.parent.parent.name == "snapshots" else None


def _download(repo: str, filename: str, revision: str, progress: Progress) -> Path:
    if constants.HF_HUB_OFFLINE:
        raise offline(repo)
    url = f"{constants.ENDPOINT}/{repo}/resolve/{quote(revision, safe='')}/{filename}"
    stated = facts(repo, filename, url)
    folder = _folder(repo)
    blob = folder / "blobs" / stated["etag"]
    blob.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{blob}.lock"):
        if not blob.exists():
            fill(repo, filename, stated, blob, progress)
    pointer = folder / "snapshots" / stated["commit"] / filename
    pointer.parent.mkdir(parents=True, exist_ok=True)
    if not pointer.exists():
        _point(pointer, blob)
    reference = folder / "refs" / revision
    reference.parent.mkdir(parents=True, exist_ok=True)
    reference.write_text(stated["commit"])
    return pointer


def _point(pointer: Path, blob: Path) -> None:
    try:
        pointer.symlink_to(os.path.relpath(blob, pointer.parent))
    except OSError:  # Windows without developer mode
        shutil.copyfile(blob, pointer)


def _check_name(repo: str) -> None:
    if not _NAME.fullmatch(repo):
        raise Fault("{repo} is not a name on the model hub; write owner/name.", repo=repo)


def _silent(_here: int, _size: int) -> None:
    """Nobody watches."""
