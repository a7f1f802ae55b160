"""A web service: fires invoice jobs on request, receives their webhooks, streams their records.

    pip install 'belvo-async[examples]'
    export BELVO_SECRET_ID=... BELVO_SECRET_PASSWORD=... BELVO_WEBHOOK_AUTH='Bearer ...'
    export BELVO_ASYNC_STORE=sqlite:jobs.db
    export RECORDS=records/                   # where finished jobs are copied to, if that is wanted
    uvicorn --factory examples.fastapi_service:make_app

    curl -X POST localhost:8000/invoices -H 'Content-Type: application/json' \
         -d '{"link": "...", "date_from": "2025-01-01", "date_to": "2025-12-31", "type": "INFLOW"}'
    curl localhost:8000/jobs/<id>             # status
    curl localhost:8000/jobs/<id>/records     # NDJSON

In Belvo's dashboard, the webhook address is https://<this service>/webhooks/belvo.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any, Literal

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel

from belvo_async import BelvoAsyncError, JobHandle, Session, StoreError, TaskError, UnknownJobError, belvo
from belvo_async.web.asgi import WebhookApp
from examples import records

log = logging.getLogger("invoices")


class Wanted(BaseModel):
    """What to fetch."""

    link: str
    date_from: date
    date_to: date
    type: Literal["INFLOW", "OUTFLOW"] | None = None


def make_app(session: Session | None = None, folder: Path | None = None) -> FastAPI:
    """Make the application, on a session configured by the environment or on the one given.

    What ends is copied into `folder`, or that of the environment; also what ended while no process was there.
    """
    jobs = session or Session.from_env()
    if folder is None and os.environ.get("RECORDS"):
        folder = Path(os.environ["RECORDS"])

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[dict[str, Any], None]:
        # The session closes first: it wakes those who wait, so that the group can end. The jobs live on in the store.
        async with asyncio.TaskGroup() as background, jobs, records.loading(jobs, folder):
            async for handle in jobs.open_jobs():
                background.create_task(report(handle))
            yield {"background": background}

    app = FastAPI(lifespan=lifespan)
    app.mount("/webhooks", WebhookApp(jobs))

    @app.post("/invoices", status_code=202)
    async def fire(wanted: Wanted, request: Request) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        handle = await jobs.fire(belvo.Invoices(**wanted.model_dump()))
        request.state.background.create_task(report(handle))
        return describe(handle)

    @app.get("/jobs/{job_id}")
    async def status(job_id: str) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        return describe(await jobs.attach(job_id))

    @app.get("/jobs/{job_id}/records")
    async def stream(job_id: str) -> StreamingResponse:  # pyright: ignore[reportUnusedFunction]
        handle = await jobs.attach(job_id)
        if not handle.done():
            raise HTTPException(409, f"the job is {handle.status}")
        return StreamingResponse(records.lines(handle), media_type="application/x-ndjson")

    for kind, code in ((TaskError, 422), (UnknownJobError, 404), (StoreError, 503)):
        app.add_exception_handler(kind, answer_with(code))
    return app


async def report(handle: JobHandle[Any]) -> None:
    """Await a job in the background and tell its end, if this process lives to see it; `records` forgets none."""
    try:
        job = await handle
        log.info("job %s: %s, %s records", job.id, job.status, job.created_count)
    except BelvoAsyncError as error:
        log.warning("%s", error)


def describe(handle: JobHandle[Any]) -> dict[str, Any]:
    """What the caller may know of a job."""
    job = handle.job
    return {"id": job.id, "status": job.status, "partial": job.partial, "failure": job.failure and job.failure.code}


def answer_with(code: int) -> Any:
    """Make a handler that answers an error of the library with an HTTP status; its text holds no secret."""

    async def answer(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status_code=code)

    return answer
