"""One id of a vendor's, one run: noticing that two submissions were answered with the same one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from ..jobs import Job, Observation, Seen, Status, Way, normal_id
from .context import Context, log

# How a job ended by the vendor's own word: such a run is over, and nothing that starts or is joined now.
_TOLD: Final = frozenset({Way.ANSWER, Way.WEBHOOK, Way.POLL})


class RemoteIds:
    """Gives the vendor's ids to the jobs that are answered with them."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        # Whose answer is being kept: what two submissions are told at once is not in the store yet.
        self._under_way: dict[tuple[str, str], Job] = {}

    @asynccontextmanager
    async def given(self, job: Job, seen: Observation) -> AsyncGenerator[Observation]:
        """What to make of the answer to a submission; hold it until that is kept.

        It stays as it is, unless the id it gives is that of another task's job, or of a run that the vendor has ended:
        whose the outcome will be, nobody can tell then. The job is uncertain, and looked for by everything but that id.
        An equal task may share an id while its job runs: a vendor answers so who asks twice.
        """
        if seen.remote_id is None:
            yield seen
            return
        key = job.account, normal_id(seen.remote_id)
        holder = self._under_way.setdefault(key, job)
        try:
            known = (holder,) if holder.id != job.id else await self._store.find(job.account, seen.remote_id)
            other = next((each for each in known if each.id != job.id and not _may_share(each, job)), None)
            yield seen if other is None else _doubt(job, other, seen)
        finally:
            if self._under_way.get(key) is job:
                del self._under_way[key]


def _may_share(other: Job, job: Job) -> bool:
    is_over = other.status.is_terminal and other.settled_by in _TOLD
    return other.task == job.task and not is_over


def _doubt(job: Job, other: Job, seen: Observation) -> Observation:
    log.error(
        "the vendor gave job %s the id of job %s: it is uncertain now, and what comes under that id is the other's",
        job.id,
        other.id,
        extra={"job": job.id, "other": other.id, "vendor": job.vendor, "remote_id": seen.remote_id},
    )
    doubt = f"the vendor gave it the id of another job, {other.id}"
    return Seen(way=Way.ANSWER, at=seen.at, job_id=job.id, status=Status.UNCERTAIN, doubt=doubt)
