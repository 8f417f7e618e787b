-- Add a digest behind number `expected`, over messages that are there.
-- ARGV: ttl, namespace, request {born, expected, last, figures}, entry as the client made it.

local request = cmsgpack.unpack(ARGV[3])
local state, _, refused = read_state()
if refused then return refused end
if not state or (request.born and state.born ~= request.born) then return refusal('gone') end
if state.ready[1] ~= request.expected then return refusal('digest', state.ready[1]) end
if request.last > state.n then return refusal('shorter', state.n) end
state.ready = request.figures
redis.call('HSET', SESSION, 'd' .. state.ready[1], ARGV[4])
save(state)
return {'ok'}
