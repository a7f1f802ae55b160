"""Sinks by a text: the four that come along, and those that other packages offer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Final, TypeAlias
from urllib.parse import parse_qsl

from ..abc import Sink
from ..discreet import discreet
from ..errors import ConfigurationError

GROUP: Final = "belvo_async.sinks"

Maker: TypeAlias = Callable[[str, Mapping[str, str]], Sink]
"""What an entry point of the group names: makes a sink of what stands after the colon, and of its options."""


@discreet
def open_sink(spec: str) -> Sink:
    """Make the sink that a text names; `begin` it before anything is fired.

    `ndjson:DIR`, `csv:DIR`, `csv:DIR?plain=1`, `parquet:DIR`, `parquet:DIR?flat=1`, `parquet:DIR?decimals=text`,
    `excel:DIR`, or the name of an entry point of the group `belvo_async.sinks`. Raises ConfigurationError for
    anything else, for options that the sink does not know, and where what it needs is not installed.
    """
    kind, colon, rest = spec.partition(":")
    place, _, query = rest.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    maker = _makers().get(kind)
    if not colon or maker is None:
        # Of what was given only the part before the colon is repeated: behind it may be a password.
        known = ", ".join(sorted({*_OWN, *_offered()}))
        named = f"no sink is called {kind!r}" if colon and kind.isidentifier() else "that names no sink"
        raise ConfigurationError(f"{named}: write one of {known}, a colon and its place (`ndjson:out`)")
    return maker(place, options)


def _makers() -> dict[str, Maker]:
    return {**{name: _load(point) for name, point in _offered().items()}, **_OWN}


def _offered() -> dict[str, EntryPoint]:
    return {each.name: each for each in entry_points(group=GROUP)}


def _load(point: EntryPoint) -> Maker:
    def make(place: str, options: Mapping[str, str]) -> Sink:
        try:
            maker: Maker = point.load()
        except (ImportError, AttributeError) as error:
            raise ConfigurationError(f"the sink {point.name!r} ({point.value}) cannot be loaded: {error}") from error
        return maker(place, options)

    return make


def _ndjson(place: str, options: Mapping[str, str]) -> Sink:
    from .formats.ndjson import NdjsonSink

    return NdjsonSink(place, options)


def _csv(place: str, options: Mapping[str, str]) -> Sink:
    from .formats.csv import CsvSink

    return CsvSink(place, options)


def _parquet(place: str, options: Mapping[str, str]) -> Sink:
    from .formats.parquet import ParquetSink

    sink = ParquetSink(place, options)
    sink.check_installed()
    return sink


def _excel(place: str, options: Mapping[str, str]) -> Sink:
    from .formats.excel import ExcelSink

    sink = ExcelSink(place, options)
    sink.check_installed()
    return sink


_OWN: Final[Mapping[str, Maker]] = {"ndjson": _ndjson, "csv": _csv, "parquet": _parquet, "excel": _excel}
