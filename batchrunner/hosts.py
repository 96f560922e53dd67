"""May a download go to this address?

A result link is server text: it must not lead the program into the user's own network.  What two URL
parsers could read differently (backslashes, blanks, credentials, odd numbers) is refused, not interpreted.
Pure: names are not resolved here; `is_private` judges the addresses a name was resolved to.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias

from msgspec import Struct

from .names import printable

_Address: TypeAlias = IPv4Address | IPv6Address

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_LOCAL_SUFFIXES: Final = ("localhost", "local", "internal")
"""Reserved for this machine (RFC 6761), multicast DNS (RFC 6762) and private networks (ICANN, 2024)."""

_NAT64: Final = IPv6Network("64:ff9b::/96")
"""RFC 6052: what DNS answers for an IPv4 host in a network that has only IPv6."""

_URL: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)")
_AUTHORITY: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{0,5}))?")
_NUMERIC_LABEL: Final = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_LONGEST: Final = 8_000  # characters; no storage host signs longer links, and no server takes them


class _Target(Struct, frozen=True, kw_only=True):
    scheme: str
    host: str
    """Lower case, without brackets and without the root's trailing dot."""
    port: int
    address: _Address | None
    """The host as a number, where it is one."""


def check_download_url(url: str, *, api_is_local: bool) -> str | None:
    """Return why nothing may be downloaded from *url*, or None when it may.

    *api_is_local* (see `is_local_origin`) opens this machine and private networks: a simulator's films
    lie there.  Everything else is asked for in any case.
    """
    try:
        target = _parse(url)
    except ValueError as unusable:
        return str(unusable)
    if not api_is_local and _leads_inside(target):
        return f"it leads into a private network ({target.host}), and the service is not on this machine"
    return None


def is_private(address: str) -> bool:
    """Whether a resolved *address* is not a public one; text that is no address counts as private."""
    try:
        return _is_inside(ip_address(address.partition("%")[0]))
    except ValueError:
        return True


def is_local_origin(origin: str) -> bool:
    """Whether *origin* is this machine: ``localhost`` or a loopback address."""
    try:
        target = _parse(origin)
    except ValueError:
        return False
    if target.address is None:
        return _is_named(target.host, "localhost")
    return target.address.is_loopback or target.address.is_unspecified


def origin_of(url: str) -> str:
    """Return ``scheme://host[:port]`` in lower case, without a default port.

    Two URLs share a token only if their origins are equal.
    Raises ValueError, saying what is wrong, for what is not an http(s) URL with a host.
    """
    target = _parse(url)
    host = f"[{target.host}]" if ":" in target.host else target.host
    port = "" if target.port == _DEFAULT_PORTS[target.scheme] else f":{target.port}"
    return f"{target.scheme}://{host}{port}"


def _parse(url: str) -> _Target:
    """Read *url* the one way every client reads it.  Raises ValueError with the reason if there is none."""
    if len(url) > _LONGEST:
        raise ValueError(f"it is {len(url):,} characters long, {_LONGEST:,} are allowed")
    if odd := next((char for char in url if char in " \\" or not char.isprintable()), None):
        raise ValueError(f"it contains {odd!r}, which a link must not")
    parts = _URL.match(url)
    scheme = parts["scheme"].lower() if parts else ""
    if parts is None or scheme not in _DEFAULT_PORTS:
        raise ValueError(f"it is not an http or https link: {printable(url, 60)!r}")
    return _parse_authority(scheme, parts["authority"])


@lru_cache(maxsize=256)  # films of a run lie on few hosts
def _parse_authority(scheme: str, authority: str) -> _Target:
    if "@" in authority:
        raise ValueError("it carries a user name before the host")
    match = _AUTHORITY.fullmatch(authority)
    host = match["host"].lower().strip("[]").removesuffix(".") if match else ""
    if match is None or not all(host.split(".")):
        raise ValueError(f"it names no host that can be read: {printable(authority, 60)!r}")
    port = int(match["port"] or _DEFAULT_PORTS[scheme])
    if not 0 < port < 65_536:
        raise ValueError(f"it names the port {port}, which does not exist")
    address = _literal(host, bracketed=authority.startswith("["))
    return _Target(scheme=scheme, host=str(address or host), port=port, address=address)


def _literal(host: str, *, bracketed: bool) -> _Address | None:
    """Return the address *host* spells, or None when it is a name.

    Spellings that only some clients take for an address (``2130706433``, ``0x7f.1``, ``010.0.0.1``) are
    refused: no honest link has them.  Raises ValueError.
    """
    if bracketed or _NUMERIC_LABEL.fullmatch(host.rpartition(".")[2]):
        try:
            return IPv6Address(host) if bracketed else IPv4Address(host)
        except ValueError:
            raise ValueError(f"its host {host!r} is a number, but not a plainly written address") from None
    return None


def _leads_inside(target: _Target) -> bool:
    if target.address is not None:
        return _is_inside(target.address)
    return any(_is_named(target.host, suffix) for suffix in _LOCAL_SUFFIXES)


def _is_named(host: str, suffix: str) -> bool:
    return host == suffix or host.endswith(f".{suffix}")


def _is_inside(address: _Address) -> bool:
    """Whether *address* is private, loopback, link-local, shared (CGNAT), reserved or multicast."""
    if isinstance(address, IPv6Address):
        if (carried := _carried(address)) is not None:
            return _is_inside(carried)
        if address.is_site_local:  # deprecated, yet still routed inside; `is_global` does not know it
            return True
    return not address.is_global or address.is_multicast or address.is_reserved


def _carried(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address a mapped, NAT64 or 6to4 address stands for, where packets end up."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour
