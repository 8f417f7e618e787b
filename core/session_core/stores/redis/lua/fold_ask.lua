-- Request a fold. KEYS: waiting, urgent, taken, workers, policies that were asked for.
-- ARGV: session, whether it is urgent, policy, ms to keep.
-- Reply: how many sessions wait or are at work; nothing, and nothing is queued, if no worker has been seen lately.
-- A session that waits keeps its place. One that is at work waits again: its fold may have read the record already.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZADD', KEYS[5], now, ARGV[3])
redis.call('PEXPIRE', KEYS[5], ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now)
if redis.call('ZCARD', KEYS[4]) == 0 then return false end
if ARGV[2] == '1' then
  redis.call('ZADD', KEYS[2], 'NX', redis.call('ZSCORE', KEYS[1], ARGV[1]) or now, ARGV[1])
  redis.call('ZREM', KEYS[1], ARGV[1])
elseif not redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  redis.call('ZADD', KEYS[1], 'NX', now, ARGV[1])
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return redis.call('ZCARD', KEYS[1]) + redis.call('ZCARD', KEYS[2]) + redis.call('ZCARD', KEYS[3])
