"""An address is one that the service can fetch without a login."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchrunner.models.formats import BadAddress, check_address


@pytest.mark.parametrize(
    "address",
    [
        "https://a.example",
        "https://a.example/x.png?sig=a%20b&x=1#f",
        "HTTPS://A.EXAMPLE/x",
        "https://a.example:8443/x",
        "https://[2001:db8::1]/x",
        "https://bücher.example/ä",
        "https://a.example/" + "ä" * (8192 - 18),
    ],
)
def test_public_https_addresses_are_fine(address):
    check_address(address)


@pytest.mark.parametrize(
    ("address", "said", "hint"),
    [
        ("http://a.example/x", "an http:// address", "write https://"),
        ("data:image/png;base64,AAAA", "a data: address", "public host"),
        ("fox.png", "looks like a local file", "public host"),
        ("/home/me/fox.png", "looks like a local file", "public host"),
        ("C:\\pictures\\fox.png", "looks like a local file", "public host"),
        ("file:///home/me/fox.png", "looks like a local file", "public host"),
        ("ftp://a.example/x", "begins with ftp://", None),
        ("s3://bucket/x", "begins with s3://", None),
        ("", "an empty address", None),
        ("https:///x", "without a host", None),
        ("https://", "without a host", None),
        ("https://.", "without a host", None),
        ("https://me:secret@a.example/x", "a user name or password", "without a login"),
        ("https://me@a.example/x", "a user name or password", "without a login"),
        ("https://a.example/my fox.png", "a blank", "%20"),
        (" https://a.example/x", "a blank or line break before", "remove it"),
        ("https://a.example/x\u00a0y", "a blank", "%20"),
        ("https://a.example/x\ny", "a control character", None),
        ("https://a.example/\x9bx", "a control character", None),
        ("https://127.0.0.1\\@a.example/", "a backslash", None),
        ("https://a.example:port/x", "not a valid address", None),
        ("https://[::1/x", "not a valid address", None),
        ("https://a.example/" + "x" * 8192, "8,210 characters, at most 8,192 allowed", None),
    ],
)
def test_other_text_is_refused_with_the_reason(address, said, hint):
    with pytest.raises(BadAddress) as caught:
        check_address(address)

    assert said in str(caught.value)
    assert hint is None or hint in str(caught.value.hint)


@given(st.text() | st.text().map("https://".__add__))
def test_any_text_is_refused_or_begins_with_https(text):
    try:
        check_address(text)
    except BadAddress:
        return

    assert text.lower().startswith("https://")
