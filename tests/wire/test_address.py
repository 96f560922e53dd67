"""Plain addresses are taken apart without httpx, and come out as httpx would have read them."""

from __future__ import annotations

import subprocess
import sys

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batchrunner.wire import read_address
from batchrunner.wire.address import Address

HOSTS = st.sampled_from(
    ["localhost", "127.0.0.1", "model-api.runcomfy.net", "API.example", "a--b.c", "-a.b", "a-.b", "1a2b3c4",
     "1.2.3", "1.2.3.256", "01.2.3.4", "1-2-3-4", "a1-2-3-4", "xn--bcher-kva.example", "bücher.example",
     "[::1]", "a_b.c", "a..b", "a.", "user@host", "host:80@x", "", "x.1", "1.x"]
)  # fmt: skip
PORTS = st.sampled_from(
    [
        "",
        ":80",
        ":443",
        ":8080",
        ":0",
        ":43811",
        ":64999",
        ":65000",
        ":65535",
        ":65536",
        ":99999",
        ":",
        ":08",
        ":a",
    ]
)
TARGETS = st.lists(
    st.sampled_from(
        ["/", "/v1", "/.", "/..", "/.a", "/a.b", "//", "%20", "%2f", "%2F", "%7E", "%zz", "%", "?", "a=b",
         "&", "#x", "~", "+", " ", "é", ":", ";", "'", "\\", "@", "!", "X-Amz-Signature=ab", "."]
    ),
    max_size=7,
).map("".join)  # fmt: skip


def as_httpx_reads(url: str) -> Address | None:
    try:
        read = httpx.URL(url)
    except httpx.InvalidURL:
        return None
    host, netloc, target = (part.decode() for part in (read.raw_host, read.netloc, read.raw_path))
    return Address(read.scheme, host, read.port, netloc, target)


@given(
    st.builds("{}://{}{}{}".format, st.sampled_from(["http", "https", "HTTP", "ftp"]), HOSTS, PORTS, TARGETS)
)
@example("https://cdn.example/films/a%20b.mp4?X-Amz-Date=20261126T000000Z&X-Amz-Signature=0f~1")
def test_an_address_is_read_as_httpx_reads_it(url):
    theirs = as_httpx_reads(url)

    if theirs is None:
        with pytest.raises(ValueError, match=r"\w"):
            read_address(url)
    else:
        assert read_address(url) == theirs


def test_a_plain_address_needs_no_httpx():
    told = (
        "import sys; from batchrunner.wire import read_address; "
        "read_address('http://127.0.0.1:43811/v1/requests/0a-b/result?include_cost=true'); "
        "sys.exit('httpx' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", told], check=False).returncode == 0
