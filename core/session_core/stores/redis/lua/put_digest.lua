-- Add a digest behind number `expected`, over messages that are there.
-- ARGV: ttl, namespace, request {born, expected, last, figures}, entry as the client made it.

local request = cmsgpack.unpack(ARGV[3])
local state, _, refused = read_state()
if refused then return refused end
if not state or (request.born and state.born ~= request.born) then return refusal('gone') end
if state.ready[1] ~= request.expected then return refusal('digest', state.ready[1]) end
if request.last > state.n then return refusal('shorter', state.n) end
state.ready = request.figures

-- The oldest one that is outlived (see rules.py) makes place for it.
local function greatest_power_in(number)
  local power = 1
  while number % (power * 2) == 0 do power = power * 2 end
  return power
end
for old = 1, state.active[1] - 1 do
  if state.ready[1] - old >= 2 * greatest_power_in(old) and redis.call('HDEL', SESSION, 'd' .. old) == 1 then break end
end
redis.call('HSET', SESSION, 'd' .. state.ready[1], ARGV[4])
save(state)
return {'ok'}
