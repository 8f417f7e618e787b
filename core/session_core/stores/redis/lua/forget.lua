-- Take names off a list (see touch.lua) that were not noted after a moment: what came back since stays.
-- KEYS: the list. ARGV: the moment in milliseconds, by the server's clock or, below 0, so long ago; names ...

local moment = tonumber(ARGV[1])
if moment < 0 then
  local clock = redis.call('TIME')
  moment = clock[1] * 1000 + math.floor(clock[2] / 1000) + moment
end
for i = 2, #ARGV do
  local noted = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if noted and tonumber(noted) <= moment then redis.call('ZREM', KEYS[1], ARGV[i]) end
end
return {'ok'}
