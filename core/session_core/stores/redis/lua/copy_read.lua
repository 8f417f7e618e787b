-- All that a session holds, if its namespaces are those the client knows of.
-- KEYS: the set of namespaces, then four keys (state, log, checkpoints, values) for the session and for each namespace.
-- ARGV: the namespaces of the set. Reply: ok, then for each four lists, as they stand; `again` when a namespace came or
-- went meanwhile.

if redis.call('SCARD', KEYS[1]) ~= #ARGV then return {'again'} end
for _, namespace in ipairs(ARGV) do
  if redis.call('SISMEMBER', KEYS[1], namespace) == 0 then return {'again'} end
end
local reply = {'ok'}
for i = 2, #KEYS, 4 do
  table.insert(reply, redis.call('HGETALL', KEYS[i]))
  table.insert(reply, redis.call('LRANGE', KEYS[i + 1], 0, -1))
  table.insert(reply, redis.call('HGETALL', KEYS[i + 2]))
  table.insert(reply, redis.call('HGETALL', KEYS[i + 3]))
end
return reply
