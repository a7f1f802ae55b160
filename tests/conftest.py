"""What every test shares: virtual time, and files that are written to memory."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.virtual_time import VirtualClock, VirtualTimeLoop
from tests.waiting import hold_time_for_sqlite

# Laws are tried on few examples in the plain run, and on many in the proof.
MANY = "BELVO_ASYNC_EXAMPLES"
settings.register_profile("plain", max_examples=int(os.environ.get(MANY, "20")))
settings.load_profile("plain")

# Whatever a test does with SQLite files, time must not jump over the thread that calls back through the loop.
_held = hold_time_for_sqlite()
_held.__enter__()

pytest_plugins = ["tests.canary"]

# A commit waits some milliseconds for a disk, and the tests make thousands. Some containers have little room there.
_MEMORY = Path("/dev/shm")


def pytest_configure() -> None:
    """Make the directories of the tests in memory, where there is such a place; have what is compiled kept."""
    # Each worker, and each process of a test, reads thousands of modules: once compiled, in a third of the time.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > 2**30:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


# What every change of a store must pass at once, on all four.
_CORE = ("test_jobs_contract.py", "test_shared_contract.py", "test_once_contract.py", "test_budgets_contract.py")
# Servers that others stand beside, where a test is tried on several: their share takes more than half of its time.
_SERVERS = ("postgres", "redis", "procrastinate", "rabbitmq")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave to the proofs, on servers, what is tried without one or on another as well."""
    for each in items:
        tried = getattr(getattr(each, "callspec", None), "id", "")
        is_first = "engines" in each.path.parts and "redis" in tried
        if any(name in tried for name in _SERVERS) and each.path.name not in _CORE and not is_first:
            each.add_marker(pytest.mark.proof)


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Callable[[], Any]]:
    """Every test runs on a loop with virtual time: nothing sleeps for real."""
    return {"virtual": VirtualTimeLoop}


@pytest.fixture
async def clock() -> VirtualClock:
    """The wall clock of the test's loop; it moves when coroutines sleep, never by itself."""
    return VirtualClock(asyncio.get_running_loop())


def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are cores: a good part of what tests do is wait for servers, disks and processes."""
    return max(1, (os.cpu_count() or 1) * 3 // 2)
