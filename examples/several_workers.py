"""One service, several processes: any worker fires, any receives the webhook, any waits.

    pip install 'belvo-async[examples,postgres]'        # or redis
    export SYNTAGE_API_KEY=... SYNTAGE_WEBHOOK_SECRET=...
    export BELVO_ASYNC_STORE=postgresql://localhost/jobs  # or redis://localhost:6379/0
    export RECORDS=records/                             # where the results go, one file for each job
    uvicorn examples.several_workers:app --workers 4

    curl -X POST localhost:8000/extractions -H 'Content-Type: application/json' \
         -d '{"entity": "/entities/...", "extractor": "tax_status"}'
    curl localhost:8000/jobs/<id>             # waits, at most 25 seconds, and tells the status

In Syntage's dashboard, the webhook address is https://<this service>/webhooks/syntage. The workers share nothing but
the store: each looks at those open jobs that no other is looking at, and whichever waits for a job wakes when any of
them learns its end. Results are loaded by whichever comes first, also those of jobs that a killed worker had fired.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from belvo_async import JobError, JobHandle, Session, StoreError, TaskError, UnknownJobError, syntage
from belvo_async.web.asgi import WebhookApp
from examples import records

# Less than the proxies before a service allow a request; who needs longer asks again.
PATIENCE = timedelta(seconds=25)


class Wanted(BaseModel):
    """What to extract, in Syntage's words."""

    entity: str
    extractor: str
    options: dict[str, Any] | None = None


def make_app(session: Session | None = None, folder: Path | None = None) -> FastAPI:
    """Make the application, on a session configured by the environment or on the one given.

    What ends is loaded into `folder`, or that of the environment.
    """
    if folder is None and os.environ.get("RECORDS"):
        folder = Path(os.environ["RECORDS"])

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, Any], None]:
        # One session for each worker, opened on its own event loop.
        async with session or Session.from_env() as jobs, records.loading(jobs, folder):
            app.mount("/webhooks", WebhookApp(jobs))
            yield {"jobs": jobs}

    app = FastAPI(lifespan=lifespan)

    @app.post("/extractions", status_code=202)
    async def fire(wanted: Wanted, request: Request) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        jobs: Session = request.state.jobs
        return describe(await jobs.fire(syntage.Extraction(**wanted.model_dump())))

    @app.get("/jobs/{job_id}")
    async def wait(job_id: str, request: Request) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        jobs: Session = request.state.jobs
        handle = await jobs.attach(job_id)
        # Failed, refused, or still under way: the status says so.
        with suppress(JobError):
            await handle.wait(PATIENCE)
        return describe(handle)

    for kind, code in ((TaskError, 422), (UnknownJobError, 404), (StoreError, 503)):
        app.add_exception_handler(kind, answer_with(code))
    return app


def describe(handle: JobHandle[Any]) -> dict[str, Any]:
    """What the caller may know of a job, and which worker told it."""
    job = handle.job
    return {
        "id": job.id,
        "status": job.status,
        "settled_by": job.settled_by,
        "failure": job.failure and job.failure.code,
        "worker": os.getpid(),
    }


def answer_with(code: int) -> Any:
    """Make a handler that answers an error of the library with an HTTP status; its text holds no secret."""

    async def answer(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status_code=code)

    return answer


app = make_app()
