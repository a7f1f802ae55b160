"""Both simulators as a server you can point any client at (`belvo-async simulate`)."""

import asyncio
from collections.abc import Callable
from typing import Final

from .belvo.simulator import BelvoSimulator
from .faults import NO_FAULTS, Faults
from .syntage.simulator import SyntageSimulator

Say = Callable[[str], object]
_SHOWN: Final = 20


async def serve(
    *,
    host: str = "127.0.0.1",
    belvo_port: int = 0,
    syntage_port: int = 0,
    seed: int = 1,
    speed: float = 1.0,
    faults: Faults = NO_FAULTS,
    webhook_belvo: str | None = None,
    webhook_syntage: str | None = None,
    links: int = 3,
    entities: int = 3,
    limits: bool = True,
    say: Say = print,
) -> None:
    """Run a Belvo and a Syntage until cancelled; `say` gets how to reach them, line by line.

    The keys it prints are made up from the seed and open nothing but these two simulators.
    """
    belvo = BelvoSimulator(
        seed=seed,
        speed=speed,
        faults=faults,
        host=host,
        port=belvo_port,
        webhook_url=webhook_belvo,
        links=links,
        limits=limits,
    )
    syntage = SyntageSimulator(
        seed=seed,
        speed=speed,
        faults=faults,
        host=host,
        port=syntage_port,
        webhook_url=webhook_syntage,
        entities=entities,
        limits=limits,
    )
    async with belvo, syntage:
        for line in (*belvo_lines(belvo), "", *syntage_lines(syntage)):
            say(line)
        await asyncio.Event().wait()


def belvo_lines(belvo: BelvoSimulator) -> list[str]:
    """Tell how to point a client at this Belvo."""
    login = f"{belvo.secret_id}:{belvo.secret_password}"
    body = f'{{"link":"{belvo.links[0]}","date_from":"2025-01-01","date_to":"2025-12-31","type":"INFLOW"}}'
    return [
        f"Belvo    {belvo.url}",
        f"  secret id           {belvo.secret_id}",
        f"  secret password     {belvo.secret_password}",
        f"  webhooks go to      {belvo.webhook_url or 'nowhere'}",
        f"  with Authorization  {belvo.webhook_authorization}",
        *_first([f"  link                {link}  ({belvo.rfc_of(link)})" for link in belvo.links]),
        f"  curl -u {login} -H 'X-Belvo-Request-Mode: async' -H 'Content-Type: application/json' \\",
        f"    -d '{body}' {belvo.url}/api/invoices/",
        f"  curl -u {login} '{belvo.url}/api/invoices/?link={belvo.links[0]}&page_size=5'",
    ]


def syntage_lines(syntage: SyntageSimulator) -> list[str]:
    """Tell how to point a client at this Syntage."""
    key, first = f"-H 'X-API-Key: {syntage.api_key}'", syntage.entities[0]
    period = '{"period":{"from":"2025-01-01","to":"2025-12-31"}}'
    body = f'{{"entity":"{first}","extractor":"invoice","options":{period}}}'
    return [
        f"Syntage  {syntage.url}",
        f"  api key             {syntage.api_key}",
        f"  webhooks go to      {syntage.webhook_url or 'nowhere'}",
        f"  signed with         {syntage.signing_secret}",
        f"  files come from     {syntage.storage.url}  (by redirect; refuses the api key)",
        *_first([f"  entity              {entity}  ({syntage.rfc_of(entity)})" for entity in syntage.entities]),
        f"  curl {key} -H 'Content-Type: application/json' -d '{body}' {syntage.url}/extractions",
        f"  curl {key} '{syntage.url}{first}/invoices?itemsPerPage=5'",
        # `curl -L` would carry the key along, which the storage refuses: the redirect is read, then asked for bare.
        "  a file of it, once the extraction has ended (the key must not go where the redirect points)",
        f"  file=$(curl -s {key} '{syntage.url}/events?type=file.created&itemsPerPage=1' "
        "| grep -o '/files/[0-9a-f-]*' | head -n 1)",
        f"  curl -O \"$(curl -s -o /dev/null -w '%{{redirect_url}}' {key} {syntage.url}$file/download)\"",
    ]


def _first(lines: list[str]) -> list[str]:
    left = len(lines) - _SHOWN
    return lines if left <= 0 else [*lines[:_SHOWN], f"  and {left} more, as its list shows"]
