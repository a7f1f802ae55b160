"""The Lua scripts of what is kept in bounds: early deliveries, and those that could not be read."""

from __future__ import annotations

from typing import Final

from .script import EPOCH, ROOT, Script

_DROP: Final = """
local function drop(queue, mark)
  local key = root .. queue .. ':item:' .. mark
  local kept = call('HMGET', key, 'size', 'sets', 'member')
  if kept[1] then
    for name in string.gmatch(kept[2], '%S+') do
      call('ZREM', root .. name, kept[3])
    end
    call('DEL', key)
    call('HINCRBY', meta, queue .. ':bytes', -kept[1])
  end
  call('ZREM', root .. queue, mark)
end
"""

# Gives the number of an item that is new, nothing for one that is there.
_ADD: Final = """
local function add(queue, mark, order, document, size, sets)
  local key = root .. queue .. ':item:' .. mark
  if call('EXISTS', key) == 1 then
    return
  end
  local number = call('HINCRBY', meta, queue, 1)
  local member = order .. string.format('%016.0f', number) .. mark
  call('HSET', key, 'document', document, 'size', size, 'sets', sets, 'member', member)
  for name in string.gmatch(sets, '%S+') do
    call('ZADD', root .. name, 0, member)
  end
  call('HINCRBY', meta, queue .. ':bytes', size)
  return number
end
"""

# Keeps an item in a bounded queue, once for each mark. arg: queue, mark, what to sort by, document, size, how many are
# kept, how many bytes are kept, names of the sets it is a member of.
KEEP: Final = Script(
    ROOT
    + EPOCH
    + _DROP
    + _ADD
    + """
local queue = arg[1]
local number = add(queue, arg[2], arg[3], arg[4], arg[5], arg[8])
if not number then
  return 0
end
call('ZADD', root .. queue, number, arg[2])
while call('ZCARD', root .. queue) > tonumber(arg[6])
  or tonumber(call('HGET', meta, queue .. ':bytes')) > tonumber(arg[7]) do
  local oldest = call('ZRANGE', root .. queue, 0, 0)[1]
  if not oldest then
    break
  end
  drop(queue, oldest)
end
return 1
"""
)

# What `parked.evict` asks of a store. An item is strange while none of the sets that hold who could claim it exists;
# the last of their names says what kind it is of.
_LET_GO: Final = """
local function is_strange(mark)
  for name in string.gmatch(call('HGET', root .. 'parked:item:' .. mark, 'claims'), '%S+') do
    if call('EXISTS', root .. name) == 1 then
      return false
    end
  end
  return true
end
local function drop_strangers(range, look, most)
  local went = 0
  for _, mark in ipairs(call(range, root .. 'parked', 0, look)) do
    if went == most then
      break
    end
    if is_strange(mark) then
      drop('parked', mark)
      went = went + 1
    end
  end
  return went
end
local function drop_claimable(most)
  local crowds, items = {}, {}
  for place, mark in ipairs(call('ZRANGE', root .. 'parked', 0, -1)) do
    local kind = string.match(call('HGET', root .. 'parked:item:' .. mark, 'claims'), '%S+$')
    crowds[kind] = (crowds[kind] or 0) + 1
    items[place] = {mark = mark, kind = kind, place = place}
  end
  table.sort(items, function(one, other)
    local more = crowds[one.kind] - crowds[other.kind]
    return more > 0 or (more == 0 and one.place < other.place)
  end)
  local went = math.min(most, #items)
  for n = 1, went do
    drop('parked', items[n].mark)
  end
  return went
end
"""

# Parks an observation, once for each mark, and makes room as `parked.evict` does. arg: mark, its instant, document,
# size, how many are kept, how many bytes are kept, names of the sets it is a member of, names of the sets that hold who
# could claim it, '1' for a report, the part that goes at once, how many are looked at at least.
# Gives how many strangers and how many others went.
PARK: Final = Script(
    ROOT
    + EPOCH
    + _DROP
    + _ADD
    + _LET_GO
    + """
local mark = arg[1]
local number = add('parked', mark, arg[2], arg[3], arg[4], arg[7])
if not number then
  return {0, 0}
end
call('HSET', root .. 'parked:item:' .. mark, 'claims', arg[8])
-- Reports go before all others.
call('ZADD', root .. 'parked', arg[9] == '1' and number - 2 ^ 52 or number, mark)
local strangers, claimable = 0, 0
while true do
  local count = call('ZCARD', root .. 'parked')
  local excess = count - tonumber(arg[5])
  if excess <= 0 and tonumber(call('HGET', meta, 'parked:bytes')) <= tonumber(arg[6]) then
    return {strangers, claimable}
  end
  excess = math.max(1, excess)
  local goal = math.max(excess, math.floor(count / tonumber(arg[10])))
  local look = math.max(tonumber(arg[11]), goal) - 1
  local went = drop_strangers('ZRANGE', look, goal)
  if went == 0 then
    went = drop_strangers('ZREVRANGE', look, excess)
  end
  if went == 0 then
    went = drop_strangers('ZRANGE', -1, goal)
    local claimed = went < goal and drop_claimable(goal - went) or 0
    claimable = claimable + claimed
    if went + claimed == 0 then
      return {strangers, claimable}
    end
  end
  strangers = strangers + went
end
"""
)

# arg: queue, where to begin and to end, how many of each set at most (-1 for all), then names of sets of its items.
# Gives documents.
KEPT: Final = Script(
    ROOT
    + EPOCH
    + """
local found = {}
for n = 5, #arg do
  for _, member in ipairs(call('ZRANGEBYLEX', root .. arg[n], arg[2], arg[3], 'LIMIT', 0, arg[4])) do
    local document = call('HGET', root .. arg[1] .. ':item:' .. string.sub(member, 36), 'document')
    found[#found + 1] = document or nil
  end
end
return found
"""
)

# arg: queue, then marks.
DROP: Final = Script(
    ROOT
    + EPOCH
    + _DROP
    + """
for n = 2, #arg do
  drop(arg[1], arg[n])
end
return 1
"""
)

# arg: queue.
COUNT_KEPT: Final = Script(ROOT + EPOCH + "return call('ZCARD', root .. arg[1])")

# arg: queue, an instant. Drops what is older, and gives how much it was.
DROP_OLD: Final = Script(
    ROOT
    + EPOCH
    + _DROP
    + """
local went = 0
for _, mark in ipairs(call('ZRANGE', root .. arg[1], 0, -1)) do
  local member = call('HGET', root .. arg[1] .. ':item:' .. mark, 'member')
  if member and member < arg[2] then
    drop(arg[1], mark)
    went = went + 1
  end
end
return went
"""
)
