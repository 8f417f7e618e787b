-- Hold sessions longer. KEYS: waiting, urgent, taken, workers, holders, attempts, policies of workers.
-- ARGV: worker, ms that it counts as present, ms to hold, policy, ms to keep, and for each session its name and token.
-- Reply: for each whether it is still that worker's. All that is left by this policy is kept as long as it has workers.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZADD', KEYS[4], now + ARGV[2], ARGV[1])
redis.call('ZADD', KEYS[7], now, ARGV[4])
local held = {}
for place = 6, #ARGV, 2 do
  local token = string.match(redis.call('HGET', KEYS[5], ARGV[place]) or '', '^%d+')
  if token == ARGV[place + 1] then redis.call('ZADD', KEYS[3], now + ARGV[3], ARGV[place]) end
  held[#held + 1] = token == ARGV[place + 1] and 1 or 0
end
for place = 1, 7 do redis.call('PEXPIRE', KEYS[place], ARGV[5]) end
return held
