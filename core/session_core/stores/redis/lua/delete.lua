-- Remove a session with all its namespaces, if they are those the client knows of.
-- KEYS: the set of namespaces, then four keys for each namespace and for the session itself, then the lease of each.
-- ARGV: for how long, in milliseconds, nobody may have written to it, or an empty string; `listed` when something of it
--   must be there, `sought` when lost namespaces were looked for, or an empty string; the namespaces of the set.
-- Reply: ok, how many messages went; `again` when a namespace came or went meanwhile; `kept` when it is in use; `lost` when
--   there may be namespaces that are not in the set, as the server threw keys away.

-- Behind it are leases.
local namespaces = #ARGV - 2
local last = 4 * namespaces + 5
if redis.call('SCARD', KEYS[1]) ~= namespaces then return {'again'} end
for i = 3, #ARGV do
  if redis.call('SISMEMBER', KEYS[1], ARGV[i]) == 0 then return {'again'} end
end
if ARGV[2] ~= 'sought' then
  local main = redis.call('HMGET', KEYS[2], 'state', 'namespaces')
  local others = redis.call('EXISTS', KEYS[3], KEYS[4], KEYS[5])
  if tonumber(main[2] or 0) > namespaces then return {'lost'} end
  if not main[1] and (others > 0 or (ARGV[2] == 'listed' and namespaces == 0)) then return {'lost'} end
end
if ARGV[1] ~= '' then
  local clock = redis.call('TIME')
  local moment = clock[1] * 1000 + clock[2] / 1000 - tonumber(ARGV[1])
  for i = 2, last, 4 do
    local state = redis.call('HGET', KEYS[i], 'state')
    if state and (figures_of(state).touched or 0) >= moment then return {'kept'} end
  end
end
local gone = 0
for i = 2, last, 4 do gone = gone + redis.call('LLEN', KEYS[i + 1]) end
for _, key in ipairs(KEYS) do redis.call('UNLINK', key) end
return {'ok', gone}
