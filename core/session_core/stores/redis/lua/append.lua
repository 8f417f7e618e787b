-- Append messages behind the head, all or none; append_one.lua and append_plain.lua stand before this and answer
-- ordinary calls.
-- KEYS: with a lease, one more that is its own. ARGV: ttl, namespace, born, request {expected, revise, lenient, lease} or
--   an empty string for none of these, facts and row of each message.
-- Told: whether the session is new, how many messages are new, their tokens, all numbers.

local request = ARGV[4] ~= '' and cmsgpack.unpack(ARGV[4]) or {}
local state, _, refused = read_state()
if refused then return refused end
local created = not state
state = state or new_state(ARGV[3])
if request.lease and redis.call('HGET', KEYS[#KEYS], 'token') ~= request.lease then return refusal('lease') end

local messages = given(5)
local outcome, why = number(state, messages, request.revise, {}, {})
-- A call that was repeated because its answer got lost finds its own messages, and is no conflict.
local back = outcome and coming_back(state, messages, outcome) or {}
if request.expected and state.v ~= request.expected and (why or #outcome.fresh > 0 or next(back)) then
  return refusal('conflict', state.v)
end
if is_refused(state, messages) then return refusal('sealed') end
if why then return why end

if not request.lenient then
  local waiting = {}
  for _, call in ipairs(state.open) do waiting[call] = true end
  for _, one in ipairs(outcome.fresh) do
    local call = one.facts.call
    if one.facts.role == TOOL and not waiting[call] then return refusal('orphan', call) end
    if call then waiting[call] = nil end
    for _, asked in ipairs(one.facts.calls) do waiting[asked] = true end
  end
end

local tokens, head = state.tokens, next(back) and head_with(state, outcome, back) or grown_head(state.head, outcome)
return whole_or_nothing(function()
  enter(state, outcome)
  if #outcome.fresh > 0 then state.head = head else with_head(state, head) end
  return answer({created, #outcome.fresh, state.tokens - tokens, outcome.seqs}, save(state))
end)
