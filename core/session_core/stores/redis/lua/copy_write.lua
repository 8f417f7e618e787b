-- Make a session of all that another holds. KEYS: as for copy_read, of the new one.
-- ARGV: ttl, how the new one is told apart from others; then for the session and for each namespace its name and four
--   lists, each with its length before it. Reply: ok; `there` when there is a session of that name.

local AT_ONCE = 1000
local born = ARGV[2]
for i = 2, #KEYS, 4 do
  local state = redis.call('HGET', KEYS[i], 'state')
  -- A call that is sent again after a lost answer has made it already.
  if state then return {cmsgpack.unpack(state).born == born and 'ok' or 'there'} end
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
    local state = cmsgpack.unpack(packed)
    state.born, state.ttl, state.touched = born, ttl, now
    redis.call('HSET', KEYS[i], 'state', cmsgpack.pack(state))
  end
  if namespace ~= '' then redis.call('SADD', KEYS[1], namespace) end
end
if ttl > 0 then
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ttl) end
end
return {'ok'}
