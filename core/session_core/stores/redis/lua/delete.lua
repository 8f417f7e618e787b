-- Remove a session with all its namespaces, if they are those the client knows of.
-- KEYS: the set of namespaces, then four keys for each namespace and for the session itself, then the lease of each.
-- ARGV: the namespaces of the set.
-- Reply: ok, how many messages went; or `again` when a namespace came or went meanwhile.

if redis.call('SCARD', KEYS[1]) ~= #ARGV then return {'again'} end
for _, namespace in ipairs(ARGV) do
  if redis.call('SISMEMBER', KEYS[1], namespace) == 0 then return {'again'} end
end
local gone = 0
for i = 2, 4 * #ARGV + 5, 4 do gone = gone + redis.call('LLEN', KEYS[i + 1]) end
for _, key in ipairs(KEYS) do redis.call('UNLINK', key) end
return {'ok', gone}
