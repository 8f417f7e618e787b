-- The requests by one policy. KEYS: waiting, urgent, taken, workers, holders.
-- Reply: how many workers are present, how many sessions wait, how many are at work, ms since the oldest request.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local oldest = now
for place = 1, 2 do
  local first = redis.call('ZRANGE', KEYS[place], 0, 0, 'WITHSCORES')
  if first[2] then oldest = math.min(oldest, first[2]) end
end
for _, held in ipairs(redis.call('HGETALL', KEYS[5])) do
  local asked = string.match(held, '^%d+ (%d+) %d$')
  if asked then oldest = math.min(oldest, asked) end
end
local waiting = redis.call('ZCARD', KEYS[1]) + redis.call('ZCARD', KEYS[2])
return {redis.call('ZCOUNT', KEYS[4], '(' .. now, '+inf'), waiting, redis.call('ZCARD', KEYS[3]), now - oldest}
