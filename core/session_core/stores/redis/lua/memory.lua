-- What a server tells of its memory. KEYS: any, whose server is asked.

return redis.call('INFO', 'memory')
