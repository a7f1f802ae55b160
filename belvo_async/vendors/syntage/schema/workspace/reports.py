"""Reports of the dashboard: which insights they show, in which order."""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from .....discreet import discreet
from ..forms.bounds import Bound
from ..forms.kinds import check_kind
from ..forms.requests import Delete, Get, OneRequest
from ..queries import ListQuery
from ..record import Part, Record


class ReportEntry(Part, frozen=True, kw_only=True):
    """One place in a report: `type` is `insight`, with the name of one, or `group`, with `children`."""

    name: str | None = None
    type: str | None = None
    insight: str | None = None
    visible: bool | None = None
    children: tuple[ReportEntry, ...] | None = None
    built_in: bool | None = None


class ReportAuthor(Part, frozen=True, kw_only=True):
    """The user who made a report; Syntage's own have none."""

    id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    full_name: str | None = None


class InsightReport(Record, frozen=True, kw_only=True):
    """A report of insights. `built_in` ones are Syntage's and cannot be changed; `organizational` ones everybody sees.

    As a PDF it is an export of `/entities/<uuid>/reports/<id>`.
    """

    name: str | None = None
    built_in: bool | None = None
    organizational: bool | None = None
    insights: tuple[ReportEntry, ...] | None = None
    created_by: ReportAuthor | None = None


class InsightReports(ListQuery[InsightReport], frozen=True, kw_only=True):
    """`GET /reports`: Syntage's own, those of the key's user, and those of the organization."""

    apart: ClassVar[str] = "/reports"

    created_after: Bound | None = None
    created_before: Bound | None = None
    order: Literal["created_at", "-created_at"] | None = None


class GetInsightReport(Get[InsightReport], frozen=True):
    """`GET /reports/{id}`."""

    path: ClassVar[str] = "/reports/{id}"


class _Shown(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="type", omit_defaults=True):
    name: str
    visible: bool | None = None

    @discreet
    def __post_init__(self) -> None:
        for field in self.__struct_fields__:
            check_kind(self, field)


class ShowInsight(_Shown, frozen=True, kw_only=True, tag="insight"):
    """Show one insight, by the vendor's name of it: `sales-revenue`. Raises TaskError."""

    insight: str


class ShowGroup(_Shown, frozen=True, kw_only=True, tag="group"):
    """Show several as one section, under a name. Raises TaskError."""

    children: tuple[ShowInsight | ShowGroup, ...]


class CreateInsightReport(OneRequest[InsightReport], frozen=True, kw_only=True):
    """`POST /reports`: for the key's user, or with `organizational` for everybody."""

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/reports"

    name: str
    insights: tuple[ShowInsight | ShowGroup, ...]
    organizational: bool | None = None


class UpdateInsightReport(OneRequest[InsightReport], frozen=True, kw_only=True):
    """`PUT /reports/{id}`: name and insights replace the former ones.

    AuthenticationError for a report that is Syntage's own, or that belongs to another user.
    """

    method: ClassVar[str] = "PUT"
    path: ClassVar[str] = "/reports/{id}"

    id: str
    name: str
    insights: tuple[ShowInsight | ShowGroup, ...]
    organizational: bool | None = None


class DeleteInsightReport(Delete, frozen=True):
    """`DELETE /reports/{id}`. AuthenticationError for one that is Syntage's own, or that belongs to another user."""

    path: ClassVar[str] = "/reports/{id}"
