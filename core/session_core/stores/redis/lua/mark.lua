-- Write notes down; an unknown session stays unknown.
-- ARGV: ttl, namespace, request {tier, resumed, away, activate, head}, notice or an empty string.

local request = cmsgpack.unpack(ARGV[3])
local state, _, refused = read_state()
if refused then return refused end
if not state then return {'ok'} end
state.tier = request.tier or state.tier
state.resumed = request.resumed or state.resumed
state.away = request.away or state.away
if request.activate and not same(state.active, state.ready) then
  state.active, state.v = state.ready, state.v + 1
end
if request.head then with_head(state, request.head) end
if ARGV[4] ~= '' then
  local notices = cmsgpack.unpack(redis.call('HGET', SESSION, 'notices') or '\144')
  -- A call that is sent again after a lost answer tells nothing twice.
  if notices[#notices] ~= ARGV[4] then
    table.insert(notices, ARGV[4])
    redis.call('HSET', SESSION, 'notices', cmsgpack.pack(notices))
  end
end
save(state)
return {'ok'}
