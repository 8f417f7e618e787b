-- A checkpoint with its values and writes. ARGV: ttl, namespace, id or an empty string for the newest.
-- Reply: ok, id, entry, channels and values in turn, writes {task, index, channel, path, data, rows};
--   or nothing at all.

local state, _, refused = read_state()
if refused then return refused end
local id = ARGV[3] ~= '' and ARGV[3] or state and state.newest
local versions, entry = versions_of(id)
if not entry then return false end

local values = {}
for channel, version in pairs(versions) do
  local data = redis.call('HGET', VALUES, value_field(channel, version))
  if data then
    table.insert(values, channel)
    table.insert(values, data)
  end
end

local function body(digest)
  local row = redis.call('HGET', VALUES, 'b' .. digest)
  return row:sub(1, 1) == '#' and redis.call('LINDEX', LOG, tonumber(row:sub(2)) - 1) or row
end

local writes = {}
for _, task in ipairs(cmsgpack.unpack(redis.call('HGET', VALUES, 'w' .. id) or '\144')) do
  for _, write in ipairs(cmsgpack.unpack(redis.call('HGET', VALUES, 'w' .. id .. '\0' .. task))) do
    local index, channel, path, data, said = unpack(write)
    local rows = {}
    for i, digest in ipairs(said) do rows[i] = body(digest) end
    table.insert(writes, {task, index, channel, path, data, rows})
  end
end
return {'ok', id, entry, values, writes}
