"""Which jobs of a memory store hold a name, share a value, or finished whole."""

from __future__ import annotations

from collections.abc import Collection

from ...jobs import Job


class IdsByValue:
    """Which jobs of an account share a value. Nearly always it is one, so a set is made only for more."""

    def __init__(self) -> None:
        self._ids: dict[str, dict[str, str | dict[str, None]]] = {}

    def add(self, account: str, value: str, job_id: str) -> None:
        ids = self._ids.setdefault(account, {})
        there = ids.get(value)
        if there is None:
            ids[value] = job_id
        elif isinstance(there, dict):
            there[job_id] = None
        elif there != job_id:
            ids[value] = {there: None, job_id: None}

    def drop(self, account: str, value: str, job_id: str) -> None:
        ids = self._ids.get(account, {})
        there = ids.get(value)
        if isinstance(there, dict):
            there.pop(job_id, None)
        if not there or there == job_id:
            ids.pop(value, None)

    def get(self, account: str, value: str) -> Collection[str]:
        there = self._ids.get(account, {}).get(value, ())
        return (there,) if isinstance(there, str) else there


class Names:
    """Which job holds a name of an account: one at most."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str], str] = {}

    def holder(self, account: str, name: str) -> str | None:
        return self._ids.get((account, name))

    def other_holder(self, job: Job) -> str | None:
        """Another job that holds a name of this one."""
        ids = (self._ids.get((job.account, name)) for name in job.once)
        return next((each for each in ids if each is not None and each != job.id), None)

    def take(self, job: Job) -> None:
        for name in job.once:
            self._ids[job.account, name] = job.id

    def give_back(self, job: Job) -> None:
        for name in job.once:
            self._ids.pop((job.account, name), None)
