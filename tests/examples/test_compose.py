"""What the compose file starts, as its commands stand there: a receiver, two workers, PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import sys
import uuid
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from datetime import date
from pathlib import Path

import psycopg
import pytest

from belvo_async import Plan, Session
from belvo_async.simulator import SyntageSimulator
from tests.stores.postgres.server import URL, admin
from tests.variables import variables_of

COMPOSE = Path(__file__).parents[2] / "examples" / "compose"
PATIENCE_SECONDS = 90.0


@contextmanager
def database() -> Iterator[str]:
    admin().close()
    name = f"test_{uuid.uuid4().hex[:16]}"
    with psycopg.connect(URL, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
    try:
        yield f"{URL.rpartition('/')[0]}/{name}"
    finally:
        with psycopg.connect(URL, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload]


async def start(command: str, environ: dict[str, str]) -> asyncio.subprocess.Process:
    program, *arguments = shlex.split(command)
    path = sys.executable if program == "python" else str(Path(sys.executable).with_name(program))
    return await asyncio.create_subprocess_exec(
        path, *arguments, cwd=COMPOSE, env=environ, stdout=asyncio.subprocess.PIPE
    )


async def end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await process.communicate()


def commands() -> dict[str, str]:
    """By service, its command."""
    text = (COMPOSE / "compose.yaml").read_text(encoding="utf-8")
    return dict(re.findall(r"^  (\w+):\n(?:    .*\n)*?    command: (.+)$", text, re.MULTILINE))


async def story(url: str, folder: Path) -> None:
    async with SyntageSimulator(speed=50, entities=40, invoices_per_year=4) as vendor, AsyncExitStack() as stack:
        environ = os.environ | variables_of(vendor) | {"BELVO_ASYNC_STORE": url, "PROCRASTINATE_DSN": url}
        environ |= {"SAT_FOLDER": str(folder), "PYTHONPATH": f"{COMPOSE}{os.pathsep}{COMPOSE.parents[1]}"}
        for _ in range(2):  # it is started with every `up`
            made = await start(commands()["schema"], environ)
            await made.communicate()
            assert 0 == made.returncode
        served = commands()["receiver"].replace("0.0.0.0", "127.0.0.1").replace("8000", "0")
        receiver = await start(served, environ)
        stack.push_async_callback(end, receiver)
        assert receiver.stdout is not None
        vendor.webhook_url = f"{(await receiver.stdout.readline()).decode().split()[-1]}/webhooks/syntage"
        for _ in range(2):
            stack.push_async_callback(end, await start(commands()["worker"], environ))
        first, last = date(2024, 1, 1), date(2025, 12, 31)
        plan = Plan(vendor="syntage", resource="invoice", subjects=vendor.entities, first=first, last=last)
        command = f"python -m service extract syntage invoice {first} {last} {' '.join(vendor.entities)}"
        deferred = await start(command, environ)
        await deferred.communicate()
        assert 0 == deferred.returncode
        await until_whole(plan, environ, f"ndjson:{folder}")

        assert len(vendor.entities) == sum(request.method == "POST" for request in vendor.requests)


async def until_whole(plan: Plan, environ: dict[str, str], into: str) -> None:
    async with Session.from_env(environ, sweep=False) as session, asyncio.timeout(PATIENCE_SECONDS):
        while True:
            certificate = await session.certificate(plan, into=into)
            if certificate.is_whole and not certificate.unreceipted:
                return
            await asyncio.sleep(0.3)


@pytest.mark.proof
def test_the_services_carry_out_a_plan(tmp_path: Path) -> None:
    """Deferred by one command, whole by two workers, told of by a receiver that knows no engine."""
    with database() as url:
        asyncio.run(story(url, tmp_path / "sat"))
