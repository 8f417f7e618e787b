-- Make a session of all that another holds. KEYS: as for copy_read, of the new one.
-- ARGV: ttl, how the new one is told apart from others; then for the session and for each namespace its name and four
--   lists, each with its length before it. Reply: ok; `there` when there is a session of that name.

local AT_ONCE = 1000
local born = ARGV[2]

-- What stands behind the figures of a state; the name of its beginning is the first of it.
local function rest_of(packed) return cmsgpack.unpack(packed:sub(figures_of(packed).rest)) end

for i = 2, #KEYS, 4 do
  local state = redis.call('HGET', KEYS[i], 'state')
  -- A call that is sent again after a lost answer has made it already.
  if state then return {rest_of(state)[1] == born and 'ok' or 'there'} end
end
local ttl, at = tonumber(ARGV[1]), 3
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function next_argument()
  at = at + 1
  return ARGV[at - 1]
end

local function fill(command, key)
  local length = tonumber(next_argument())
  for from = at, at + length - 1, AT_ONCE do
    redis.call(command, key, unpack(ARGV, from, math.min(from + AT_ONCE, at + length) - 1))
  end
  at = at + length
end

for i = 2, #KEYS, 4 do
  local namespace = next_argument()
  fill('HSET', KEYS[i])
  fill('RPUSH', KEYS[i + 1])
  fill('HSET', KEYS[i + 2])
  fill('HSET', KEYS[i + 3])
  local packed = redis.call('HGET', KEYS[i], 'state')
  if packed then
    local one, rest = figures_of(packed), rest_of(packed)
    rest[1] = born
    local figures = struct.pack(
      FIGURES, FORMAT, packed:byte(2), one.v, one.n, one.turns, one.tokens, one.view, one.largest, ttl, now, one.first,
      one.last
    )
    redis.call('HSET', KEYS[i], 'state', figures .. cmsgpack.pack(rest))
  end
  if namespace ~= '' then redis.call('SADD', KEYS[1], namespace) end
end
if ttl > 0 then
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ttl) end
end
return {'ok'}
