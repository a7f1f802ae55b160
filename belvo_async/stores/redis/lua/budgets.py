"""The Lua scripts of budgets and rate windows."""

from __future__ import annotations

from typing import Final

from .script import EPOCH, ROOT, Script

# The rule is `budgets.Ledger`. arg: budget, limit, span, what time the caller takes it to be, mark.
# Gives the place and what time it is.
RESERVE: Final = Script(
    ROOT
    + EPOCH
    + """
local key, given_back = root .. 'budget:' .. arg[1], root .. 'given_back:' .. arg[1]
local limit, span, asked, mark = tonumber(arg[2]), tonumber(arg[3]), tonumber(arg[4]), arg[5]
local function text(number)
  return string.format('%.0f', number)
end
local latest = tonumber(call('HGET', root .. 'budgets', arg[1]) or asked)
local newest = math.max(latest, asked)
local function next_place(at)
  -- One span more than the window needs, for those who come late.
  call('ZREMRANGEBYSCORE', key, '-inf', text(newest - 2 * span))
  for _, missed in ipairs(call('ZRANGEBYSCORE', given_back, '-inf', '(' .. text(at))) do
    call('ZREM', key, missed)
    call('ZREM', given_back, missed)
  end
  local place = at
  local blocking = call('ZREVRANGE', key, limit - 1, limit - 1, 'WITHSCORES')[2]
  if blocking then
    place = math.max(at, tonumber(blocking) + span)
  end
  local first = call('ZRANGE', given_back, 0, 0, 'WITHSCORES')
  if first[1] and tonumber(first[2]) <= place then
    return tonumber(first[2]), first[1]
  end
  return place, false
end
local at = asked
local place, free = next_place(at)
local after = '(' .. text(at)
local ahead = call('ZCOUNT', key, after, '+inf') - call('ZCOUNT', given_back, after, '+inf')
if asked < latest - 2 * span or place - asked > (math.floor(ahead / limit) + 1) * span then
  at = latest
  place, free = next_place(at)
end
call('HSET', root .. 'budgets', arg[1], text(newest))
local kept = call('ZSCORE', key, mark)
if kept then
  return {text(math.max(at, tonumber(kept))), text(at)}
end
if free then
  call('ZREM', key, free)
  call('ZREM', given_back, free)
end
call('ZADD', key, text(place), mark)
return {text(place), text(at)}
"""
)

# arg: budget, mark.
GIVE_BACK: Final = Script(
    ROOT
    + EPOCH
    + """
local key, given_back = root .. 'budget:' .. arg[1], root .. 'given_back:' .. arg[1]
local place = call('ZSCORE', key, arg[2])
if not place then
  return 0
end
call('ZREM', key, arg[2])
if tonumber(place) < tonumber(call('HGET', root .. 'budgets', arg[1])) then
  return 1
end
-- Under a name of its own, so that the mark is free again.
local name = '#' .. string.format('%.0f', call('HINCRBY', meta, 'given_back', 1))
call('ZADD', key, place, name)
call('ZADD', given_back, place, name)
local free = call('ZRANGE', given_back, -1, -1, 'WITHSCORES')
while free[1] and free[2] == call('ZRANGE', key, -1, -1, 'WITHSCORES')[2] do
  call('ZREM', key, free[1])
  call('ZREM', given_back, free[1])
  free = call('ZRANGE', given_back, -1, -1, 'WITHSCORES')
end
return 1
"""
)

# arg: rate window, until when it is exhausted.
EXHAUST: Final = Script(ROOT + EPOCH + "return call('HSET', root .. 'windows', arg[1], arg[2])")

# arg: rate window.
EXHAUSTED_UNTIL: Final = Script(ROOT + EPOCH + "return call('HGET', root .. 'windows', arg[1])")
