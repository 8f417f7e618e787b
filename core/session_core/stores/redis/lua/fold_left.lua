-- Count requests that are not done. KEYS: waiting, urgent, holders. ARGV: a moment, or nothing for now.
-- Reply: the moment, and how many requests up to it are left.

local clock = redis.call('TIME')
local moment = tonumber(ARGV[1]) or clock[1] * 1000 + math.floor(clock[2] / 1000)
local left = redis.call('ZCOUNT', KEYS[1], '-inf', moment) + redis.call('ZCOUNT', KEYS[2], '-inf', moment)
for _, held in ipairs(redis.call('HGETALL', KEYS[3])) do
  local asked = string.match(held, '^%d+ (%d+) %d$')
  if asked and tonumber(asked) <= moment then left = left + 1 end
end
return {string.format('%.0f', moment), left}
