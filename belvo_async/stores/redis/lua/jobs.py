"""The Lua scripts of jobs, of who changed them, and of leases."""

from __future__ import annotations

from typing import Final

from .entries import ENTERING
from .era import COMPARE
from .script import EPOCH, ROOT, Script

# Opens the store unless a newer release wrote it: the schema and the epoch. arg: schema, new epoch.
OPEN: Final = Script(
    ROOT
    + """
local schema = tonumber(call('HGET', meta, 'schema') or '0')
if schema > tonumber(arg[1]) then
  return {schema, false}
end
call('HSET', meta, 'schema', arg[1])
call('HSETNX', meta, 'epoch', arg[2] .. ':0')
return {schema, call('HGET', meta, 'epoch')}
"""
)

_TELL: Final = """
local function tell(id, origin, limit)
  local number = string.format('%.0f', call('HINCRBY', meta, 'changes', 1))
  call('XADD', root .. 'changes', 'MAXLEN', '~', limit, number .. '-0', 'id', id, 'by', origin)
  call('ZADD', root .. 'writers', number, origin)
  call('ZREMRANGEBYRANK', root .. 'writers', 0, -10001)
  return tonumber(number)
end
local function unlist(sets, age)
  for name in string.gmatch(sets, '%S+') do
    call('ZREM', root .. name, age)
  end
end
local function give_names_back(names)
  for name in string.gmatch(names or '', '%S+') do
    call('HDEL', root .. 'once', name)
  end
end
local function leave_whole(whole)
  if whole and whole ~= '' then
    call('ZREM', root .. string.sub(whole, 1, 38), string.sub(whole, 39))
  end
end
"""

# arg: id, expected version ('' for a new job), version, status, whether it is an end, document, account, age, due (''
# for never), names of the sets it is a member of, the set of equal jobs ('' for none), what was seen ('' for nothing),
# origin, limit of the timeline, limit of the stream, by which clock it was set when it is due ('' for nobody knows),
# the fields of the names it holds, the set of equal jobs that finished whole ('' for none), its member there ('' for
# none), the first member that is fresh ('' for none), whether it stays leased and due as it is ('1' or ''), then what
# COMPARE takes. Gives the number of the change when written, 0 when there is no such job, {document} of what stands in
# the way, the status it has ended as.
PUT: Final = Script(
    ROOT
    + EPOCH
    + _TELL
    + COMPARE
    + """
local back = compare(22)
if back then
  return back
end
local id = arg[1]
local key = root .. 'job:' .. id
local kept = call('HMGET', key, 'version', 'status', 'ended', 'sets', 'age', 'due', 'account', 'planned', 'once',
  'whole')
local function document_of(id)
  return call('HGET', root .. 'job:' .. id, 'document')
end
local function holder()
  for name in string.gmatch(arg[17], '%S+') do
    local other = call('HGET', root .. 'once', name)
    if other and other ~= id then
      return {document_of(other)}
    end
  end
end
if arg[2] == '' then
  if kept[1] then
    return {document_of(id)}
  end
  local other = holder()
  if other then
    return other
  end
  if arg[11] ~= '' then
    local equal = call('ZRANGEBYLEX', root .. arg[11], '-', '+', 'LIMIT', 0, 1)[1]
    if equal then
      return {document_of(string.sub(equal, 20))}
    end
  end
  if arg[20] ~= '' then
    local last = call('ZREVRANGEBYLEX', root .. arg[18], '+', '[' .. arg[20], 'LIMIT', 0, 1)[1]
    if last then
      return {document_of(string.sub(last, 39))}
    end
  end
elseif not kept[1] then
  return 0
elseif kept[1] ~= arg[2] then
  return {document_of(id)}
elseif kept[3] == '1' and kept[2] ~= arg[4] then
  return kept[2]
else
  local other = holder()
  if other then
    return other
  end
end
local due, planned = arg[9], arg[16]
if arg[21] == '1' and due ~= '' and kept[6] and kept[6] ~= '' then
  due, planned = kept[6], kept[8] or ''
end
call('HSET', key, 'version', arg[3], 'status', arg[4], 'ended', arg[5], 'document', arg[6],
  'account', arg[7], 'age', arg[8], 'due', due, 'sets', arg[10], 'planned', planned)
if kept[4] ~= arg[10] or kept[5] ~= arg[8] then
  unlist(kept[4] or '', kept[5])
  for name in string.gmatch(arg[10], '%S+') do
    call('ZADD', root .. name, 0, arg[8])
  end
end
local function relist(name, old, new)
  if old == new and kept[7] == arg[7] then
    return
  end
  if old and old ~= '' then
    call('ZREM', root .. name .. kept[7], old .. id)
  end
  if new ~= '' then
    call('ZADD', root .. name .. arg[7], 0, new .. id)
  end
end
relist('due:', kept[6], due)
relist('planned:', kept[8], planned)
if (kept[9] or '') ~= arg[17] then
  give_names_back(kept[9])
  for name in string.gmatch(arg[17], '%S+') do
    call('HSET', root .. 'once', name, id)
  end
  call('HSET', key, 'once', arg[17])
end
local whole = arg[19] ~= '' and arg[18] .. arg[19] or ''
if (kept[10] or '') ~= whole then
  leave_whole(kept[10])
  if whole ~= '' then
    call('ZADD', root .. arg[18], 0, arg[19])
  end
  call('HSET', key, 'whole', whole)
end
if arg[12] ~= '' then
  call('RPUSH', root .. 'timeline:' .. id, arg[12])
  call('LTRIM', root .. 'timeline:' .. id, -arg[14], -1)
end
return tell(id, arg[13], arg[15])
"""
)

# arg: id.
GET: Final = Script(ROOT + EPOCH + "return call('HGET', root .. 'job:' .. arg[1], 'document')")

# arg: name of a set of jobs.
FIND: Final = Script(
    ROOT
    + EPOCH
    + """
local found = {}
for _, age in ipairs(call('ZRANGEBYLEX', root .. arg[1], '-', '+')) do
  local document = call('HGET', root .. 'job:' .. string.sub(age, 20), 'document')
  found[#found + 1] = document or nil
end
return found
"""
)

# arg: name of a set of jobs, where to begin and to end, how many to look at, '*' for all accounts, else the accounts.
# Gives where to go on ('' at the end), then documents.
WALK: Final = Script(
    ROOT
    + EPOCH
    + """
local wanted = {}
for n = 5, #arg do
  wanted[arg[n]] = true
end
local ages = call('ZRANGEBYLEX', root .. arg[1], arg[2], arg[3], 'LIMIT', 0, arg[4])
local found = {#ages == tonumber(arg[4]) and ages[#ages] or ''}
for _, age in ipairs(ages) do
  local job = call('HMGET', root .. 'job:' .. string.sub(age, 20), 'account', 'document')
  if job[2] and (wanted['*'] or wanted[job[1]]) then
    found[#found + 1] = job[2]
  end
end
return found
"""
)

# arg: the first instant that is not due yet, until when to lease, how many at most, now, the first member of a clock
# that is not believed ("+" for none), then accounts. What was not believed comes last, and is due when the lease ends.
CLAIM: Final = Script(
    ROOT
    + EPOCH
    + """
local limit = tonumber(arg[3])
local due, doubtful = {}, {}
for n = 6, #arg do
  for _, member in ipairs(call('ZRANGEBYLEX', root .. 'due:' .. arg[n], '-', '(' .. arg[1], 'LIMIT', 0, limit)) do
    due[#due + 1] = {member, arg[n]}
  end
  for _, member in ipairs(call('ZRANGEBYLEX', root .. 'planned:' .. arg[n], arg[5], '+', 'LIMIT', 0, limit)) do
    doubtful[#doubtful + 1] = {member, arg[n]}
  end
end
table.sort(due, function(one, other) return one[1] < other[1] end)
local claimed, taken = {}, {}
local function claim(id, account)
  local key = root .. 'job:' .. id
  local kept = call('HMGET', key, 'document', 'due', 'planned', 'age')
  if #claimed == limit or taken[id] or not kept[1] then
    return
  end
  taken[id] = true
  local due = arg[2] .. string.sub(kept[4], 1, 19)
  call('ZREM', root .. 'due:' .. account, kept[2] .. id)
  call('ZADD', root .. 'due:' .. account, 0, due .. id)
  call('ZREM', root .. 'planned:' .. account, (kept[3] or '') .. id)
  call('ZADD', root .. 'planned:' .. account, 0, arg[4] .. id)
  call('HSET', key, 'due', due, 'planned', arg[4])
  claimed[#claimed + 1] = kept[1]
end
for _, each in ipairs(due) do
  claim(string.sub(each[1], 39), each[2])
end
for _, each in ipairs(doubtful) do
  claim(string.sub(each[1], 20), each[2])
end
return claimed
"""
)

# arg: accounts. Gives the first instant, or nil.
FIRST_DUE: Final = Script(
    ROOT
    + EPOCH
    + """
local first = false
for _, account in ipairs(arg) do
  local member = call('ZRANGEBYLEX', root .. 'due:' .. account, '-', '+', 'LIMIT', 0, 1)[1]
  if member and (not first or member < first) then
    first = member
  end
end
return first and string.sub(first, 1, 19)
"""
)

# arg: id.
TIMELINE: Final = Script(ROOT + EPOCH + "return call('LRANGE', root .. 'timeline:' .. arg[1], 0, -1)")

# arg: id, origin, limit of the stream, the version it must have ('' for any), what is entered of it ('' for nothing).
# Gives 0 when there is no such job, -1 when it has another version.
FORGET: Final = Script(
    ROOT
    + EPOCH
    + _TELL
    + ENTERING
    + """
local key = root .. 'job:' .. arg[1]
local kept = call('HMGET', key, 'sets', 'age', 'due', 'account', 'planned', 'version', 'once', 'whole')
if not kept[1] then
  return 0
end
if arg[4] ~= '' and arg[4] ~= kept[6] then
  return -1
end
if arg[5] ~= '' then
  enter(arg[5])
end
unlist(kept[1], kept[2])
give_names_back(kept[7])
leave_whole(kept[8])
call('ZREM', root .. 'due:' .. kept[4], kept[3] .. arg[1])
call('ZREM', root .. 'planned:' .. kept[4], (kept[5] or '') .. arg[1])
call('DEL', key, root .. 'timeline:' .. arg[1])
tell(arg[1], arg[2], arg[3])
return 1
"""
)

# arg: name of a set of jobs that finished whole, the first member that is fresh. Gives a document, or nil.
FRESH: Final = Script(
    ROOT
    + EPOCH
    + """
local last = call('ZREVRANGEBYLEX', root .. arg[1], '+', '[' .. arg[2], 'LIMIT', 0, 1)[1]
return last and call('HGET', root .. 'job:' .. string.sub(last, 39), 'document')
"""
)

# arg: the field of a name. Gives a document, or nil.
HOLDER: Final = Script(
    ROOT
    + EPOCH
    + """
local id = call('HGET', root .. 'once', arg[1])
return id and call('HGET', root .. 'job:' .. id, 'document')
"""
)

# arg: lease, owner, now, until, by how many microseconds clocks differ, then what COMPARE takes. Gives the fencing
# token, or nil.
LEASE: Final = Script(
    ROOT
    + EPOCH
    + COMPARE
    + """
local back = compare(6)
if back then
  return back
end
local key = root .. 'lease:' .. arg[1]
local held = call('HMGET', key, 'token', 'owner', 'until', 'since')
if held[1] and held[2] ~= arg[2] and tonumber(held[3]) > tonumber(arg[3]) then
  local age = call('HGET', root .. 'job:' .. held[2], 'age')
  if not age or call('ZSCORE', root .. 'open', age) then
    local ahead = tonumber(held[4] or '0') - tonumber(arg[3])
    if ahead > tonumber(arg[5]) then
      call('HSET', key, 'since', arg[3], 'until', string.format('%.0f', tonumber(held[3]) - ahead))
    end
    return false
  end
end
local token = held[1]
if held[2] ~= arg[2] then
  token = call('HINCRBY', meta, 'token', 1)
end
call('HSET', key, 'token', token, 'owner', arg[2], 'since', arg[3], 'until', arg[4])
return tonumber(token)
"""
)

# arg: lease. Gives the instant, or nil.
LEASED_UNTIL: Final = Script(ROOT + EPOCH + "return call('HGET', root .. 'lease:' .. arg[1], 'until')")

# arg: lease, owner.
RELEASE: Final = Script(
    ROOT
    + EPOCH
    + """
local key = root .. 'lease:' .. arg[1]
if call('HGET', key, 'owner') == arg[2] then
  call('DEL', key)
end
return 1
"""
)

# Gives the number of the last change.
POSITION: Final = Script(ROOT + EPOCH + "return tonumber(call('HGET', meta, 'changes') or '0')")
