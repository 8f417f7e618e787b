-- A session is folded. KEYS: taken, holders, attempts. ARGV: session, token. Reply: whether it was still the token's.

local token = string.match(redis.call('HGET', KEYS[2], ARGV[1]) or '', '^%d+')
if token ~= ARGV[2] then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
return 1
