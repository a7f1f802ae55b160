"""How a Redis store notices that its server went back to an earlier state.

Three signs. Each open store remembers the number of the last change it wrote, and the highest it has heard of: a server
that knows of neither has lost them. And the store keeps the name of the server's run: a server that was restarted, or
another one that took its place, may have lost the last writes, unless it flushes each before it answers.
"""

from __future__ import annotations

from typing import Final

from .script import NEXT_ERA, ROOT, Script

_LEARN: Final = """
local epoch = call('HGET', meta, 'epoch')
if not epoch or string.match(epoch, '^%x+') ~= string.match(ARGV[1], '^%x+') then
  return redis.error_reply('LOST ' .. (epoch or ''))
end
"""

# Whoever connects says so first. A server that was promoted may lack what its master had flushed.
# arg: 1 when a restart may lose what was answered. Gives 1 when a new era began.
ARRIVE: Final = Script(
    ROOT
    + _LEARN
    + NEXT_ERA
    + """
local function told(section, pattern)
  local text = redis.pcall('INFO', section)
  return type(text) == 'string' and string.match(text, pattern) or ''
end
local run = told('server', 'run_id:(%x+)')
local known = call('HGET', meta, 'run')
if run == '' or run == known then
  return 0
end
call('HSET', meta, 'run', run)
if not known or (arg[1] ~= '1' and not string.find(told('replication', 'master_replid2:(%x+)'), '[^0]')) then
  return 0
end
begin_era()
return 1
"""
)

# arg: the era above which the new one must be. Gives the epoch.
BEGIN_ERA: Final = Script(
    ROOT
    + _LEARN
    + NEXT_ERA
    + """
while tonumber(string.match(epoch, '%d+$')) <= tonumber(arg[1]) do
  begin_era()
end
return epoch
"""
)

# For scripts that every session runs often: begins a new era, and ends the script, when the server knows less than the
# caller. Numbers of changes go on after the highest that anybody has heard of.
# arg, from n on: origin, the number of the last change from there, the highest that was heard of.
COMPARE: Final = (
    NEXT_ERA
    + """
local function compare(n)
  local origin, mine, heard = arg[n], tonumber(arg[n + 1]), tonumber(arg[n + 2])
  local changes = tonumber(call('HGET', meta, 'changes') or '0')
  local kept = tonumber(call('ZSCORE', root .. 'writers', origin) or '0')
  if kept >= mine and changes >= heard then
    return
  end
  if changes < heard then
    call('HSET', meta, 'changes', string.format('%.0f', heard))
  end
  begin_era()
  return redis.error_reply('BACK ' .. epoch)
end
"""
)
