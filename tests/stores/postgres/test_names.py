"""What only a race between workers on PostgreSQL can get wrong about freshness."""

from __future__ import annotations

import asyncio

from belvo_async.jobs import Status, encode_job
from belvo_async.stores.rules import to_us
from tests.stores.postgres.server import Stores, admin
from tests.stores.samples import ACCOUNT, NOON, a_job, after

_BEGIN = """
    INSERT INTO {}.job (id, account, key, started, open, status, created_at, version, seen, document, era)
    VALUES ('faster', %s, 'k', true, true, 'running', 0, 1, 0, %s, 0)
"""
_FINISH = """
    UPDATE {}.job SET key = NULL, started = false, open = false, status = 'finished', whole = 'k', settled_at = %s
"""


async def test_an_equal_job_that_starts_and_finishes_meanwhile_is_seen(postgres_stores: Stores) -> None:
    """Whoever found nothing fresh is held up by an equal job that another begins, and looks again once it may go on."""
    schema = postgres_stores.schema
    whole = a_job("faster", key="k", status=Status.FINISHED, settled_at=after(5), version=1)
    async with postgres_stores() as store:
        with admin() as other, other.transaction():
            other.execute(_BEGIN.format(schema).encode(), (ACCOUNT, encode_job(whole)))
            writing = asyncio.create_task(store.put(a_job("slower", key="k"), expected=None, fresh_since=NOON))
            await _held_up(schema)
            other.execute(_FINISH.format(schema).encode(), (to_us(after(5)),))

        assert whole == await writing
        assert await store.get("slower") is None


async def _held_up(schema: str) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'"
    with admin() as watching:
        while watching.execute(query, (schema,)).fetchone() == (0,):
            watching.execute("SELECT pg_sleep(0.01)")
            await asyncio.sleep(0)
