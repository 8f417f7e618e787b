-- Reading and writing a session's state (see fixed.lua), and the fields of its hash that a script changes.

local REST = {
  'born', 'head', 'open', 'authors', 'active', 'ready', 'tier', 'resumed', 'away', 'newest', 'bodies',
}

local function refusal(kind, detail) return {'refused', kind, detail} end

-- The state, its packed form, and a refusal when the session cannot be worked on. Both keys of a session come and go
-- together; a server that evicts one of them alone has broken the record.
local function read_state()
  local packed = redis.call('HGET', SESSION, 'state')
  local state = packed and figures_of(packed)
  if state and state.f ~= FORMAT then return nil, nil, refusal('newer', state.f) end
  if redis.call('LLEN', LOG) ~= (state and state.n or 0) then return nil, nil, refusal('partial') end
  if not state then return nil end
  for i, value in ipairs(cmsgpack.unpack(packed:sub(state.rest))) do state[REST[i]] = value end
  local last = #state.head
  if state.head[last] == 0 then state.head[last] = state.n end
  return state, packed
end

local function new_state(born)
  return {
    f = FORMAT, born = born, v = 0, n = 0, head = {}, turns = 0, tokens = 0, view = 0, largest = 0, open = {},
    authors = {}, active = {0, 0, 0, 0}, ready = {0, 0, 0, 0}, tier = 0, resumed = 0, away = 0, ttl = 0,
    first = NEVER, last = NEVER, newest = false, bodies = false, sealed = false,
  }
end

-- Whether an append behind the head changes figures only: the head ends with the newest message, no digest waits for
-- the next turn, and no body outside of the log can turn out to be the one of a new message.
local function is_settled(state)
  return state.head[#state.head] == state.n and state.ready[1] == state.active[1] and not state.bodies
end

local function packed_state(state)
  local rest, head, last = {}, state.head, #state.head
  local ends_with = head[last]
  if ends_with == state.n then head[last] = 0 end
  for i, name in ipairs(REST) do rest[i] = state[name] end
  local packed = cmsgpack.pack(rest)
  head[last] = ends_with
  return struct.pack(
    FIGURES, FORMAT, (is_settled(state) and 1 or 0) + (state.sealed and 2 or 0), state.v, state.n, state.turns, state.tokens, state.view,
    state.largest, state.ttl, state.touched, state.first, state.last
  ) .. packed
end

-- Fields of the session's hash that were read, and those of them that changed, to be written in one go.
local fields, changed = {}, {}

local function get_field(name)
  local value = fields[name]
  if not value then
    value = redis.call('HGET', SESSION, name) or ''
    fields[name] = value
  end
  return value
end

local function set_field(name, value)
  fields[name] = value
  changed[name] = true
end

-- How many rows this script put into the log that the saved state does not count yet.
local uncounted = 0

-- Write the state and all changed fields, and let the session live on.
local function save(state)
  local ttl_before = state.ttl
  state.ttl, state.touched = noted_ttl(ttl_before), now_ms()
  local packed = packed_state(state)
  local pairs_of_fields = {'state', packed}
  for name in pairs(changed) do
    local n = #pairs_of_fields
    pairs_of_fields[n + 1], pairs_of_fields[n + 2] = name, fields[name]
    if n > 1000 then
      redis.call('HSET', SESSION, unpack(pairs_of_fields))
      pairs_of_fields, uncounted = {'state', packed}, 0
    end
  end
  redis.call('HSET', SESSION, unpack(pairs_of_fields))
  uncounted = 0
  list_namespace()
  renew(ttl_before)
  return packed
end

-- An answer with the state: length of what is told (4 bytes), what is told, state.
local function answer(told, packed)
  local head = cmsgpack.pack(told)
  return struct.pack('>I4', #head) .. head .. packed
end

local function with_head(state, head)
  if same(head, state.head) then return end
  state.head, state.v = head, state.v + 1
end
