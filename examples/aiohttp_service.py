"""The same service on aiohttp: fires extractions on request, receives their webhooks, streams their records.

    pip install belvo-async
    export SYNTAGE_API_KEY=... SYNTAGE_WEBHOOK_SECRET=... BELVO_ASYNC_STORE=sqlite:jobs.db
    python -m examples.aiohttp_service

    curl -X POST localhost:8080/extractions \
         -d '{"entity": "/entities/...", "extractor": "invoice", "options": {"period": {"from": "2025-01-01", ...}}}'
    curl localhost:8080/jobs/<id>             # status
    curl localhost:8080/jobs/<id>/records     # NDJSON

In Syntage's dashboard, the webhook address is https://<this service>/webhooks/syntage.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from aiohttp import web

from belvo_async import JobError, JobHandle, Session, StoreError, TaskError, UnknownJobError, syntage
from belvo_async.web.aiohttp import webhook_routes

SESSION = web.AppKey("session", Session)
CODES: dict[type[Exception], int] = {
    TaskError: 422,
    msgspec.DecodeError: 422,
    UnknownJobError: 404,
    JobError: 409,
    StoreError: 503,
}


class Wanted(msgspec.Struct):
    """What to fetch."""

    entity: str
    extractor: str
    options: dict[str, Any] | None = None


def make_app(session: Session | None = None) -> web.Application:
    """Make the application, on a session configured by the environment or on the one given."""
    jobs = session or Session.from_env()

    async def live(_: web.Application) -> AsyncIterator[None]:
        async with jobs:
            yield

    app = web.Application(middlewares=[answer_errors])
    app[SESSION] = jobs
    app.cleanup_ctx.append(live)
    app.add_routes(webhook_routes(jobs))
    app.add_routes(
        [
            web.post("/extractions", fire),
            web.get("/jobs/{job_id}", status),
            web.get("/jobs/{job_id}/records", records),
        ]
    )
    return app


async def fire(request: web.Request) -> web.Response:
    """Start an extraction; it goes on whether or not anybody awaits it."""
    wanted = msgspec.json.decode(await request.read(), type=Wanted)
    task = syntage.Extraction(entity=wanted.entity, extractor=wanted.extractor, options=wanted.options)
    handle = await request.app[SESSION].fire(task)
    return web.json_response(describe(handle), status=202)


async def status(request: web.Request) -> web.Response:
    """Tell how a job stands."""
    return web.json_response(describe(await request.app[SESSION].attach(request.match_info["job_id"])))


async def records(request: web.Request) -> web.StreamResponse:
    """Await the job, then stream its records as they are decoded."""
    handle = await request.app[SESSION].attach(request.match_info["job_id"])
    await handle
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    async for record in handle.results():
        await response.write(msgspec.json.encode(record) + b"\n")
    return response


def describe(handle: JobHandle[Any]) -> dict[str, Any]:
    """What the caller may know of a job."""
    job = handle.job
    return {"id": job.id, "status": job.status, "partial": job.partial, "failure": job.failure and job.failure.code}


@web.middleware
async def answer_errors(request: web.Request, handler: Any) -> web.StreamResponse:
    """Answer the library's errors with an HTTP status; their texts hold no secret."""
    try:
        answer: web.StreamResponse = await handler(request)
    except tuple(CODES) as error:
        code = next(code for kind, code in CODES.items() if isinstance(error, kind))
        return web.json_response({"detail": str(error)}, status=code)
    return answer


if __name__ == "__main__":
    web.run_app(make_app())
