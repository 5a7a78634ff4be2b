from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windtunnel.delivery.addresses import is_host_name, is_public, read_allowance

PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.215.14", "168.63.129.15", "2606:4700:4700::1111", "2a00:1450:4001::200e"]
NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::8.8.8.8",
    "::ffff:8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:0:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "2606:4700::5efe:7f00:1",
    "2606:4700::200:5efe:7f00:1",
    "2606:4700:4700::1111%eth0",
]


@pytest.mark.parametrize("text", PUBLIC)
def test_addresses_of_the_internet_are_public(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_all_others_are_not(text: str) -> None:
    assert not is_public(ip_address(text))


@given(st.ip_addresses(v=4))
@settings(max_examples=100, deadline=None)
def test_no_address_is_public_in_the_disguise_of_another(address: IPv4Address) -> None:
    inside = int(address)
    disguises = [
        inside,
        0xFFFF << 32 | inside,
        0xFFFF << 48 | inside,
        0x64FF9B << 96 | inside,
        0x64FF9B0001 << 80 | inside,
        0x2002 << 112 | inside << 80 | 1,
        0x20010000 << 96 | (inside ^ 0xFFFFFFFF),
        0x20010000 << 96 | inside << 64,
        0x2606_4700_0000_0000_0000_5EFE << 32 | inside,
    ]
    assert [str(IPv6Address(each)) for each in disguises if is_public(IPv6Address(each))] == []


@given(st.ip_addresses())
@settings(max_examples=200, deadline=None)
def test_public_is_never_more_than_what_python_calls_global(address: IPv4Address | IPv6Address) -> None:
    assert not is_public(address) or (address.is_global and not address.is_private and not address.is_multicast)


def test_an_operator_allows_networks_addresses_and_hosts() -> None:
    allowance = read_allowance(["10.1.0.0/16", "127.0.0.1", "fd00:1::/32", "Hooks.Internal", "receiver"])
    covered = [
        ("anything", "10.1.2.3"),
        ("anything", "127.0.0.1"),
        ("anything", "fd00:1::5"),
        ("hooks.internal", "192.168.0.1"),
        ("receiver", "169.254.1.1"),
    ]
    assert [each for each in covered if not allowance.covers(each[0], ip_address(each[1]))] == []
    uncovered = [
        ("anything", "10.2.0.1"),
        ("anything", "127.0.0.2"),
        ("anything", "fd00:2::5"),
        ("anything", "::ffff:10.1.2.3"),
        ("evil.hooks.internal", "192.168.0.1"),
    ]
    assert [each for each in uncovered if allowance.covers(each[0], ip_address(each[1]))] == []


@pytest.mark.parametrize("text", ["0.0.0.0", "255.255.255.255", "224.0.0.1", "::", "ff02::1"])
def test_not_even_an_operator_allows_what_is_no_machine(text: str) -> None:
    assert not read_allowance(["0.0.0.0/0", "::/0", "host"]).covers("host", ip_address(text))


@pytest.mark.parametrize("entry", ["10.1.2.3/8", "10.0.0.0/33", "*.internal", "http://host", "host:80", "0x7f.1", ""])
def test_what_is_no_network_and_no_host_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match=r"IPv|network|has host bits set"):
        read_allowance([entry])


@pytest.mark.parametrize(
    "name", ["a", "localhost", "hooks.example.com", "xn--bcher-kva.example", "my_service", "a1.b2"]
)
def test_names_for_the_dns(name: str) -> None:
    assert is_host_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a." * 127 + "a",
        ".",
        "a.",
        "a..b",
        "-a",
        "a-.b",
        "1",
        "127.1",
        "0x7f000001",
        "a.0x7f",
        "a.1",
        "A",
        "é",
        "a b",
        "a" * 64,
    ],
)
def test_names_that_are_none_or_numbers_in_disguise(name: str) -> None:
    assert not is_host_name(name)
