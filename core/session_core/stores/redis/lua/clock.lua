-- The server's clock. KEYS: any, whose server is asked. Reply: milliseconds since the epoch.

local clock = redis.call('TIME')
return clock[1] * 1000 + math.floor(clock[2] / 1000)
