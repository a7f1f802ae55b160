"""What every Lua script of the Redis store begins with, and how one is called."""

from __future__ import annotations

import hashlib
from typing import Final


def pack(*words: bytes) -> bytes:
    """Write one command as it goes over the wire."""
    return b"*%d\r\n%b" % (len(words), b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in words]))


class Script:
    """A script and its name on the server."""

    def __init__(self, text: str) -> None:
        source = self._source = text.encode()
        self._run = _name_or_text(source)
        self.load = pack(b"SCRIPT", b"LOAD", source)

    def whole(self, meta: bytes, epoch: bytes, *arguments: bytes) -> bytes:
        """Write the command with the script's text in it, for a server that may not know the script yet."""
        return pack(b"EVAL", self._source, b"1", meta, epoch, *arguments)

    def call(self, meta: bytes, epoch: bytes, *arguments: bytes) -> bytes:
        """Write the command that runs the script."""
        return pack(*self._run, b"1", meta, epoch, *arguments)


def _name_or_text(source: bytes) -> tuple[bytes, bytes]:
    """How to run a script: by the name the server gave it, or by its text where Python may not compute that name."""
    try:
        return b"EVALSHA", hashlib.sha1(source, usedforsecurity=False).hexdigest().encode()
    except ValueError:  # Pythons in FIPS mode, some of them whatever it is used for
        return b"EVAL", source


ROOT: Final = """
local meta = KEYS[1]
local root = string.sub(meta, 1, -5)
local call = redis.call
local arg = {unpack(ARGV, 2)}
"""

# The epoch is the name of the store's life on this server and, after a colon, its era. A server that was flushed, or
# came back without its data, no longer knows the name; one that went back to an earlier state is in another era.
EPOCH: Final = """
local epoch = call('HGET', meta, 'epoch')
if epoch ~= ARGV[1] then
  return redis.error_reply('LOST ' .. (epoch or ''))
end
"""

# For scripts that find out that the server went back.
NEXT_ERA: Final = """
local function begin_era()
  local name, era = string.match(epoch, '^(%x+):(%d+)$')
  epoch = name .. ':' .. string.format('%.0f', era + 1)
  call('HSET', meta, 'epoch', epoch)
end
"""
