"""Insights as files: the rows of one, as CSV or as a workbook."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final, Literal

from msgspec.structs import force_setattr

from .....abc import Download
from .....discreet import discreet
from .....errors import TaskError
from .....payload import encode_query
from ..forms.kinds import check_kind
from ..forms.subjects import read_id
from ..options import Period
from . import gets, lists
from .forms import Insight, InsightList, Periodicity, option_pairs
from .lists import BuroSummaries

_NAME: Final = re.compile(r"[a-z0-9-]{1,64}(?:/[a-z0-9-]{1,64}){0,3}", re.ASCII)
# Where insights are declared: what an option may say is known of those.
_ROOMS: Final = (gets, lists)
_OPTIONS: Final = ("period", "periodicity", "type", "since")


def _declared() -> Mapping[str, type[Any]]:
    """The insights by their names in paths."""
    types = [each for room in _ROOMS for each in vars(room).values() if isinstance(each, type)]
    paths = {getattr(each, "path", getattr(each, "under", "")): each for each in types if _is_insight(each)}
    return {path.partition("/insights/")[2]: each for path, each in paths.items()}


def _is_insight(kind: type[object]) -> bool:
    return issubclass(kind, Insight | InsightList)


_DECLARED: Final = _declared()
_ACCEPTS: Final = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class InsightFile(Download, frozen=True, kw_only=True):
    """The rows of an insight of an entity, as CSV or as a workbook (XLSX)."""

    entity: str
    format: Literal["csv", "xlsx"] = "csv"
    period: Period | None = None

    @discreet
    def __post_init__(self) -> None:
        force_setattr(self, "entity", read_id(self.entity, "/entities", "entity"))
        for name in self.__struct_fields__[1:]:
            check_kind(self, name)

    @property
    def name(self) -> str:
        """The insight, as paths name it."""
        raise NotImplementedError

    @property
    def accept(self) -> str:
        """The media type to ask for."""
        return _ACCEPTS[self.format]

    def options(self) -> list[tuple[str, str]]:
        """Write the options, for the query string."""
        raise NotImplementedError

    def target(self) -> str:
        """Give path and query."""
        path, query = f"/entities/{self.entity}/insights/{self.name}/export", encode_query(self.options())
        return f"{path}?{query}" if query else path


class InsightExport(InsightFile, frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/{insight}/export`: an insight's rows as CSV or as a workbook (XLSX).

    `insight` is its name in the path, like `sales-revenue`; the options are those of the insight, and are checked where
    this library knows it. Raises TaskError; NotFoundError for what Syntage cannot export, which it does not list.
    """

    insight: str
    periodicity: Periodicity | None = None
    type: str | None = None
    since: date | datetime | None = None

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        if not _NAME.fullmatch(self.insight):
            raise TaskError("insight must be a name like sales-revenue", field="insight")
        self._check_options()

    def _check_options(self) -> None:
        declared, given = _DECLARED.get(self.insight), self._given()
        if declared is None:
            return
        for name in given:
            if name not in declared.__struct_fields__:
                raise TaskError(f"{name} must be left out: {self.insight} has no such option", field=name)
        # A wrong value, or one that is missing, is told as the insight itself tells it.
        try:
            declared(entity=self.entity, **given)
        except TypeError:
            raise TaskError(f"type must be given: {self.insight} has no default", field="type") from None

    def _given(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _OPTIONS if getattr(self, name) is not None}

    @property
    def name(self) -> str:
        """The insight."""
        return self.insight

    def options(self) -> list[tuple[str, str]]:
        """Write the options, for the query string."""
        declared, given = _DECLARED.get(self.insight), self._given()
        if declared is not None and issubclass(declared, InsightList):
            return declared(entity=self.entity, **given).params()
        return list(option_pairs(given))


class BuroSummaryExport(InsightFile, frozen=True, kw_only=True):
    """`GET /entities/{id}/insights/metrics/buro-de-credito/summary/export`: the rows of `BuroSummaries` as a file.

    Of the reports that were made on the days of a period; bounds within a day take in all of it.
    """

    @property
    def name(self) -> str:
        """The insight."""
        return BuroSummaries.under.removeprefix("/insights/")

    def options(self) -> list[tuple[str, str]]:
        """Write the options, for the query string."""
        return BuroSummaries(entity=self.entity, period=self.period).params()
