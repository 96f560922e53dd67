"""Which addresses a download may go to, and which origins are equal."""

import pytest

from batchrunner.hosts import check_download_url, is_local_origin, is_private, origin_of

PUBLIC = [
    "https://playgrounds-storage-public.runcomfy.net/a.png",
    "http://example.org/a.mp4",
    "HTTPS://Example.ORG:8443/a.mp4?X-Signature=a%2Fb&e={1}|2#part",
    "https://example.org./a.mp4",
    "https://8.8.8.8/a.mp4",
    "https://[2606:4700::1111]/a.mp4",
    "https://cdn_1.example.org/狐.mp4",
    "https://example.org",
    "https://notlocalhost/a",
    "https://mylocal.example/a",
]

INSIDE = [
    "http://localhost/a",
    "http://LOCALHOST.:8000/a",
    "http://films.localhost/a",
    "http://printer.local/a",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://127.0.0.1/a",
    "http://127.255.255.254/a",
    "http://10.1.2.3/a",
    "http://172.16.0.1/a",
    "http://192.168.0.1:8080/a",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.64.0.1/a",
    "http://0.0.0.0/a",
    "http://224.0.0.1/a",
    "http://240.0.0.1/a",
    "http://255.255.255.255/a",
    "http://[::1]/a",
    "http://[::]/a",
    "http://[fe80::1]/a",
    "http://[fd00::1]/a",
    "http://[fec0::1]/a",
    "http://[ff02::1]/a",
    "http://[::ffff:127.0.0.1]/a",
    "http://[::ffff:7f00:1]/a",
    "http://[64:ff9b::7f00:1]/a",
    "http://[2002:7f00:1::]/a",
]

UNREADABLE = {
    "": "not an http or https link",
    "/a.mp4": "not an http or https link",
    "ftp://example.org/a.mp4": "not an http or https link",
    "file:///etc/passwd": "not an http or https link",
    "data:video/mp4;base64,AAAA": "not an http or https link",
    "javascript://example.org/%0aalert(1)": "not an http or https link",
    "//example.org/a.mp4": "not an http or https link",
    "https:example.org": "not an http or https link",
    "https://": "names no host",
    "https:///a.mp4": "names no host",
    "https://:443/a": "names no host",
    "https://exa..mple/a": "names no host",
    "https://./a": "names no host",
    "https://127%2e0.0.1/a": "names no host",
    "https://ex%61mple.org/a": "names no host",
    "https://１２７.0.0.1/a": "names no host",
    "https://127。0。0。1/a": "names no host",
    "https://[::1%25eth0]/a": "names no host",
    "https://[::1/a": "names no host",
    "https://example.org:80:80/a": "names no host",
    "https://example.org:0/a": "port 0",
    "https://example.org:65536/a": "port 65536",
    "https://user@example.org/a": "user name",
    "https://user:secret@example.org/a": "user name",
    "https://example.org@127.0.0.1/a": "user name",
    "https://127.0.0.1\\@cdn.example.org/a": "contains '\\\\'",
    "https://example.org\\.evil.example/a": "contains '\\\\'",
    "https://exa mple.org/a": "contains ' '",
    " https://example.org/a": "contains ' '",
    "https://example.org/a b.mp4": "contains ' '",
    "https://example.org/a\r\nHost: evil": "contains '\\r'",
    "https://exam\tple.org/": "contains '\\t'",
    "https://example.org/\x00": "contains '\\x00'",
    "https://example.org/\u202egpj": "contains '\\u202e'",
    "https://2130706433/a": "plainly written",
    "https://0x7f.1/a": "plainly written",
    "https://0x7f000001/a": "plainly written",
    "https://127.1/a": "plainly written",
    "https://0177.0.0.1/a": "plainly written",
    "https://127.0.0.01/a": "plainly written",
    "https://1.2.3.4.5/a": "plainly written",
    "https://256.1.1.1/a": "plainly written",
    "https://[1::2::3]/a": "plainly written",
    "https://[127.0.0.1]/a": "plainly written",
    "https://example.org/" + "a" * 9_000: "9,020 characters",
}


@pytest.mark.parametrize("url", PUBLIC)
@pytest.mark.parametrize("api_is_local", [True, False])
def test_a_public_link_may_be_followed(url, api_is_local):
    assert check_download_url(url, api_is_local=api_is_local) is None


@pytest.mark.parametrize("url", INSIDE)
def test_a_link_into_a_private_network_is_refused(url):
    reason = check_download_url(url, api_is_local=False)

    assert reason is not None
    assert "private network" in reason


@pytest.mark.parametrize("url", INSIDE)
def test_a_link_into_a_private_network_may_be_followed_when_the_service_is_on_this_machine(url):
    assert check_download_url(url, api_is_local=True) is None


@pytest.mark.parametrize(("url", "why"), UNREADABLE.items())
@pytest.mark.parametrize("api_is_local", [True, False])
def test_a_link_two_clients_could_read_differently_is_refused_wherever_the_service_is(url, why, api_is_local):
    reason = check_download_url(url, api_is_local=api_is_local)

    assert reason is not None
    assert why in reason
    assert reason.isprintable()


@pytest.mark.parametrize("secret", ["hunter2", "user"])
def test_a_refusal_does_not_repeat_credentials(secret):
    reason = check_download_url("https://user:hunter2@example.org/", api_is_local=False)

    assert secret not in (reason or "").replace("user name", "")


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_a_resolved_public_address_is_public(address):
    assert not is_private(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "100.127.255.255",
        "169.254.169.254",
        "fe80::1%eth0",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "fec0::1",
        "192.0.2.1",
        "2001:db8::1",
        "224.0.1.1",
        "example.org",
        "",
    ],
)
def test_a_resolved_address_that_is_not_public_or_no_address_counts_as_private(address):
    assert is_private(address)


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:8000",
        "http://127.0.0.1:1",
        "http://[::1]",
        "http://sim.localhost",
        "http://0.0.0.0:8000",
    ],
)
def test_this_machine_is_local(origin):
    assert is_local_origin(origin)


@pytest.mark.parametrize(
    "origin",
    [
        "https://model-api.runcomfy.net",
        "http://192.168.0.1",
        "http://localhost.example.org",
        "http://127.0.0.1.example.org",
        "http://x@localhost",
        "",
        "localhost",
    ],
)
def test_other_machines_are_not_local(origin):
    assert not is_local_origin(origin)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("HTTPS://Model-API.RunComfy.net:443/v1/models?x=1", "https://model-api.runcomfy.net"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("https://example.org:80", "https://example.org:80"),
        ("https://example.org:", "https://example.org"),
        ("http://[0:0:0:0:0:0:0:1]:8000/x", "http://[::1]:8000"),
    ],
)
def test_spellings_of_one_origin_are_one_text(url, origin):
    assert origin_of(url) == origin
    assert origin_of(origin) == origin


@pytest.mark.parametrize("url", ["", "example.org", "ftp://example.org", "https://user:pw@example.org"])
def test_what_has_no_origin_is_refused_with_the_reason(url):
    with pytest.raises(ValueError, match=r"^it "):
        origin_of(url)
