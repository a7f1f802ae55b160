"""Prism (`npm install @stoplight/prism-cli`): a document run as a server, or as a proxy that checks one."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from tests.documents.openapi import Document

# It reads documents of two megabytes before it listens, perhaps on a busy machine.
LONGEST_SECONDS: Final = 120


def mocking(prism: str, document: Path) -> contextlib.AbstractAsyncContextManager[str]:
    """Run a document as a mock server with random values; gives its address."""
    return _running(prism, "mock", Document.read(document).ending(), "--dynamic")


def checking(prism: str, document: Path, behind: str) -> contextlib.AbstractAsyncContextManager[str]:
    """Pass requests on to another server, and hold both sides against a document; gives the address.

    What is wrong stands in the header `sl-violations` of the answer, which is otherwise as it came.
    """
    return _running(prism, "proxy", Document.read(document).sound(), behind)


@asynccontextmanager
async def _running(prism: str, what: str, document: Mapping[str, Any], *arguments: str) -> AsyncIterator[str]:
    port = _free_port()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as sound:
        json.dump(document, sound, default=str)  # YAML makes days of some examples
        sound.flush()
        command = (prism, what, sound.name, *arguments, "--host", "127.0.0.1", "--port", str(port))
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            await _listening(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


async def _listening(port: int, process: asyncio.subprocess.Process) -> None:
    began = time.monotonic()
    while time.monotonic() - began < LONGEST_SECONDS:
        if process.returncode is not None:
            raise SystemExit(f"prism ended with {process.returncode}: does it read the document?")
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.2)
    raise SystemExit("prism does not listen")
