"""Database servers of a proof's own, on free ports, that may be killed and frozen whole. Never the shared ones."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import psycopg

from tests.stores.postgres import server as postgres_server
from tests.stores.redis import server as redis_server

START_SECONDS = 20.0


class Server(Protocol):
    """What a nemesis may do to a server, and whom it serves."""

    url: str

    def start(self) -> None: ...
    def kill(self) -> None: ...
    def freeze(self) -> None: ...
    def thaw(self) -> None: ...
    def job_ids(self) -> set[str]: ...


class Postgres(postgres_server.OwnServer):
    """A PostgreSQL that is killed as by the kernel: the postmaster and all its backends at once, without a word."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, recover what the last kill left, and wait until it takes connections."""
        settings = {"port": self._port, "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(postgres_server.BINARIES / "postgres"), "-D", str(self._home), *options]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
        limit = time.monotonic() + START_SECONDS
        while not self._answers():
            if time.monotonic() > limit or self._process.poll() is not None:
                raise RuntimeError(f"PostgreSQL did not start: {(self._home / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill every process of it. None may be left when it starts again: it would be refused."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGSTOP)  # so that it starts no more backends meanwhile
        backends = _children(process.pid)
        for pid in (*backends, process.pid):
            _signal(pid, signal.SIGKILL)
        process.wait(10)
        while any(_is_alive(pid) for pid in backends):
            time.sleep(0.01)

    def freeze(self) -> None:
        assert self._process is not None
        for pid in (self._process.pid, *_children(self._process.pid)):
            _signal(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        for pid in (*_children(self._process.pid), self._process.pid):
            _signal(pid, signal.SIGCONT)

    def job_ids(self) -> set[str]:
        with psycopg.connect(self.url) as connection:
            return {str(row[0]) for row in connection.execute("SELECT id FROM belvo_async.job")}

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


class Redis(redis_server.OwnServer):
    """A Redis that flushes every write before it answers."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, "--appendonly", "yes", "--appendfsync", "always", "--save", "")

    def job_ids(self) -> set[str]:
        keys: Any = self.client().scan_iter(match="{belvo_async}:job:*", count=1000)
        return {key.decode().removeprefix("{belvo_async}:job:") for key in keys}


KINDS = {"postgres": Postgres, "redis": Redis}


def demand(kind: str) -> None:
    """Go on only if the programs of such a server are installed."""
    if kind == "postgres" and not (postgres_server.BINARIES / "initdb").exists():
        postgres_server.missing(
            f"no PostgreSQL programs in {postgres_server.BINARIES}: install `postgresql`, "
            "or name their directory in PG_BINARIES"
        )
    if kind == "redis" and not (shutil.which("redis-server") or shutil.which("valkey-server")):
        redis_server.missing("redis-server is not installed: `apt-get install redis-server`")


@contextmanager
def running(kind: str) -> Iterator[Server]:
    """A started server; it and its files are gone in the end."""
    # The directories pytest makes may not be entered by other users, and PostgreSQL runs as one.
    with tempfile.TemporaryDirectory(prefix=f"belvo_async_{kind}_", ignore_cleanup_errors=True) as home:
        server: Server = KINDS[kind](Path(home))
        try:
            server.start()
            yield server
        finally:
            server.kill()


def _children(pid: int) -> list[int]:
    """The processes this one started; PostgreSQL's are each in a session of their own."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and _stat(int(entry.name))[1:] == [str(pid)]:
            found.append(int(entry.name))
    return found


def _is_alive(pid: int) -> bool:
    return _stat(pid)[:1] not in ([], ["Z"])


def _stat(pid: int) -> list[str]:
    """The state and the parent of a process; nothing when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return []


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
