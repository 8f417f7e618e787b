-- Take the next session to fold. KEYS: waiting, urgent, taken, workers, holders, attempts, policies of workers.
-- ARGV: worker, ms that it counts as present, ms that it holds the session unless it says more, policy, ms to keep.
-- Reply: session, token, ms since the request, number of this attempt; or nothing.
-- The token is the moment in microseconds, or more, so that it is new after a loss of data too.
-- The oldest urgent one, else the oldest; none that is at work. Those of workers that fell silent wait again.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZADD', KEYS[4], now + ARGV[2], ARGV[1])
redis.call('ZADD', KEYS[7], now, ARGV[4])

for _, session in ipairs(redis.call('ZRANGE', KEYS[3], '-inf', now, 'BYSCORE', 'LIMIT', 0, 100)) do
  local asked, urgent = string.match(redis.call('HGET', KEYS[5], session) or '', '^%d+ (%d+) (%d)$')
  if asked then
    if urgent == '1' or redis.call('ZSCORE', KEYS[2], session) then
      redis.call('ZADD', KEYS[2], 'LT', asked, session)
      redis.call('ZREM', KEYS[1], session)
    else
      redis.call('ZADD', KEYS[1], 'LT', asked, session)
    end
  else
    redis.call('HDEL', KEYS[6], session)
  end
  redis.call('HDEL', KEYS[5], session)
  redis.call('ZREM', KEYS[3], session)
end

local at_work = redis.call('ZCARD', KEYS[3])
for place = 2, 1, -1 do
  for _, session in ipairs(redis.call('ZRANGE', KEYS[place], 0, at_work)) do
    if not redis.call('ZSCORE', KEYS[3], session) then
      local asked = tonumber(redis.call('ZSCORE', KEYS[place], session))
      local token = math.max(clock[1] * 1000000 + clock[2], tonumber(redis.call('HGET', KEYS[5], '') or 0) + 1)
      token = string.format('%.0f', token)
      local attempt = redis.call('HINCRBY', KEYS[6], session, 1)
      redis.call('HSET', KEYS[5], session, string.format('%s %.0f %d', token, asked, place - 1), '', token)
      redis.call('ZADD', KEYS[3], now + ARGV[3], session)
      redis.call('ZREM', KEYS[place], session)
      for each = 1, 7 do redis.call('PEXPIRE', KEYS[each], ARGV[5]) end
      return {session, token, math.max(now - asked, 0), attempt}
    end
  end
end
return false
