"""The Lua scripts of entries: their places stand in one set, their documents in one hash."""

from __future__ import annotations

from typing import Final

from .script import EPOCH, ROOT, Script

# Also for who drops a job. All come in one argument, each text after its length: Lua cannot take apart long lists of
# arguments.
ENTERING: Final = """
local function enter(packed)
  local at = 1
  local function read()
    local _, colon, size = string.find(packed, '^(%d+):', at)
    at = colon + 1 + tonumber(size)
    return string.sub(packed, colon + 1, at - 1)
  end
  while at <= #packed do
    local place, document = read(), read()
    call('ZADD', root .. 'entries', 0, place)
    call('HSET', root .. 'entry', place, document)
  end
end
"""

# arg: places and documents in turn, packed.
ENTER: Final = Script(
    ROOT
    + EPOCH
    + ENTERING
    + """
enter(arg[1])
return 1
"""
)

# arg: where to begin and to end, how many at most. Gives places and documents in turn.
ENTRIES: Final = Script(
    ROOT
    + EPOCH
    + """
local found = {}
for _, place in ipairs(call('ZRANGEBYLEX', root .. 'entries', arg[1], arg[2], 'LIMIT', 0, arg[3])) do
  found[#found + 1] = place
  found[#found + 1] = call('HGET', root .. 'entry', place)
end
return found
"""
)

# arg: places.
STRIKE: Final = Script(
    ROOT
    + EPOCH
    + """
for _, place in ipairs(arg) do
  call('ZREM', root .. 'entries', place)
  call('HDEL', root .. 'entry', place)
end
return 1
"""
)
