"""A mirror in a file of DuckDB."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ....errors import ConfigurationError, SinkError
from ..installed import load
from .place import Hold

# Another mirror has the file for the time of a load, somebody's shell for as long as it is open.
_PATIENCE_SECONDS: Final = 60.0
_PAUSE_SECONDS: Final = 0.25


class DuckdbPlace:
    """Keeps the contract `MirrorPlace`. The file is opened for the time of a load, and free for readers in between."""

    def __init__(self, path: str, schema: str) -> None:
        self.path = Path(path).expanduser().absolute()
        self.schema = schema
        self.name = f"duckdb:{os.path.realpath(self.path)}?schema={schema}"

    def check(self) -> None:
        """See `MirrorPlace.check`."""
        load("dlt.destinations")
        if self.path.stem == self.schema:
            raise ConfigurationError(
                f"DuckDB takes {self.schema!r} for the file and for the schema in it: name the file otherwise"
            )
        if self.path.is_dir():
            raise ConfigurationError(f"a mirror is a file, and {self.path} is a directory: name another place")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._open(0.0).close()
        except OSError as error:
            raise _refused(self.path, error.strerror or type(error).__name__) from error
        except SinkError as error:
            raise _refused(self.path, str(error)) from error

    @contextmanager
    def hold(self) -> Generator[Hold]:
        """See `MirrorPlace.hold`."""
        connection = self._open(_PATIENCE_SECONDS)
        try:
            yield _OpenFile(connection)
        finally:
            connection.close()

    def _open(self, patience_seconds: float) -> Any:
        duckdb = load("duckdb")
        until = time.monotonic() + patience_seconds
        while True:
            try:
                return duckdb.connect(str(self.path))
            except duckdb.IOException as error:
                if "lock" not in str(error):
                    raise SinkError(f"cannot open {self.path} as a file of DuckDB", path=str(self.path)) from None
                if time.monotonic() >= until:
                    text = f"{self.path} is open in another program: close it there and give the same command again"
                    raise SinkError(text, path=str(self.path)) from None
            except duckdb.Error:
                raise SinkError(f"cannot open {self.path} as a file of DuckDB", path=str(self.path)) from None
            time.sleep(_PAUSE_SECONDS)


class _OpenFile:
    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.destination = load("dlt.destinations").duckdb(connection)

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """See `Hold.query`."""
        with self._connection.cursor() as cursor:
            found: list[tuple[Any, ...]] = cursor.execute(sql, list(values)).fetchall()
        return found

    def execute(self, sql: str) -> None:
        """See `Hold.execute`."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql)


def _refused(path: Path, reason: str) -> ConfigurationError:
    return ConfigurationError(f"cannot write to {path}: {reason}; nothing was fired. Mend that, or name another place")
