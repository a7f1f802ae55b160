"""Redis servers for tests: the shared one, used under a prefix of each test's own, and ones a test may kill."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import redis

from belvo_async.stores.redis.store import RedisStore
from tests.waiting import hold_time_for_redis

SHARED_URL = "redis://127.0.0.1:6379/0"
_ADVICE = "start one with `redis-server --port 6379 --daemonize yes`"


def missing(what: str) -> None:
    """Skip for want of a server, or fail where one is demanded."""
    if os.environ.get("BELVO_ASYNC_REQUIRE_SERVERS") == "1":
        pytest.fail(what)
    pytest.skip(what)


@cache
def _shared_client() -> Any:
    """A connection to the shared server that lasts for the process: hundreds of tests ask it three things each."""
    client = redis.Redis.from_url(SHARED_URL, socket_timeout=5, socket_connect_timeout=1, retry=None)
    atexit.register(client.close)
    return client


def demand_shared() -> None:
    """Go on only if the shared server answers."""
    try:
        _shared_client().ping()
    except redis.RedisError:
        missing(f"no Redis server answers on 127.0.0.1:6379: {_ADVICE}")


class Stores:
    """Makes stores on one server under one prefix."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.prefix = f"test-{uuid.uuid4().hex}"

    def __call__(self, **options: Any) -> RedisStore:
        return RedisStore(self.url, **{"prefix": self.prefix, "timeout": None, **options})

    def client(self) -> Any:
        """A connection beside the stores'."""
        return redis.Redis.from_url(self.url)

    def all_keys(self) -> list[str]:
        """Every key of the prefix, as text."""
        with self.client() as client:
            return self._keys(client)

    def _keys(self, client: Any) -> list[str]:
        return [key.decode() for key in client.scan_iter(match=f"{{{self.prefix}}}:*", count=1000)]

    def delete(self) -> None:
        """Remove what the test left on the shared server."""
        if left := self._keys(_shared_client()):
            _shared_client().delete(*left)


@contextmanager
def shared_stores() -> Iterator[Stores]:
    """Stores on the shared server, whose keys are deleted afterwards. Meanwhile time waits for the server."""
    demand_shared()
    with hold_time_for_redis():
        stores = Stores(SHARED_URL)
        try:
            yield stores
        finally:
            stores.delete()


def _free_port() -> int:
    """A free port whose 10,000th successor is a port as well: members of a cluster listen on both."""
    while True:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        if port < 55_000:
            return port


class OwnServer:
    """A Redis server of the test's own, on a free port and in a directory of its own."""

    def __init__(self, directory: Path, *settings: str) -> None:
        self._directory = directory
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        binary = shutil.which("redis-server") or shutil.which("valkey-server")
        if binary is None:
            missing("redis-server is not installed: `apt-get install redis-server`")
        self._process = subprocess.Popen(
            [str(binary), "--port", str(self.port), "--dir", str(self._directory), *self._settings],
            stdout=subprocess.DEVNULL,
        )
        self._wait()

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def freeze(self) -> None:
        """Let it hold its connections and answer nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def become_cluster(self) -> None:
        """Hold all slots of a cluster of one; takes about two seconds."""
        self.client().execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        while b"cluster_state:ok" not in self.client().execute_command("CLUSTER", "INFO"):
            time.sleep(0.05)

    def client(self) -> Any:
        return redis.Redis.from_url(self.url)

    def _wait(self) -> None:
        for _ in range(500):
            try:
                with redis.Redis.from_url(self.url, retry=None) as client:
                    client.ping()
                return
            except redis.AuthenticationError:
                return
            except redis.RedisError:
                time.sleep(0.01)
        raise RuntimeError("the test's own Redis server did not start")


@contextmanager
def own_server(directory: Path, *settings: str) -> Iterator[tuple[OwnServer, Stores]]:
    """A running server of the test's own, and stores on it."""
    server = OwnServer(directory, *settings)
    with hold_time_for_redis():
        try:
            server.start()
            yield server, Stores(server.url)
        finally:
            server.kill()
