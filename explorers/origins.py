"""Which hosts this page answers as, and which pages may ask it to act or to tell: against DNS rebinding and forgery.

A page of another site reaches a server in one's own network in two ways. It may name its own host and let that name
point here (rebinding): then `Host` is a name that is not ours. Or it may send requests from its own address: then
`Origin` is not the host that is asked, or the browser says `Sec-Fetch-Site: cross-site`. A host that is a plain address
cannot be rebound, since the browser went to that very address; so a page in a hall works by its address, whatever
interface it came in by. Programs send neither `Origin` nor `Sec-Fetch-Site` and pass.

    PATCHLIGHT_HOSTS=demo.example,intranet      further names of this page, also those behind which a proxy asks for it
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from models.faults import Fault

LOCAL = ("localhost",)
"""Names that no name server is asked for; so is everything below them (RFC 6761, 6.3)."""

PORTS = (":80", ":443")
"""What a browser leaves out and a proxy may add."""


@dataclass(frozen=True)
class Hosts:
    """known: names by which this machine is called; named: those that the owner gave, which a proxy may hide."""

    known: frozenset[str]
    named: frozenset[str]

    def check(self, method: str, headers: Mapping[str, str]) -> None:
        """Raises `Fault` for a request that came to a name which is not ours, or that another site's page sent."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._ours(_hostname(f"//{host}")):
            raise Fault(
                "This page was asked for as {host}, which is none of its names; ask for it by its address, or let its "
                "owner add the name to PATCHLIGHT_HOSTS.",
                host=host[:100] or "–",
            )  # fmt: skip
        if origin is not None and not self._same(origin, host):
            raise _foreign(origin)
        site, mode = headers.get("sec-fetch-site", "none"), headers.get("sec-fetch-mode")
        followed = mode == "navigate" and method in ("GET", "HEAD")
        if origin is None and site in ("cross-site", "same-site") and not followed:
            raise _foreign(headers.get("referer", "–"))

    def _ours(self, name: str) -> bool:
        return _is_address(name) or name in self.known | self.named or name.endswith(tuple(f".{one}" for one in LOCAL))

    def _same(self, origin: str, host: str) -> bool:
        asked = urlsplit(origin).netloc.lower()
        return bool(asked) and (_bare(asked) == _bare(host.lower()) or _hostname(origin) in self.named)


def hosts(listening: str | None = None, environment: Mapping[str, str] = os.environ) -> Hosts:
    """Of this process. listening: the name that the server was told to listen on, if any"""
    machine = socket.gethostname().lower()
    known = {*LOCAL, machine, f"{machine}.local", (listening or "").lower()} - {""}
    roots = [environment.get("SPACE_HOST", ""), urlsplit(environment.get("GRADIO_ROOT_PATH", "")).netloc]
    named = {_hostname(f"//{name.strip()}") for name in [*environment.get("PATCHLIGHT_HOSTS", "").split(","), *roots]}
    return Hosts(frozenset(known), frozenset(named - {""}))


def _foreign(origin: str) -> Fault:
    return Fault(
        "A page of {origin} asked this one to act or to tell something, which only its own pages may; open this page "
        "itself.",
        origin=origin[:100],
    )  # fmt: skip


def _hostname(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").rstrip(".")
    except ValueError:  # a bracket that is not closed, an address that is none
        return ""


def _is_address(name: str) -> bool:
    try:
        return bool(ip_address(name))
    except ValueError:
        return False


def _bare(host: str) -> str:
    return next((host.removesuffix(port) for port in PORTS if host.endswith(port)), host)
