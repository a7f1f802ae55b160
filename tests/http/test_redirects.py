"""Where redirects may lead: to the public, and to no network that only we can reach."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from yarl import URL

from belvo_async._http import Http, ask
from belvo_async._http.addresses import Reach, is_within, reach_of
from belvo_async._http.redirects import target_of
from belvo_async.errors import TransportError
from tests.http.origin import CANARY, Origin, Step, credentials, read, reply
from tests.virtual_time import VirtualClock

NEARBY = {
    Reach.MACHINE: [
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:1::80ff:fffe",
    ],
    Reach.NETWORK: [
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "100.127.255.255",
        "198.18.0.1",
        "fc00::1",
        "fd12:3456::1",
        "fec0::1",
        "::ffff:10.1.2.3",
        "64:ff9b::a00:1",
        "2002:c0a8:101::1",
    ],
    Reach.SEGMENT: [
        "169.254.169.254",
        "169.254.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
    ],
}
PUBLIC = ["8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.255.255", "100.128.0.0", "2606:4700::1111", "::ffff:8.8.8.8"]


@pytest.mark.parametrize(("text", "reach"), [(text, reach) for reach, texts in NEARBY.items() for text in texts])
def test_an_address_reaches_what_it_is_meant_for(text: str, reach: Reach) -> None:
    """Whatever way it is written, also as IPv4 held in IPv6."""
    assert reach is reach_of(text)


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_reaches_everybody(text: str) -> None:
    """What borders on a private network is none."""
    assert reach_of(text) is None


@pytest.mark.parametrize(
    ("base", "allowed"),
    [
        pytest.param(None, set(), id="a public base"),
        pytest.param(Reach.MACHINE, {Reach.MACHINE, Reach.NETWORK}, id="a base on this machine"),
        pytest.param(Reach.NETWORK, {Reach.NETWORK}, id="a base in this network"),
        pytest.param(Reach.SEGMENT, {Reach.SEGMENT}, id="a base on this link"),
    ],
)
def test_a_base_leads_no_nearer_than_it_is(base: Reach | None, allowed: set[Reach]) -> None:
    """A relay on this machine may send into its network; none sends to a metadata service."""
    assert allowed == {reach for reach in Reach if is_within(reach, [base])}
    assert is_within(None, [base])


@pytest.fixture
async def http(clock: VirtualClock) -> AsyncIterator[Http]:
    async with Http(clock=clock, chance=lambda: 1.0) as http:
        yield http


class Internet:
    """Names and addresses as a test says; whatever is connected to leads to this machine."""

    def __init__(self, names: dict[str, list[str]]) -> None:
        self.names = names
        self.connected: list[str] = []

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        connect = loop.sock_connect

        async def look_up(host: str, port: Any, **options: Any) -> list[Any]:
            if host not in self.names:
                raise socket.gaierror(socket.EAI_NONAME, "unknown")
            return [
                (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (text, port, 0, 0))
                if ":" in text
                else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, port))
                for text in self.names[host]
            ]

        async def go(sock: socket.socket, address: Any) -> None:
            self.connected.append(address[0])
            await connect(sock, ("127.0.0.1", address[1]))

        monkeypatch.setattr(loop, "getaddrinfo", look_up)
        monkeypatch.setattr(loop, "sock_connect", go)


FILE = (reply(body=b"file"),)
PUBLIC_BASE, PUBLIC_STORE = "203.0.113.7", "198.51.100.9"


@pytest.fixture
async def internet(monkeypatch: pytest.MonkeyPatch) -> Internet:
    internet = Internet({"api.example": [PUBLIC_BASE], "store.example": [PUBLIC_STORE], "relay.example": ["127.0.0.1"]})
    internet.install(monkeypatch)
    return internet


def moved(place: str, status: int = 302) -> bytes:
    return reply(status, location=place)


def port_of(origin: Origin) -> str:
    return origin.url.rpartition(":")[2]


@asynccontextmanager
async def sending_to(name: str, script: Sequence[Step], path: str = "/") -> AsyncIterator[tuple[Origin, Origin]]:
    """A store that plays a script, and an origin that redirects to it by a name."""
    async with Origin([script]) as store, Origin([(moved(f"http://{name}:{port_of(store)}{path}"),)]) as origin:
        yield store, origin


async def follow(http: Http, origin: Origin, name: str = "api.example") -> Any:
    return await ask(http.send_to(f"http://{name}:{port_of(origin)}", credentials), read(follow=True))


async def test_a_public_base_may_send_to_a_public_store(http: Http, internet: Internet) -> None:
    """That is what downloads do."""
    async with sending_to("store.example", FILE, "/f?sig=a%2Bb") as (store, origin):
        answer = await follow(http, origin)

    assert b"file" == answer.body
    assert "GET /f?sig=a%2Bb HTTP/1.1" == store.seen[0].line
    assert CANARY not in str(store.seen)
    assert [PUBLIC_BASE, PUBLIC_STORE] == internet.connected


@pytest.mark.parametrize("text", [text for texts in NEARBY.values() for text in texts if "%" not in text])
@pytest.mark.parametrize("is_named", [False, True], ids=["as an address", "by a name"])
async def test_a_public_base_may_not_send_into_a_network_of_ours(
    http: Http, internet: Internet, text: str, is_named: bool
) -> None:
    """Neither in plain nor behind a name; not connected to even once, and not tried again."""
    internet.names["trap.example"] = [text]
    host = "trap.example" if is_named else f"[{text}]" if ":" in text else text
    async with Origin([(moved(f"http://{host}/latest/meta-data"),)]) as origin:
        with pytest.raises(TransportError, match="not followed") as refused:
            await follow(http, origin)

    assert 1 == len(origin.seen)
    assert [PUBLIC_BASE] == internet.connected
    assert text not in str(refused.value)


@pytest.mark.parametrize(
    "host", ["2130706433", "127.1", "0x7f000001", "0177.0.0.1", "0x7f.1", "localhost", "LOCALHOST."]
)
async def test_no_spelling_of_an_address_gets_by(http: Http, internet: Internet, host: str) -> None:
    """What libraries would still take for this machine."""
    internet.names |= {name: ["127.0.0.1"] for name in (host, host.lower(), host.lower().rstrip("."))}
    async with Origin([(moved(f"http://{host}/"),)]) as origin:
        with pytest.raises(TransportError):
            await follow(http, origin)

    assert {PUBLIC_BASE} == set(internet.connected)


async def test_of_several_addresses_the_public_ones_are_left(http: Http, internet: Internet) -> None:
    """What is checked is what is connected to, not what else a name may stand for."""
    internet.names["store.example"] = ["10.0.0.1", PUBLIC_STORE, "fd00::1"]
    async with sending_to("store.example", FILE) as (_, origin):
        assert b"file" == (await follow(http, origin)).body

    assert [PUBLIC_BASE, PUBLIC_STORE] == internet.connected


async def test_every_step_is_checked(http: Http, internet: Internet) -> None:
    """A store may be led astray as well."""
    async with sending_to("store.example", (moved("http://169.254.169.254/"),)) as (_, origin):
        with pytest.raises(TransportError, match="not followed"):
            await follow(http, origin)

    assert [PUBLIC_BASE, PUBLIC_STORE] == internet.connected


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1"])
async def test_a_base_that_is_nearby_may_send_nearby(http: Http, internet: Internet, address: str) -> None:
    """A simulator, or a relay of one's own."""
    internet.names["store.example"] = [address]
    async with sending_to("store.example", FILE) as (_, origin):
        assert b"file" == (await follow(http, origin, "relay.example")).body

    assert ["127.0.0.1", address] == internet.connected


async def test_a_connection_of_another_base_is_no_way_round(http: Http, internet: Internet) -> None:
    """Connections are kept by the name of their host: a public base does not get at those of one that is nearby."""
    async with Origin([(reply(),)]) as relay:
        relay_url = f"http://relay.example:{port_of(relay)}"
        await ask(http.send_to(relay_url, credentials), read())
        async with Origin([(moved(f"{relay_url}/admin"),)]) as origin:
            with pytest.raises(TransportError, match="not followed"):
                await follow(http, origin)

    assert 1 == len(relay.seen)


async def test_through_a_proxy_only_plain_addresses_can_be_checked(
    clock: VirtualClock, internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the proxy that looks names up and connects, and it is nearby itself."""
    script = [(moved("http://inner.example/f"),), FILE, (moved("http://10.0.0.1/f"),)]
    async with Origin(script) as proxy, Http(clock=clock, trust_env=True) as http:
        monkeypatch.setenv("http_proxy", proxy.url)
        send = http.send_to("http://api.example", credentials)
        answer = await ask(send, read(follow=True))
        with pytest.raises(TransportError, match="not followed"):
            await ask(send, read(follow=True))

    assert b"file" == answer.body
    assert ["http://api.example/things", "http://inner.example/f", "http://api.example/things"] == [
        each.line.split()[1] for each in proxy.seen
    ]


@pytest.mark.parametrize(
    ("start", "place", "is_followed"),
    [
        ("https://api.example/f", "https://store.example/f", True),
        ("http://api.example/f", "https://store.example/f", True),
        ("http://api.example/f", "http://store.example/f", True),
        ("https://api.example/f", "http://store.example/f", False),
        ("https://api.example/f", "//store.example/f", True),
        ("https://api.example/f", "/g", True),
    ],
)
def test_a_redirect_never_leaves_tls(start: str, place: str, is_followed: bool) -> None:
    """From https to https only, at every step."""
    target = target_of(302, "GET", place, URL(start))

    assert is_followed == (target is not None)
