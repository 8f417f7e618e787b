-- An attempt does not count. KEYS: holders, attempts. ARGV: session, token. Reply: whether it was still the token's.

local token = string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '', '^%d+')
if token ~= ARGV[2] then return 0 end
redis.call('HINCRBY', KEYS[2], ARGV[1], -1)
return 1
