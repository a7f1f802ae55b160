"""`belvo-async simulate`: both vendors as a server, for any client."""

from __future__ import annotations

import asyncio
import json
from shlex import quote
from typing import Final, TypedDict

from ..simulator import BelvoSimulator, Faults, SyntageSimulator
from ..simulator.server import belvo_lines, syntage_lines
from .connection_limit import scarcity_in_words
from .lasting import run

FAULTS: Final = {
    "none": Faults(),
    "light": Faults(
        webhook_dropped=0.05,
        webhook_duplicated=0.1,
        webhook_reordered=0.05,
        lost_202=0.02,
        rate_limited=0.02,
        server_error=0.02,
        slow=0.05,
        cut_body=0.02,
    ),
    "heavy": Faults(
        webhook_dropped=0.3,
        webhook_duplicated=0.3,
        webhook_reordered=0.3,
        webhook_early=0.2,
        webhook_forged=0.3,
        lost_202=0.1,
        rate_limited=0.1,
        html_403=0.05,
        server_error=0.1,
        slow=0.1,
        cut_body=0.1,
        synchronous=0.05,
    ),
}

# What this library does without webhooks. Its ten minutes are real ones; `--speed` is the vendors' alone.
SILENCE: Final = (
    "Without --belvo-webhook the end of a Belvo job can only be inferred, after ten quiet minutes whatever the",
    "--speed: Belvo publishes no status of a request.",
)


class SharedOptions(TypedDict):
    """What is the same for both vendors."""

    host: str
    seed: int
    speed: float
    faults: Faults
    limits: bool


def simulate(
    *,
    host: str,
    ports: tuple[int, int, int],
    webhooks: tuple[str | None, str | None],
    subjects: tuple[int, int],
    seed: int,
    speed: float,
    faults: str,
    limits: bool,
) -> int:
    """Serve until Ctrl-C. Ports are Belvo's, Syntage's and that of Syntage's files; subjects are links and entities."""
    same = SharedOptions(host=host, seed=seed, speed=speed, faults=FAULTS[faults], limits=limits)
    belvo = BelvoSimulator(**same, port=ports[0], webhook_url=webhooks[0], links=subjects[0])
    syntage = SyntageSimulator(
        **same, port=ports[1], storage_port=ports[2], webhook_url=webhooks[1], entities=subjects[1]
    )
    run(_serve(belvo, syntage))
    return 0


def print_openapi(vendor: str, *, host: str, ports: tuple[int, int]) -> int:
    """Print what a simulator answers, as an OpenAPI document. Ports are Belvo's and Syntage's."""
    makers = {"belvo": BelvoSimulator, "syntage": SyntageSimulator}
    port = dict(zip(makers, ports, strict=True))[vendor]
    print(json.dumps(makers[vendor](host=host, port=port).openapi(), indent=1))
    return 0


async def _serve(belvo: BelvoSimulator, syntage: SyntageSimulator) -> None:
    # Not `simulator.server.serve`: what follows its lines needs the simulators' addresses.
    async with belvo, syntage:
        print(
            "\n".join([*belvo_lines(belvo), "", *syntage_lines(syntage), "", *client_lines(belvo, syntage)]), flush=True
        )
        with scarcity_in_words():
            await asyncio.Event().wait()


def client_lines(belvo: BelvoSimulator, syntage: SyntageSimulator) -> list[str]:
    """Tell how to point this library at both, by its environment or in Python."""
    environ = {
        "BELVO_SECRET_ID": belvo.secret_id,
        "BELVO_SECRET_PASSWORD": belvo.secret_password,
        "BELVO_BASE_URL": belvo.url,
        "BELVO_WEBHOOK_AUTH": belvo.webhook_authorization,
        "SYNTAGE_API_KEY": syntage.api_key,
        "SYNTAGE_BASE_URL": syntage.url,
        "SYNTAGE_WEBHOOK_SECRET": syntage.signing_secret,
    }
    return [
        "This library",
        *(f"  export {name}={quote(value)}" for name, value in environ.items()),
        # Not called `belvo` and `syntage`: those are the modules with the tasks, which the next line needs.
        "  from belvo_async import Belvo, Session, Syntage, belvo, syntage",
        f'  belvo_account = Belvo("{belvo.secret_id}", "{belvo.secret_password}", base_url="{belvo.url}",',
        f'                        webhook_authorization="{belvo.webhook_authorization}")',
        f'  syntage_account = Syntage("{syntage.api_key}", base_url="{syntage.url}",',
        f'                            webhook_secrets="{syntage.signing_secret}")',
        "  async with Session(belvo_account, syntage_account) as session: ...",
        *([] if belvo.webhook_url else SILENCE),
        "Ctrl-C ends both.",
    ]
