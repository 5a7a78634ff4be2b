import pytest

from windtunnel.delivery.errors import RefusedError
from windtunnel.delivery.urls import read_url, without_query


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "authority"),
    [
        ("https://example.com", "example.com", 443, "/", "example.com"),
        ("HTTPS://Example.COM/A", "example.com", 443, "/A", "example.com"),
        ("https://example.com:8443/a/b?c=d&e=%20", "example.com", 8443, "/a/b?c=d&e=%20", "example.com:8443"),
        ("https://example.com?x=1", "example.com", 443, "/?x=1", "example.com"),
        ("http://receiver:80/", "receiver", 80, "/", "receiver"),
        ("http://127.0.0.1:8080/", "127.0.0.1", 8080, "/", "127.0.0.1:8080"),
        ("https://[2606:4700::1]/", "2606:4700::1", 443, "/", "[2606:4700::1]"),
        ("https://[::1]:444/", "::1", 444, "/", "[::1]:444"),
    ],
)
def test_a_url_says_where(url: str, host: str, port: int, path: str, authority: str) -> None:
    target = read_url(url)
    assert (target.host, target.port, target.path, target.authority) == (host, port, path, authority)
    assert (target.address is None) == (not host[0].isdigit() and ":" not in host)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "begin with https"),
        ("example.com", "begin with https"),
        ("ftp://example.com/", "begin with https"),
        ("file:///etc/passwd", "begin with https"),
        ("gopher://127.0.0.1:6379/_x", "begin with https"),
        (" https://example.com", "begin with https"),
        ("https://user@example.com/", "user name"),
        ("https://user:word@example.com/", "user name"),
        ("https://example.com@127.0.0.1/", "user name"),
        ("https://example.com/#x", "fragment"),
        ("https://bücher.example/", "ASCII"),
        ("https://example.com/ä", "ASCII"),
        ("https://ｅxample.com/", "ASCII"),
        ("https://", "malformed"),
        ("https:///path", "malformed"),
        ("https://example.com:/", "malformed"),
        ("https://example.com:x/", "malformed"),
        ("https://example.com:0/", "port"),
        ("https://example.com:65536/", "port"),
        ("https://example.com\\@127.0.0.1/", "user name"),
        ("https://example.com\\.evil/", "malformed"),
        ("https://example.com/a b", "malformed"),
        ("https://example.com/\r\nHost: evil", "malformed"),
        ("https://example.com/\n", "malformed"),
        ("https://example.com/%zz", "malformed"),
        ("https://example%2ecom/", "malformed"),
        ("https://[::1/", "malformed"),
        ("https://[fe80::1%25eth0]/", "malformed"),
        ("https://example.com./", "neither a name nor an address"),
        ("https://127.0.0.1./", "neither"),
        ("https://2130706433/", "neither"),
        ("https://0x7f000001/", "neither"),
        ("https://0x7f.0.0.1/", "neither"),
        ("https://0177.0.0.1/", "neither"),
        ("https://127.1/", "neither"),
        ("https://127.0.0.01/", "neither"),
        ("https://1.2.3.4.5/", "neither"),
        ("https://example.1/", "neither"),
        ("https://..../", "neither"),
        ("https://-/", "neither"),
        ("https://[:::]/", "neither"),
        ("https://" + "a" * 64 + ".com/", "neither"),
        ("https://example.com/" + "a" * 2_000, "more than 2,000"),
    ],
)
def test_any_other_form_is_refused(url: str, why: str) -> None:
    with pytest.raises(RefusedError) as refused:
        read_url(url)
    assert why in refused.value.reason
    assert "\n" not in refused.value.reason


def test_the_query_can_be_left_out() -> None:
    assert without_query("https://example.com/a?token=secret") == "https://example.com/a"
    assert without_query("https://example.com") == "https://example.com"
