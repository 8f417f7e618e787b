-- The namespaces of a session. KEYS: the set of them.

return redis.call('SMEMBERS', KEYS[1])
