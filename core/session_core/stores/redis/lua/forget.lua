-- Take names off a list (see touch.lua): what was noted again since stays.
-- KEYS: the list. ARGV: for how long, in milliseconds, nobody may have noted a name of what never ends; or an empty string,
--   and behind each name the score that it had; names ...

local function forget(name, is_old)
  local noted = tonumber(redis.call('ZSCORE', KEYS[1], name) or nil)
  if noted and is_old(noted) then redis.call('ZREM', KEYS[1], name) end
end

if ARGV[1] == '' then
  for i = 2, #ARGV, 2 do
    local had = tonumber(ARGV[i + 1])
    forget(ARGV[i], function(noted) return noted == had end)
  end
else
  local clock = redis.call('TIME')
  local moment = clock[1] * 1000 + math.floor(clock[2] / 1000) - tonumber(ARGV[1])
  for i = 2, #ARGV do
    forget(ARGV[i], function(noted) return noted < 0 and -noted <= moment end)
  end
end
return {'ok'}
