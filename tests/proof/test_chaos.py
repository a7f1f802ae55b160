"""Servers killed and frozen under load. Any length: `python -m tests.proof.chaos --server postgres --seconds 300`."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from belvo_async.jobs import Failure, Job, Status

from . import servers
from .chaos_history import Report, Run, examine
from .chaos_plan import Event, Plan

pytestmark = pytest.mark.proof

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("kind", sorted(servers.KINDS))
def test_all_processes_agree_when_the_server_is_tormented(kind: str) -> None:
    """Killed, frozen and restarted, workers too: every job one outcome, nothing doubled, nothing lost."""
    servers.demand(kind)
    command = [sys.executable, "-m", "tests.proof.chaos", "--server", kind, "--seconds", "20", "--seed", "7"]

    # In a process of its own: its event loop must not share this one's warnings and threads.
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        output, _ = process.communicate(timeout=240)
    finally:
        process.send_signal(signal.SIGTERM)  # it ends what it started
        process.wait(30)

    assert 0 == process.returncode, output
    line = output.splitlines()[-1]
    assert line.endswith("doubled=0 lost=0 disagreements=0 unfinished=0")
    numbers = {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", line)}
    assert numbers["jobs"] > 40
    assert numbers["outcomes"] > 4 * 40
    assert numbers["kills"] > 0
    assert numbers["pauses"] + numbers["worker_kills"] > 0


PLAN = Plan(
    store="",
    history="",
    seed=1,
    workers=4,
    began=0,
    every=1,
    haste=1,
    belvo_url="https://belvo.example",
    belvo_secret_id="",
    belvo_secret_password="",
    belvo_authorization="",
    links=("11111111-1111-4111-8111-111111111111",),
    syntage_url="https://syntage.example",
    syntage_key="",
    syntage_secret="",
    entities=("/entities/22222222-2222-4222-8222-222222222222",),
)


def a_job(slot: int, **facts: object) -> Job:
    """The finished job of a slot."""
    task = PLAN.task(slot)
    now = __import__("datetime").datetime(2026, 6, 1, tzinfo=__import__("datetime").UTC)
    job = Job(
        id=f"job-{slot}",
        vendor=task.vendor,
        account="a",
        task=task,
        created_at=now,
        attempted_at=now,
        status=Status.FINISHED,
        remote_id=f"r-{slot}",
    )
    return replace(job, **facts)
