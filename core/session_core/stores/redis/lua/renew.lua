-- Give a session with all its namespaces the whole time again, or no end, and note that in their states.
-- KEYS: the set of namespaces, then four keys (state, log, checkpoints, values) for the session and for each namespace.
-- ARGV: ttl.

local ttl = tonumber(ARGV[1])
for _, key in ipairs(KEYS) do
  if ttl > 0 then redis.call('PEXPIRE', key, ttl) else redis.call('PERSIST', key) end
end
for i = 2, #KEYS, 4 do
  local packed = redis.call('HGET', KEYS[i], 'state')
  local noted = packed and with_ttl(packed, ttl)
  if noted ~= packed then redis.call('HSET', KEYS[i], 'state', noted) end
end
return {'ok'}
