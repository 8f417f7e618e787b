-- What a checkpoint has: channels and values in turn, and writes {task, index, channel, path, data, rows}; with `wanted`
-- only of the channels that are keys of it.

local function body(digest)
  local row = redis.call('HGET', VALUES, 'b' .. digest)
  return row:sub(1, 1) == '#' and redis.call('LINDEX', LOG, tonumber(row:sub(2)) - 1) or row
end

local function values_of(versions, wanted)
  local values = {}
  for channel, version in pairs(versions) do
    local data = (not wanted or wanted[channel]) and redis.call('HGET', VALUES, value_field(channel, version))
    if data then
      table.insert(values, channel)
      table.insert(values, data)
    end
  end
  return values
end

local function writes_of(id, wanted)
  local writes = {}
  for _, task in ipairs(cmsgpack.unpack(redis.call('HGET', VALUES, 'w' .. id) or '\144')) do
    for _, write in ipairs(cmsgpack.unpack(redis.call('HGET', VALUES, 'w' .. id .. '\0' .. task))) do
      local index, channel, path, data, said = unpack(write)
      if not wanted or wanted[channel] then
        local rows = {}
        for i, digest in ipairs(said) do rows[i] = body(digest) end
        table.insert(writes, {task, index, channel, path, data, rows})
      end
    end
  end
  return writes
end
