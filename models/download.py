"""Bytes from a model hub by its protocol: resumable, checked by their digest, each failure one sentence.

The hub's own client retries for minutes when there is no network, starts again from zero after a cut, and does not
compare digests. `HF_ENDPOINT` and the client's token are obeyed; the token is never sent to another host.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from huggingface_hub import constants, get_token

from models.faults import Fault

Progress = Callable[[int, int], None]
"""Called with (bytes here, bytes in all); whatever it raises stops the download, which resumes when asked again."""

TIMEOUT = 10
"""Seconds without an answer or without a byte."""

_BLOCK = 1 << 18
_MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def facts(repo: str, filename: str, url: str) -> dict[str, Any]:
    """What the hub says of a file before it is fetched: its commit, digest, size, and where the bytes are.

    Redirects within the hub (a renamed repository) are followed; the one to its storage is kept for the bytes.
    """
    said: dict[str, str] = {}
    for _ in range(_MOST_REDIRECTS):
        with ask(repo, filename, url, method="HEAD") as answer:
            said |= {name.lower(): value for name, value in answer.headers.items()}
            location = answer.headers.get("Location")
        if location is None:
            break
        url = urljoin(url, location)
        if not _is_hub(url):
            break
    digest = (said.get("x-linked-etag") or said.get("etag", "")).removeprefix("W/").strip('"')
    size, commit = said.get("x-linked-size") or said.get("content-length"), said.get("x-repo-commit", "")
    if not _DIGEST.fullmatch(digest) or size is None or not _DIGEST.fullmatch(commit):
        raise Fault(
            "{repo} was asked for, but the server at {host} is no model hub: it states no digest, commit or size; "
            "check HF_ENDPOINT.",
            repo=repo, host=_host(),
        )  # fmt: skip
    return {"etag": digest, "commit": commit, "size": int(size), "url": url}


def fill(repo: str, filename: str, facts: dict[str, Any], blob: Path, progress: Progress) -> None:
    """Fetch what `facts` describes to `blob`, going on from an earlier part. Complete and checked, or not there."""
    part = blob.with_name(f"{blob.name}.part")
    here = part.stat().st_size if part.exists() else 0
    free = shutil.disk_usage(blob.parent).free
    if free < facts["size"] - here:
        raise Fault(
            "{file} of {repo} needs {size} MB, but only {free} MB are free on the disk; make room, or point "
            "HF_HUB_CACHE to another one.",
            file=filename, repo=repo, size=facts["size"] >> 20, free=free >> 20,
        )  # fmt: skip
    try:
        _append(repo, filename, facts, part, progress)
    except (OSError, http.client.HTTPException) as cut:
        raise _cut(repo, filename, part, facts) from cut
    if part.stat().st_size < facts["size"]:
        raise _cut(repo, filename, part, facts)
    if not _matches(part, facts["etag"]):
        part.unlink()
        raise Fault(
            "{file} of {repo} arrived, but its checksum is not the one that the hub states, so it was thrown away; "
            "fetch it again.",
            file=filename, repo=repo,
        )  # fmt: skip
    os.replace(part, blob)


def ask(
    repo: str,
    filename: str,
    url: str,
    headers: dict[str, str] | None = None,
    method: str = "GET",
    hops: int = _MOST_REDIRECTS,
) -> Any:
    """The open answer to one request, whithersoever a GET is redirected (a renamed repository, the storage); of a
    redirect that a HEAD meets, the redirect itself. Raises `Fault`."""
    if not url.startswith(("http://", "https://")):
        raise _answered(repo, f"with the address {url[:80]}")
    token = {"Authorization": f"Bearer {value}"} if _is_hub(url) and (value := get_token()) else {}
    request = urllib.request.Request(url, headers={**(headers or {}), **token}, method=method)
    try:
        return urllib.request.build_opener(_Stay).open(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as answer:
        if answer.code in _REDIRECTS and method == "HEAD":
            return answer
        target = urljoin(url, answer.headers.get("Location") or "")
        if answer.code in _REDIRECTS and hops:
            return ask(repo, filename, target, headers, method, hops - 1)
        raise _refused(repo, filename, answer) from answer
    except (OSError, http.client.HTTPException) as unreachable:
        raise Fault(
            "{repo} is not in the cache, and the model hub at {host} cannot be reached ({reason}); connect to the "
            "network, or choose a checkpoint that is already here.",
            repo=repo, host=_host(), reason=getattr(unreachable, "reason", unreachable),
        ) from unreachable  # fmt: skip


def _append(repo: str, filename: str, facts: dict[str, Any], part: Path, progress: Progress) -> None:
    here = part.stat().st_size if part.exists() else 0
    if here >= facts["size"] and part.exists():  # an empty file is fetched too
        return
    wanted = {"Range": f"bytes={here}-"} if here else {}
    with ask(repo, filename, facts["url"], wanted) as answer:
        resumed = answer.status == 206
        with part.open("ab" if resumed else "wb") as file:
            here = here if resumed else 0
            while block := answer.read(_BLOCK):
                file.write(block)
                here += len(block)
                progress(here, facts["size"])
            file.flush()
            os.fsync(file.fileno())


def _matches(file: Path, etag: str) -> bool:
    """Large files are named by their sha256, small ones by git's sha1 of a header and the content."""
    git = f"blob {file.stat().st_size}\0".encode()
    digest = hashlib.sha256() if len(etag) == 64 else hashlib.sha1(git)
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest() == etag


class _Stay(urllib.request.HTTPRedirectHandler):
    """Leaves a redirect to be read: its headers carry the digest, its target must not get the token."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _is_hub(url: str) -> bool:
    return url.startswith(f"{constants.ENDPOINT}/")


def _host() -> str:
    return constants.ENDPOINT.partition("//")[2]


def _refused(repo: str, filename: str, answer: urllib.error.HTTPError) -> Fault:
    if not _is_hub(answer.url):
        return _answered(repo, f"{answer.code} {answer.reason}")
    error = answer.headers.get("X-Error-Code", "")
    if error == "GatedRepo" or answer.code == 403:
        return Fault(
            "{repo} is gated: its publisher asks for an account and consent; accept the terms on its page at {host}, "
            "then put your token in HF_TOKEN.",
            repo=repo, host=_host(),
        )  # fmt: skip
    if error == "EntryNotFound":
        return no_file(repo, filename)
    if answer.code in (401, 404):
        return Fault(
            "The model hub knows no repository {repo}, or keeps it private; check the name, or put your token in "
            "HF_TOKEN.",
            repo=repo,
        )  # fmt: skip
    return _answered(repo, f"{answer.code} {answer.reason}")


def no_file(repo: str, filename: str) -> Fault:
    return Fault(
        "{repo} has no file {file}; only safetensors are read, so choose a checkpoint that is published in them.",
        repo=repo, file=filename,
    )  # fmt: skip


def offline(repo: str) -> Fault:
    return Fault(
        "{repo} is not in the cache, and HF_HUB_OFFLINE forbids fetching it; choose a checkpoint that is already here, "
        "or unset HF_HUB_OFFLINE.",
        repo=repo,
    )


def _answered(repo: str, answer: str) -> Fault:
    return Fault(
        "{repo} was asked for, but the server at {host} answered {answer}; try again later, or check HF_ENDPOINT.",
        repo=repo, host=_host(), answer=answer,
    )  # fmt: skip


def _cut(repo: str, filename: str, part: Path, facts: dict[str, Any]) -> Fault:
    here = part.stat().st_size if part.exists() else 0
    return Fault(
        "The download of {file} of {repo} broke off after {here} of {size} bytes; ask again and it goes on from there.",
        file=filename, repo=repo, here=here, size=facts["size"],
    )  # fmt: skip
