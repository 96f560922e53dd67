"""The connection pool under the API's reads: aiohttp's, below httpx's interface.

httpx's own pool asks every idle connection for its state on every request: work that grows with the square
of the connections, and a third of a run's CPU time when it was measured.  Submissions and downloads stay on
httpx's own transport: the one needs errors that tell exactly whether something was sent, the other links
that are passed on letter by letter (aiohttp writes their escapes anew).  Only reads, which are free, go here.
"""

from __future__ import annotations

import ssl
import urllib.request

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport


def pooled_reads(
    connections: int, context: ssl.SSLContext, *, through_proxies: bool
) -> httpx.AsyncBaseTransport | None:
    """Return a transport with *connections* kept alive; None where a proxy of the environment is to be used.

    (aiohttp reads ``~/.netrc`` together with the proxy variables, and no login belongs there but our token.)
    """
    if through_proxies and urllib.request.getproxies():
        return None

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=connections, ssl=context)
        opened = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        opened._retry_connection = False  # no retry layer hides below ours
        return opened

    return AiohttpTransport(client=session, verify=context)


def was_sent(error: BaseException) -> bool:
    """Return whether aiohttp's *error* leaves it possible that something arrived."""
    return not isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
