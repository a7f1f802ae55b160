"""A pooler before PostgreSQL: in session mode it does no harm, in transaction mode it mixes what clients have set."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from belvo_async.errors import StoreError
from tests.stores.postgres.server import Stores
from tests.stores.samples import a_job

pytestmark = pytest.mark.skipif(
    shutil.which("pgbouncer") is None, reason="no pgbouncer: `apt-get install pgbouncer`, or the like"
)


@pytest.fixture
def pooled(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Start a pooler in a mode before the tests' server, and give the URL of it."""
    programs: list[subprocess.Popen[bytes]] = []

    def start(mode: str) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        settings = tmp_path / "pooler.ini"
        settings.write_text(
            "[databases]\n* = host=127.0.0.1 port=5432 user=postgres\n"
            f"[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port={port}\nauth_type=any\nunix_socket_dir=\n{mode}\n"
            "ignore_startup_parameters=extra_float_digits,options\n"
        )
        # It refuses to run as root, and must read its settings as somebody else.
        for each in (*tmp_path.parents, tmp_path, settings):
            if each.stat().st_uid == os.getuid() and each != Path("/"):
                each.chmod(each.stat().st_mode | 0o055)
        user = ["-u", "nobody"] if os.getuid() == 0 else []
        programs.append(subprocess.Popen(["pgbouncer", "-q", *user, str(settings)], stderr=subprocess.DEVNULL))
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return f"postgresql://postgres@127.0.0.1:{port}/postgres"
            time.sleep(0.02)
        raise AssertionError("the pooler does not answer")

    yield start
    for program in programs:
        program.terminate()
        program.wait(10)


@pytest.mark.parametrize(
    "mode",
    ["pool_mode=transaction", "pool_mode=transaction\nserver_round_robin=1\nmin_pool_size=4", "pool_mode=statement"],
    ids=["transaction", "round robin", "statement"],
)
async def test_a_pooler_that_mixes_its_clients_is_refused(
    pooled: Callable[[str], str], postgres_stores: Stores, mode: str
) -> None:
    """Before anything is written: jobs of one store would land in the schema of another."""
    with pytest.raises(StoreError, match="pooler in transaction mode"):
        async with postgres_stores(pooled(mode)):
            pass


async def test_a_pooler_in_session_mode_is_taken(pooled: Callable[[str], str], postgres_stores: Stores) -> None:
    """Each client has a server session to itself, as without a pooler."""
    async with postgres_stores(pooled("pool_mode=session")) as store:
        assert await store.put(a_job(), expected=None) is None
        assert a_job() == await store.get("job-1")
