"""Sinks by a text."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from belvo_async.errors import ConfigurationError
from belvo_async.sinks import CsvSink, ExcelSink, NdjsonSink, ParquetSink, Sink, open_sink, opening


@pytest.mark.parametrize(
    ("spec", "kind", "name"),
    [
        ("ndjson:{}", NdjsonSink, "ndjson:{}"),
        ("csv:{}", CsvSink, "csv:{}"),
        ("csv:{}?plain=1", CsvSink, "csv:{}?plain=1"),
        ("parquet:{}?flat=1", ParquetSink, "parquet:{}?flat=1"),
        ("parquet:{}?flat=1&decimals=text", ParquetSink, "parquet:{}?decimals=text&flat=1"),
        ("excel:{}", ExcelSink, "excel:{}"),
    ],
)
def test_a_text_names_a_sink(tmp_path: Path, spec: str, kind: type[Sink], name: str) -> None:
    """Its kind, its directory and what it does differently: the same three make up its name."""
    sink = open_sink(spec.format(tmp_path))

    assert isinstance(sink, kind)
    assert name.format(tmp_path.resolve()) == sink.name


def test_the_same_directory_has_the_same_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it is spelled."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "out")

    names = {open_sink(f"ndjson:{each}").name for each in ("out", "./out", f"{tmp_path}/out", "x/../out", "link")}

    assert {f"ndjson:{tmp_path.resolve()}/out"} == names


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("orc:out", "no sink is called 'orc': write one of csv, excel, ndjson, parquet,"),
        ("out", "that names no sink: write one of csv,"),
        ("", "that names no sink"),
        ("ndjson:", "name the directory"),
        ("ndjson:out?flat=1", "`ndjson:` has no options, not flat"),
        ("csv:out?flat=1", "`csv:` knows the option `plain`, not flat"),
        ("csv:out?plain=yes", "`plain` is 0 or 1"),
        ("parquet:out?flat=2", "`flat` is 0 or 1"),
        ("parquet:out?decimals=float", "`decimals` is exact or text"),
        ("parquet:out?x=1", "`parquet:` knows `flat` and `decimals`, not x"),
        ("excel:out?x=1", "`excel:` has no options, not x"),
    ],
)
def test_any_other_text_is_refused(spec: str, told: str) -> None:
    """With what there is to choose from."""
    with pytest.raises(ConfigurationError, match=told.replace("?", r"\?")):
        open_sink(spec)


@pytest.mark.parametrize(
    ("spec", "module", "told"),
    [
        ("parquet:out", "pyarrow", r"pip install 'belvo-async\[parquet\]'"),
        ("excel:out", "xlsxwriter", r"pip install 'belvo-async\[excel\]'"),
    ],
)
def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, spec: str, module: str, told: str) -> None:
    """At once, and not when the first row comes."""
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(ConfigurationError, match=told):
        open_sink(spec)


def mine(place: str, options: Mapping[str, str]) -> Sink:
    """A user's own sink: theirs is what it makes of the text."""
    return NdjsonSink(f"{place}/{options['below']}")


def test_a_users_own_sink_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By an entry point of the group; it is told among the known ones, and one that is broken says so."""
    points = [("mine", f"{__name__}:mine"), ("gone", f"{__name__}:nothing")]
    found = EntryPoints(EntryPoint(name, value, "belvo_async.sinks") for name, value in points)
    monkeypatch.setattr(opening, "entry_points", lambda group: found.select(group=group))

    assert f"ndjson:{tmp_path.resolve()}/b" == open_sink(f"mine:{tmp_path}?below=b").name
    with pytest.raises(ConfigurationError, match="csv, excel, gone, mine, ndjson, parquet"):
        open_sink("other:x")
    with pytest.raises(ConfigurationError, match=r"'gone'.*cannot be loaded"):
        open_sink("gone:x")
