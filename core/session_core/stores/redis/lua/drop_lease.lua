-- Give the turn back, if it is still that of the token. KEYS: the lease. ARGV: token.

if redis.call('HGET', KEYS[1], 'token') == ARGV[1] then redis.call('UNLINK', KEYS[1]) end
return {'ok'}
