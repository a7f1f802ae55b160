"""`belvo-async simulate`: what it takes, what it serves, and what it prints for those who want to reach it."""

from __future__ import annotations

import asyncio
import shlex
from textwrap import dedent
from typing import Any

import aiohttp
import pytest

from belvo_async import Belvo, Session, Syntage, belvo, syntage
from belvo_async._cli import main
from belvo_async._cli.simulate import client_lines
from belvo_async.simulator import BelvoSimulator, SyntageSimulator
from tests.virtual_time import VirtualClock


def test_simulate_tells_how_to_point_this_library_at_it() -> None:
    """The lines can be pasted: both vendors with address, key and webhook secret."""
    belvo_simulator, syntage_simulator = BelvoSimulator(seed=4), SyntageSimulator(seed=4)

    text = "\n".join(client_lines(belvo_simulator, syntage_simulator))

    assert f'webhook_authorization="{belvo_simulator.webhook_authorization}"' in text
    assert f'webhook_secrets="{syntage_simulator.signing_secret}"' in text


async def test_simulate_gives_the_environment_of_both_vendors(clock: VirtualClock) -> None:
    """Its `export` lines are all `from_env` needs: whoever pastes them reaches both, and knows their webhooks."""
    async with BelvoSimulator(seed=4, now=clock.now) as simulated, SyntageSimulator(seed=4, now=clock.now) as other:
        exports = [line for line in client_lines(simulated, other) if line.lstrip().startswith("export ")]
        environ = dict(word.split("=", 1) for line in exports for word in shlex.split(line)[1:])
        vendors = (Belvo.from_env(environ), Syntage.from_env(environ))
        async with Session(*vendors, store="memory:") as session:
            links = await session.list(belvo.Links()).to_list()
            entities = await session.list(syntage.Entities()).to_list()

        assert (simulated.webhook_authorization, other.signing_secret) == (
            environ["BELVO_WEBHOOK_AUTH"],
            environ["SYNTAGE_WEBHOOK_SECRET"],
        )
    assert {"BELVO_SECRET_ID", "BELVO_SECRET_PASSWORD", "BELVO_BASE_URL", "BELVO_WEBHOOK_AUTH", "SYNTAGE_API_KEY",
            "SYNTAGE_BASE_URL", "SYNTAGE_WEBHOOK_SECRET"} == set(environ)  # fmt: skip
    assert (simulated.links, other.entities) == (
        tuple(link.id for link in links),
        tuple(entity.iri for entity in reversed(entities)),
    )


async def test_what_simulate_prints_shadows_no_module(clock: VirtualClock) -> None:
    """Its lines run as they stand, after which `belvo` and `syntage` are still the modules with the tasks."""
    async with BelvoSimulator(seed=4, now=clock.now) as simulated, SyntageSimulator(seed=4, now=clock.now) as other:
        lines = dedent("\n".join(line for line in client_lines(simulated, other) if line.startswith("  "))).splitlines()
        program = "\n".join(line for line in lines if not line.startswith(("export ", "async with ")))
        names: dict[str, Any] = {}
        exec(program, names)
        (opened,) = [line for line in lines if line.startswith("async with Session(")]
        vendors = [names[name.strip()] for name in opened.split("(")[1].split(")")[0].split(",")]
        async with Session(*vendors, store="memory:") as session:
            links = await session.list(names["belvo"].Links()).to_list()
            entities = await session.list(names["syntage"].Entities()).to_list()

    assert (belvo, syntage) == (names["belvo"], names["syntage"])
    assert [3, 3] == [len(links), len(entities)]


def run_simulate(monkeypatch: pytest.MonkeyPatch, *argv: str) -> tuple[BelvoSimulator, SyntageSimulator]:
    """Run the command up to where it would serve; gives the two it would serve."""
    served: list[tuple[BelvoSimulator, SyntageSimulator]] = []

    async def keep(belvo: BelvoSimulator, syntage: SyntageSimulator) -> None:
        served.append((belvo, syntage))

    monkeypatch.setattr("belvo_async._cli.simulate._serve", keep)
    assert 0 == main(["simulate", *argv])
    return served[0]


def test_simulate_takes_how_many_links_and_entities(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = run_simulate(monkeypatch, "--links", "7", "--entities", "2")

    assert (7, 2) == (len(first.links), len(second.entities))


@pytest.mark.parametrize(("argv", "statuses"), [((), {200, 403}), (("--no-limits",), {200})], ids=["on", "off"])
async def test_simulate_has_a_switch_for_limits(
    monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...], statuses: set[int]
) -> None:
    """On, as at the vendors, unless said otherwise; the ports, one address for all of them."""
    argv = ("--host", "127.0.0.1", "--belvo-port", "0", "--syntage-port", "0", *argv)
    belvo, _ = await asyncio.to_thread(run_simulate, monkeypatch, *argv)
    login = {"Authorization": aiohttp.encode_basic_auth(belvo.secret_id, belvo.secret_password)}
    async with belvo, aiohttp.ClientSession(belvo.url, headers=login) as http:
        answers = [(await http.get("/api/links/")).status for _ in range(81)]

    assert statuses == set(answers)


@pytest.mark.parametrize(
    ("url", "is_told"), [(None, True), ("http://localhost:80/", False)], ids=["nowhere", "somewhere"]
)
def test_simulate_tells_what_it_means_to_send_no_webhooks(url: str | None, *, is_told: bool) -> None:
    """Belvo has no status of a request: without webhooks each of its jobs takes ten minutes more, at any speed."""
    text = "\n".join(client_lines(BelvoSimulator(webhook_url=url), SyntageSimulator()))

    assert is_told == ("Without --belvo-webhook the end of a Belvo job can only be inferred" in text)
    assert is_told == ("ten quiet minutes" in text)


@pytest.mark.parametrize("option", ["--links", "--entities"])
@pytest.mark.parametrize("number", ["0", "2.5", "-1", "many", "1001"])
def test_a_wrong_count_says_what_is_expected(option: str, number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["simulate", option, number])

    assert 2 == left.value.code
    assert "must be a whole number from 1 to 1000" in capsys.readouterr().err
