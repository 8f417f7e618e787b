-- A session's state: a msgpack map in field "state" of its hash, beside digests, notices and the index.
--   born (name of this beginning),
--   v version, n messages (they are numbered 1..n), head, turns, tokens, view, largest, open, authors,
--   first, last (times, absent when unknown), active, ready (figures of digests), tier, resumed, away,
--   newest (checkpoint), bodies (whether bodies wait outside of the log), ttl (of the last write),
--   touched (when that was, in milliseconds of the server's clock).

local SESSION, LOG, CHECKPOINTS, VALUES, NAMESPACES = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local TTL_MS, NAMESPACE = tonumber(ARGV[1]), ARGV[2]
local FORMAT = 1
local FOREVER = 2 ^ 53

local function refusal(kind, detail) return {'refused', kind, detail} end

-- The state, its packed form, and a refusal when the session cannot be worked on. Both keys of a session
-- come and go together; a server that evicts one of them alone has broken the record.
local function read_state()
  local packed = redis.call('HGET', SESSION, 'state')
  local state = packed and cmsgpack.unpack(packed)
  if state and state.f > FORMAT then return nil, nil, refusal('newer', state.f) end
  if redis.call('LLEN', LOG) ~= (state and state.n or 0) then return nil, nil, refusal('partial') end
  return state, packed
end

local function new_state(born)
  return {
    f = FORMAT, born = born, v = 0, n = 0, head = {}, turns = 0, tokens = 0, view = 0, largest = 0, open = {},
    authors = {}, active = {0, 0, 0, 0}, ready = {0, 0, 0, 0}, tier = 0, resumed = 0, away = 0, ttl = 0,
  }
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

-- No key of a session outlives the others: each gets the whole time again, or none has an end.
local function renew(ttl_before)
  if TTL_MS > 0 then
    for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, TTL_MS) end
  elseif ttl_before > 0 then
    for _, key in ipairs(KEYS) do redis.call('PERSIST', key) end
  end
end

-- Write the state and all changed fields, and let the session live on.
local function save(state)
  local ttl_before = state.ttl
  local clock = redis.call('TIME')
  state.ttl, state.touched = TTL_MS, clock[1] * 1000 + math.floor(clock[2] / 1000)
  local packed = cmsgpack.pack(state)
  local pairs_of_fields = {'state', packed}
  for name in pairs(changed) do
    local n = #pairs_of_fields
    pairs_of_fields[n + 1], pairs_of_fields[n + 2] = name, fields[name]
    if n > 1000 then
      redis.call('HSET', SESSION, unpack(pairs_of_fields))
      pairs_of_fields = {'state', packed}
    end
  end
  redis.call('HSET', SESSION, unpack(pairs_of_fields))
  if NAMESPACE ~= '' then redis.call('SADD', NAMESPACES, NAMESPACE) end
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
