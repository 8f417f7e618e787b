-- All notices of a session, oldest first.

return {'ok', cmsgpack.unpack(redis.call('HGET', KEYS[1], 'notices') or '\144')}
