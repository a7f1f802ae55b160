"""Which accounts a Redis store holds jobs of: its keys name an account by a digest, its documents by its name."""

from __future__ import annotations

from typing import Final

from .script import EPOCH, ROOT, Script

# arg: name of a set of jobs, where to begin, how many to look at.
# Gives where to go on ('' at the end), then for each account met its digest, how many jobs, the document of one.
COUNT: Final = Script(
    ROOT
    + EPOCH
    + """
local ages = call('ZRANGEBYLEX', root .. arg[1], arg[2], '+', 'LIMIT', 0, arg[3])
local counts, some, order = {}, {}, {}
for _, age in ipairs(ages) do
  local key = root .. 'job:' .. string.sub(age, 20)
  local account = call('HGET', key, 'account')
  if account then
    if not counts[account] then
      counts[account] = 0
      some[account] = call('HGET', key, 'document')
      order[#order + 1] = account
    end
    counts[account] = counts[account] + 1
  end
end
local found = {#ages == tonumber(arg[3]) and ages[#ages] or ''}
for _, account in ipairs(order) do
  found[#found + 1] = account
  found[#found + 1] = counts[account]
  found[#found + 1] = some[account]
end
return found
"""
)
