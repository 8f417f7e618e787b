-- The checkpoints that one stands on, its parent first, with values and writes of some channels, until each of these has
-- had a value. ARGV: ttl, namespace, id, channels ...
-- Reply: ok, then for each id, entry, channels and values in turn, writes.

local _, _, refused = read_state()
if refused then return refused end
local wanted, missing, left = {}, {}, 0
for i = 4, #ARGV do
  if not wanted[ARGV[i]] then left = left + 1 end
  wanted[ARGV[i]], missing[ARGV[i]] = true, true
end

local reply = {'ok'}
local _, entry = versions_of(ARGV[3])
local id, seen = entry and parent_of(entry), {[ARGV[3]] = true}
while id and left > 0 and not seen[id] do
  seen[id] = true
  local versions, found = versions_of(id)
  if not found then break end
  local values = values_of(versions, wanted)
  for i = 1, #values, 2 do
    if missing[values[i]] then left = left - 1 end
    missing[values[i]] = nil
  end
  table.insert(reply, {id, found, values, writes_of(id, wanted)})
  id = parent_of(found)
end
return reply
