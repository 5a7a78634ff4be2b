from collections.abc import Sequence

import pytest

from windtunnel.delivery.addresses import NOTHING_MORE, read_allowance
from windtunnel.delivery.destination import NOT_FOUND_OR_NOT_PUBLIC, addresses_of
from windtunnel.delivery.errors import RefusedError
from windtunnel.delivery.urls import read_url

PUBLIC = "93.184.215.14"
PUBLIC_V6 = "2606:4700::1111"


class Names:
    """A look-up that knows one answer, and counts how often it is asked."""

    def __init__(self, *addresses: str) -> None:
        self.asked = 0
        self._addresses = addresses

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        del host, port
        self.asked += 1
        return self._addresses


async def _refusal(url: str, *addresses: str, allowed: Sequence[str] = ()) -> str:
    with pytest.raises(RefusedError) as refused:
        await addresses_of(read_url(url), read_allowance(allowed), Names(*addresses))
    return refused.value.reason


async def test_a_host_is_looked_up_once_and_all_its_addresses_are_kept() -> None:
    names = Names(PUBLIC, PUBLIC_V6)
    found = await addresses_of(read_url("https://example.com/"), NOTHING_MORE, names)
    assert [str(address) for address in found] == [PUBLIC, PUBLIC_V6]
    assert names.asked == 1


@pytest.mark.parametrize("bad", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fe80::1%2", "::ffff:1.1.1.1"])
@pytest.mark.parametrize("first", [True, False])
async def test_one_address_that_is_not_public_is_one_too_many(bad: str, first: bool) -> None:
    addresses = (bad, PUBLIC) if first else (PUBLIC, bad)
    assert await _refusal("https://example.com/", *addresses) == NOT_FOUND_OR_NOT_PUBLIC


async def test_a_host_that_is_not_found_cannot_be_told_from_one_of_our_network() -> None:
    assert await _refusal("https://db.internal/") == await _refusal("https://db.internal/", "10.0.0.7")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "0.0.0.0"])
async def test_an_address_in_the_url_is_judged_without_asking_anybody(host: str) -> None:
    names = Names(PUBLIC)
    with pytest.raises(RefusedError):
        await addresses_of(read_url(f"https://{host}/"), NOTHING_MORE, names)
    assert names.asked == 0


async def test_garbage_from_a_look_up_is_no_address() -> None:
    assert await _refusal("https://example.com/", PUBLIC, "elsewhere") == NOT_FOUND_OR_NOT_PUBLIC


async def test_http_is_for_what_the_operator_allows() -> None:
    names = Names(PUBLIC)
    with pytest.raises(RefusedError, match="https://"):
        await addresses_of(read_url("http://example.com/"), NOTHING_MORE, names)
    assert names.asked == 0, "nothing is asked for what cannot be"
    assert "https://" in await _refusal("http://example.com/", PUBLIC, allowed=["10.0.0.0/8"])
    for allowed in (["10.0.0.0/8"], ["receiver"]):
        found = await addresses_of(read_url("http://receiver:8080/"), read_allowance(allowed), Names("10.0.0.1"))
        assert [str(address) for address in found] == ["10.0.0.1"]


async def test_an_allowed_address_beside_another_private_one_is_refused() -> None:
    assert await _refusal("https://example.com/", "10.0.0.1", "10.9.0.1", allowed=["10.0.0.0/16"])


@pytest.mark.parametrize(("port", "fine"), [(443, True), (8443, True), (1024, True), (25, False), (80, False)])
async def test_ports_below_1024_belong_to_other_protocols(port: int, fine: bool) -> None:
    url = f"https://example.com:{port}/"
    if fine:
        assert await addresses_of(read_url(url), NOTHING_MORE, Names(PUBLIC))
    else:
        assert "port" in await _refusal(url, PUBLIC)
        assert await addresses_of(read_url(url), read_allowance(["example.com"]), Names(PUBLIC))
