-- The keys of a session among all keys of the server, a step of them. KEYS: any of the session, whose server is asked.
-- ARGV: where the step begins, a pattern, about how many keys of the server it looks at.
-- Reply: where the next step begins, 0 after the last one, and the names.

return redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', ARGV[3])
