"""Makes aioresponses 0.7.9 work with aiohttp 3.14: `from tests.aiohttp_shim import aioresponses`.

Two parts, each guarded by what it mends, so that both vanish when aioresponses catches up (its issue 289):

1. aiohttp 3.14 made `stream_writer` a required argument of ClientResponse; aioresponses does not pass it.
2. Its stream reader pauses the parser of its protocol once more than 64 KiB wait; the protocol that aioresponses makes
   has none.
"""

from __future__ import annotations

import inspect
from typing import Any
from unittest.mock import Mock

import aiohttp
from aioresponses import aioresponses, core

__all__ = ["aioresponses"]


def _needs_stream_writer() -> bool:
    return "stream_writer" in inspect.signature(aiohttp.ClientResponse.__init__).parameters


class _Response(aiohttp.ClientResponse):
    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("stream_writer", Mock(output_size=0))
        super().__init__(*args, **options)


_stream_reader = core.stream_reader_factory


def _stream_reader_with_parser(loop: Any = None) -> aiohttp.StreamReader:
    reader = _stream_reader(loop)
    protocol = reader._protocol
    if getattr(protocol, "_parser", protocol) is None:
        protocol._parser = Mock()
    return reader


if _needs_stream_writer():
    core.ClientResponse = _Response
    core.stream_reader_factory = _stream_reader_with_parser
