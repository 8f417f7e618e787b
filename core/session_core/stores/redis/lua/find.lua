-- The version of a message that the head holds, or else the newest.
-- ARGV: ttl, namespace, id. Reply: number, row; or nothing.

local state, _, refused = read_state()
if refused then return refused end
local seq = state and version_in(known(ARGV[3], state.n), state.head)
return seq and {'ok', seq, redis.call('LINDEX', LOG, seq - 1)}
