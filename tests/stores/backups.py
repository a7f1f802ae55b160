"""Stores of every kind with a backup of theirs, and the ways in which one is put back."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.stores.postgres.server import BINARIES, URL, admin, own_stores
from tests.stores.redis.server import own_server, shared_stores


class Backup(NamedTuple):
    """`make` makes a store, not yet open; `save` keeps how it is now, `restore` puts that back."""

    make: Callable[[], Any]
    save: Callable[[], object]
    restore: Callable[[], object]


def sqlite(tmp_path: Path, how: str) -> Backup:
    from belvo_async.stores.sqlite.store import SqliteStore

    path, copy = tmp_path / "jobs.db", tmp_path / "backup"
    moved = tmp_path / "elsewhere" / "jobs.db"

    def save() -> None:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)

    def restore() -> None:
        if how == "copied over":
            shutil.copyfile(copy, path)
        elif how == "loaded":
            with closing(sqlite3.connect(copy)) as source, closing(sqlite3.connect(path)) as target:
                source.backup(target)
        elif how == "replaced":
            os.replace(shutil.copy(copy, tmp_path / "new"), path)
        elif how == "without its mark":
            shutil.copyfile(copy, path)
            Path(f"{path}-mark").unlink()
        else:
            moved.parent.mkdir()
            shutil.copyfile(copy, moved)

    return Backup(lambda: SqliteStore(moved if moved.exists() else path), save, restore)


def _run(program: str, *arguments: str) -> bytes:
    command = [str(BINARIES / program), *arguments]
    return subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout


def postgres(stack: ExitStack, tmp_path: Path, how: str) -> Backup:
    stores = stack.enter_context(own_stores())
    schema, dump = stores.schema, str(tmp_path / "dump")

    def tables() -> list[str]:
        with admin() as connection:
            found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (schema,))
            return [str(name) for (name,) in found]

    @contextmanager
    def without_triggers() -> Iterator[Any]:
        with admin() as connection:
            connection.execute("SET session_replication_role = replica")
            yield connection

    def each(statement: str, *names: str) -> None:
        with without_triggers() as connection:
            for name in names or tables():
                connection.execute(statement.format(schema=schema, name=name).encode())

    def save() -> None:
        if how in {"rows", "jobs"}:
            each('CREATE TABLE "{schema}_copy_{name}" AS SELECT * FROM "{schema}".{name}')
            stack.callback(each, 'DROP TABLE "{schema}_copy_{name}"')
        else:
            _run("pg_dump", URL, "-n", schema, "-Fc", "-f", dump)

    def restore() -> None:
        if how in {"rows", "jobs"}:
            names = ["job"] if how == "jobs" else tables()
            each('DELETE FROM "{schema}".{name}', *names)
            for name in names:
                with without_triggers() as connection:
                    found = connection.execute(
                        "SELECT string_agg(column_name, ', ') FROM information_schema.columns WHERE table_schema = %s "
                        "AND table_name = %s AND is_generated = 'NEVER'",
                        (schema, name),
                    ).fetchone()
                    columns = found[0] if found else ""
                    connection.execute(
                        f'INSERT INTO "{schema}".{name} ({columns}) OVERRIDING SYSTEM VALUE '
                        f'SELECT {columns} FROM "{schema}_copy_{name}"'.encode()
                    )
        elif how == "data":
            each('TRUNCATE "{schema}".{name}')
            _run("pg_restore", "--data-only", "--disable-triggers", "-d", URL, dump)
        else:
            each('DROP SCHEMA "{schema}" CASCADE', "all")
            _run("pg_restore", "-d", URL, dump)

    return Backup(stores, save, restore)


def redis(stack: ExitStack, tmp_path: Path, how: str) -> Backup:
    if how == "keys":
        stores = stack.enter_context(shared_stores())
        kept: dict[str, bytes] = {}

        def put_back() -> None:
            stores.delete()
            with stores.client() as client:
                for key, value in kept.items():
                    client.restore(key, 0, value)

        def keep() -> None:
            with stores.client() as client:
                kept.update({key: client.dump(key) for key in stores.all_keys()})

        return Backup(stores, keep, put_back)
    settings = () if how == "snapshot" else ("--appendonly", "yes", "--appendfsync", "everysec")
    server, stores = stack.enter_context(own_server(tmp_path, *settings))
    saved = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="belvo_async_saved_")))

    def save() -> None:
        server.client().save()
        shutil.copytree(tmp_path, saved, dirs_exist_ok=True)

    def restore() -> None:
        server.kill()
        shutil.copytree(saved, tmp_path, dirs_exist_ok=True)
        for path in tmp_path.rglob("*"):
            if path.is_file() and not (saved / path.relative_to(tmp_path)).exists():
                path.unlink()
        server.start()

    return Backup(stores, save, restore)


# By what is done: what a closed store must notice when it is opened, and what an open one while it is used.
CLOSED = {
    **{
        f"sqlite {how}": lambda stack, path, how=how: sqlite(path, how)
        for how in ("copied over", "replaced", "loaded", "without its mark", "elsewhere")
    },
    **{f"postgres {how}": lambda stack, path, how=how: postgres(stack, path, how) for how in ("dump", "data")},
    **{f"redis {how}": lambda stack, path, how=how: redis(stack, path, how) for how in ("snapshot", "everysec")},
}
OPEN = {
    **{f"sqlite {how}": lambda stack, path, how=how: sqlite(path, how) for how in ("copied over", "loaded")},
    **{
        f"postgres {how}": lambda stack, path, how=how: postgres(stack, path, how)
        for how in ("dump", "data", "rows", "jobs")
    },
    **{
        f"redis {how}": lambda stack, path, how=how: redis(stack, path, how) for how in ("keys", "snapshot", "everysec")
    },
}


@contextmanager
def backup(make: Callable[[ExitStack, Path], Backup], path: Path) -> Iterator[Backup]:
    """A backup whose servers are stopped in the end."""
    with ExitStack() as stack:
        yield make(stack, path)
