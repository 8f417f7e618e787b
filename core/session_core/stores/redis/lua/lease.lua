-- Take the turn of a session, or hold it longer. KEYS: the lease. ARGV: holder, its time, the key's time, both in ms.
-- Reply: ok, token; or nothing while another holder has the turn.
-- The token is the moment of the grant in microseconds, or more: it grows also when the key was gone meanwhile.

local clock = redis.call('TIME')
local moment = clock[1] * 1000000 + clock[2]
local held = redis.call('HMGET', KEYS[1], 'token', 'holder', 'taken', 'ttl')
local token, holder, taken, ttl = tonumber(held[1]), held[2], tonumber(held[3]), tonumber(held[4])

if token and holder ~= ARGV[1] then
  -- A clock that went behind the grant has ended it too.
  if taken <= moment and moment < taken + ttl * 1000 then return false end
  token = math.max(token + 1, moment)
end
token = string.format('%.0f', token or moment)
redis.call('HSET', KEYS[1], 'token', token, 'holder', ARGV[1], 'taken', string.format('%.0f', moment), 'ttl', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {'ok', token}
