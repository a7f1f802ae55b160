"""What a session asks of a vendor directly: records, plain calls, files."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar, overload

from .._http import Send, converse
from .._tracker import Tracker
from ..abc import Call, Clock, Download, Query, Vendor, Walk
from ..discreet import discreet
from ..errors import TaskError, UnsupportedError
from ..jobs import Job
from ..tolerant import Misfits
from .call import carry_out
from .checks import not_taken
from .handle import JobHandle
from .reading.download import File
from .reading.prefetch import Spares
from .reading.results import Remarks, Results

R = TypeVar("R")
T = TypeVar("T")


class Reads:
    """The half of a session that reads; the other half opens it and follows jobs."""

    clock: Clock
    _vendors: dict[str, Vendor]
    _sends: dict[str, Send]
    _bulk_sends: dict[str, Send]
    _spares: Spares

    @property
    def tracker(self) -> Tracker:
        """The session's tracker. Raises SessionClosedError unless the session is open, on this event loop."""
        raise NotImplementedError

    def _check_open(self) -> None:
        raise NotImplementedError

    @overload
    def results(
        self,
        job: Job | JobHandle[Any],
        resource: str | None = None,
        *,
        type: None = None,
        resume: str | None = None,
        strict: bool = False,
    ) -> Results[Any]: ...
    @overload
    def results(
        self,
        job: Job | JobHandle[Any],
        resource: str | None = None,
        *,
        type: type[T],
        resume: str | None = None,
        strict: bool = False,
    ) -> Results[T]: ...
    @discreet
    def results(
        self,
        job: Job | JobHandle[Any],
        resource: str | None = None,
        *,
        type: type[Any] | None = None,
        resume: str | None = None,
        strict: bool = False,
    ) -> Results[Any]:
        """The records of a job, as `JobHandle.results` gives them."""
        job = job.job if isinstance(job, JobHandle) else job
        vendor = self._vendors.get(job.vendor)
        if vendor is None:
            raise UnsupportedError(f"this session has no vendor {job.vendor!r}")
        walk = vendor.results(job, resource)
        remark = walk.shape.remark  # a task without a list is refused here, not at the first record
        remarks = remark and Remarks(remark, self.clock, partial(self.tracker.remark, job))
        return self._results(walk, vendor, record=type, resume=resume, strict=strict, remarks=remarks)

    @overload
    def list(
        self, query: Query[R], *, type: None = None, resume: str | None = None, strict: bool = False
    ) -> Results[R]: ...
    @overload
    def list(
        self, query: Query[Any], *, type: type[T], resume: str | None = None, strict: bool = False
    ) -> Results[T]: ...
    @discreet
    def list(
        self, query: Query[Any], *, type: type[Any] | None = None, resume: str | None = None, strict: bool = False
    ) -> Results[Any]:
        """Read records directly, without a job; `type`, `resume` and `strict` as in `JobHandle.results`.

        Raises TaskError for a query no vendor of this session takes.
        """
        vendor = self._vendor_with("queries", query, field="query")
        return self._results(vendor.list(query), vendor, record=type, resume=resume, strict=strict)

    @discreet
    async def call(self, call: Call[R], *, misfits: Misfits | None = None, strict: bool = False) -> R:
        """Carry out a plain call: made at once, stored nowhere, so it may carry secrets.

        What cannot be read of the answer is None, and added to `misfits`; with `strict`, it is a PayloadError.
        Raises TaskError for a call no vendor of this session takes, VendorError (TokenRequiredError where the vendor
        waits for a one-time token) for an error answer, TransportError (`maybe_sent` says whether it may have been
        carried out) when no answer came, SessionClosedError when the session closed meanwhile: then, too, it may.
        """
        vendor = self._vendor_with("calls", call, field="call")
        self._check_open()
        send = self._sends[vendor.name]
        return await carry_out(call, vendor, send, self.clock.now(), misfits=misfits, strict=strict)

    @discreet
    def download(self, download: Download) -> File:
        """A file of a vendor's, to be read in chunks, at once, or onto a disk. Nothing is sent yet.

        Redirects into the vendor's storage are followed, up to five, without credentials; from https never to http, and
        into no private, loopback or link-local network unless the vendor's own address is there: TransportError then.
        Raises TaskError for a file no vendor of this session takes.
        """
        vendor = self._vendor_with("downloads", download, field="download")
        self._check_open()
        find = partial(converse, self._sends[vendor.name])
        return File(lambda: find(vendor.download(download)), vendor, self._bulk_sends[vendor.name])

    def _vendor_with(self, kinds: str, wanted: object, *, field: str) -> Vendor:
        for vendor in self._vendors.values():
            if isinstance(wanted, getattr(vendor, kinds)):
                return vendor
        raise TaskError(not_taken(wanted, field), field=field)

    def _results(
        self,
        walk: Walk[object],
        vendor: Vendor,
        *,
        record: type[Any] | None,
        resume: str | None,
        strict: bool,
        remarks: Remarks | None = None,
    ) -> Results[Any]:
        self._check_open()
        send = self._bulk_sends[vendor.name]
        return Results(walk, vendor, send, self._spares, record=record, resume=resume, remarks=remarks, strict=strict)
