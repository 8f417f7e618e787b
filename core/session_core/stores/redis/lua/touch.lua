-- Note in a list of names (sessions of a tenant, or tenants) that one is in use.
-- KEYS: the list. ARGV: ttl, name, whether it is the name of a tenant, XX to note it only if it is listed.
-- The score of a name is the moment after which what it names is gone for certain: twice the time to live from now, as what
-- is in use is noted within a quarter of it. What never ends has the moment at which it was noted, less than 0. So names
-- stay as long as what they name, whatever times to live there were.

local list, ttl, name = KEYS[1], tonumber(ARGV[1]), ARGV[2]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local score = ttl > 0 and now + 2 * ttl or -now
local noted = tonumber(redis.call('ZSCORE', list, name) or nil)
if noted or ARGV[4] ~= 'XX' then
  -- A tenant stays as long as the session of it that stays longest.
  if ARGV[3] == '1' and noted and ttl > 0 then score = noted < 0 and -now or math.max(noted, score) end
  redis.call('ZADD', list, score, name)
end
redis.call('ZREMRANGEBYSCORE', list, 0, now)

local first, last = redis.call('ZRANGE', list, 0, 0, 'WITHSCORES'), redis.call('ZRANGE', list, -1, -1, 'WITHSCORES')
if first[2] and tonumber(first[2]) < 0 then
  if redis.call('PTTL', list) >= 0 then redis.call('PERSIST', list) end
elseif last[2] then
  redis.call('PEXPIRE', list, last[2] - now)
end
return {'ok'}
