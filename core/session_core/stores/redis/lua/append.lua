-- Append messages behind the head, all or none.
-- KEYS: with a lease, a sixth that is its own. ARGV: ttl, namespace, request {born, expected, revise, strict, lease,
--   facts}, rows ...
-- Told: whether the session is new, how many messages are new, their tokens, all numbers.

local request = cmsgpack.unpack(ARGV[3])
local state, _, refused = read_state()
if refused then return refused end
local created = not state
state = state or new_state(request.born)
if request.expected and state.v ~= request.expected then return refusal('conflict', state.v) end

if request.lease and redis.call('HGET', KEYS[6], 'token') ~= request.lease then return refusal('lease') end

local outcome, why = number(state, given(request.facts, 4), request.revise, {}, {})
if why then return why end

if request.strict then
  local waiting = {}
  for _, call in ipairs(state.open) do waiting[call] = true end
  for _, one in ipairs(outcome.fresh) do
    local call = one.facts[CALL]
    if one.facts[ROLE] == 'tool' and not waiting[call] then return refusal('orphan', call) end
    if call then waiting[call] = nil end
    for _, asked in ipairs(one.facts[CALLS]) do waiting[asked] = true end
  end
end

local tokens, head = state.tokens, grown_head(state.head, outcome)
grow(state, outcome)
state.head = head
return answer({created, #outcome.fresh, state.tokens - tokens, outcome.seqs}, save(state))
