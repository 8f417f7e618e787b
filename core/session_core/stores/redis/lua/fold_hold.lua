-- Hold sessions longer. KEYS: taken, workers, holders. ARGV: worker, ms that it counts as present, ms to hold, and for
-- each session its name and token. Reply: for each whether it is still that worker's.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[1])
local held = {}
for place = 4, #ARGV, 2 do
  local token = string.match(redis.call('HGET', KEYS[3], ARGV[place]) or '', '^%d+')
  if token == ARGV[place + 1] then redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[place]) end
  held[#held + 1] = token == ARGV[place + 1] and 1 or 0
end
return held
