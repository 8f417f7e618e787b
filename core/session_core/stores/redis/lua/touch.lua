-- Note in a list of names (sessions of a tenant, or tenants) that one is in use.
-- KEYS: the list. ARGV: ttl, name, XX to note it only if it is listed.
-- A session that was in use within its time was noted within a quarter of it before; what was not noted
-- for twice the time is gone.

local ttl = tonumber(ARGV[1])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
if ARGV[3] == 'XX' then
  redis.call('ZADD', KEYS[1], 'XX', now, ARGV[2])
else
  redis.call('ZADD', KEYS[1], now, ARGV[2])
end
if ttl > 0 then
  redis.call('PEXPIRE', KEYS[1], 2 * ttl)
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 2 * ttl)
elseif redis.call('PTTL', KEYS[1]) >= 0 then
  redis.call('PERSIST', KEYS[1])
end
return {'ok'}
