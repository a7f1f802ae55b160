"""What a session asks of a vendor directly: records, plain calls, files."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar, overload

from .._http import converse
from ..abc import Call, Download, Query, Vendor
from ..discreet import discreet
from ..errors import TaskError
from ..tolerant import Misfits
from .call import carry_out
from .checks import not_taken
from .core import Core
from .reading.download import RemoteFile
from .reading.results import Results

R = TypeVar("R")
T = TypeVar("T")


class Reads:
    """The half of a session that reads; the other half opens it and follows jobs."""

    _core: Core

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
        return self._core.read(vendor.list(query), vendor, record=type, resume=resume, strict=strict)

    @discreet
    async def call(self, call: Call[R], *, misfits: Misfits | None = None, strict: bool = False) -> R:
        """Carry out a plain call: made at once, stored nowhere, so it may carry secrets.

        What cannot be read of the answer is None, and added to `misfits`; with `strict`, it is a PayloadError.
        Raises TaskError for a call no vendor of this session takes, VendorError (TokenRequiredError where the vendor
        waits for a one-time token) for an error answer, TransportError (`maybe_sent` says whether it may have been
        carried out) when no answer came, SessionClosedError when the session closed meanwhile: then, too, it may.
        """
        vendor = self._vendor_with("calls", call, field="call")
        self._core.check_open()
        send = self._core.sends[vendor.name]
        return await carry_out(call, vendor, send, self._core.clock.now(), misfits=misfits, strict=strict)

    @discreet
    def download(self, download: Download) -> RemoteFile:
        """A file of a vendor's, to be read in chunks, at once, or onto a disk. Nothing is sent yet.

        Redirects into the vendor's storage are followed, up to five, without credentials; from https never to http, and
        into no private, loopback or link-local network unless the vendor's own address is there: TransportError then.
        Raises TaskError for a file no vendor of this session takes.
        """
        vendor = self._vendor_with("downloads", download, field="download")
        self._core.check_open()
        find = partial(converse, self._core.sends[vendor.name])
        return RemoteFile(lambda: find(vendor.download(download)), vendor, self._core.bulk_sends[vendor.name])

    def _vendor_with(self, kinds: str, wanted: object, *, field: str) -> Vendor:
        for vendor in self._core.vendors.values():
            if isinstance(wanted, getattr(vendor, kinds)):
                return vendor
        raise TaskError(not_taken(wanted, field, self._core.vendors), field=field)
