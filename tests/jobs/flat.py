"""Jobs by the plain names of all their fields, whichever part a field stands in."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from belvo_async.jobs import Evidence, Job, Schedule, Submission

PARTS = {"submission": Submission, "schedule": Schedule, "evidence": Evidence}


def flat(job: Job | None = None, /, **facts: Any) -> Job:
    """Make a job of these facts, or replace them in one."""
    for name, part in PARTS.items():
        own = {field: facts.pop(field) for field in part.__struct_fields__ if field in facts}
        if own:
            facts[name] = replace(part() if job is None else getattr(job, name), **own)
    return Job(**facts) if job is None else replace(job, **facts)
