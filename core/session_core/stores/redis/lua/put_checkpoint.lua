-- Store a checkpoint and the values of its changed channels; new messages in them go into the record.
-- KEYS: with a lease, one more that is its own.
-- ARGV: ttl, namespace, request {born, was_born, named, id, parent, head, merge, lease, follows, sealed, rows, values}, entry, plain
--   values, facts and row of each message (`rows` is the number of the first of these). A value is {channel, version} and `data` (the number of an
--   argument), or `items` (places among the messages, or ranges) with `base`, `base_version`, `hidden` and `results` (for each
--   of its messages whether it is one), or neither: then it goes.
-- Told: whether the session is new, how many messages are new, their tokens.

local request = cmsgpack.unpack(ARGV[3])
local state, _, refused = read_state()
if refused then return refused end
if not all_there(state) then return refusal('partial') end
if request.lease and redis.call('HGET', KEYS[#KEYS], 'token') ~= request.lease then return refusal('lease') end
local newest = state and state.newest or nil
-- One that is stored already is put again because an answer got lost.
if request.follows and newest ~= request.parent and redis.call('HEXISTS', CHECKPOINTS, request.id) == 0 then
  return refusal('moved', newest)
end
if request.was_born and not (state and state.born == request.was_born and state.n >= request.named) then
  return refusal('gone')
end
local created = not state
state = state or new_state(request.born)
local messages, seen = given(request.rows), {}
if state.sealed and not request.sealed then return refusal('sealed') end
state.sealed = request.sealed or state.sealed
if rows_missing(state, messages, seen) then return refusal('rows') end
local messages_before, tokens_before = state.n, state.tokens

local function kept(value, before)
  local mine = {}
  for _, item in ipairs(value.items) do
    if type(item) == 'number' then table.insert(mine, messages[item]) end
  end
  local outcome = number(state, mine, true, seen, made_of(value, before))
  enter(state, outcome)
  return part_of(value, outcome, before, value.channel == request.head), outcome
end

-- What a channel was at the parent: its version (a number, or a text behind a "t"), and its part.
local function at_parent(channel)
  local versions, _, numbers = versions_of(request.parent)
  local version = versions[channel]
  local data = version and redis.call('HGET', VALUES, value_field(channel, version))
  return {
    version = version and (numbers[channel] or 't' .. version),
    part = data and data:sub(1, 1) == 'r' and cmsgpack.unpack(data:sub(2)) or {},
  }
end

local function put()
  for _, value in ipairs(request.values) do
    local field, data = value_field(value.channel, value.version), value.data and ARGV[value.data]
    if value.items then
      local before = at_parent(value.channel)
      local part, outcome = kept(value, before)
      data = 'r' .. cmsgpack.pack(part)
      if value.channel == request.head then
        with_head(state, request.merge and head_after(state.head, part, before.part, value.base, answers(value, outcome)) or part)
      end
    end
    if data then
      redis.call('HSET', VALUES, field, data)
    else
      redis.call('HDEL', VALUES, field)
    end
  end
  redis.call('HSET', CHECKPOINTS, request.id, ARGV[4])
  redis.call('HSET', VALUES, KEPT, '')
  if not state.newest or before_in_bytes(state.newest, request.id) then state.newest = request.id end
  return answer({created, state.n - messages_before, state.tokens - tokens_before}, save(state))
end

return whole_or_nothing(put)
