-- Put values in the place of others, each only while that one stands there. Nothing else of the session changes, its
-- time to live neither.
-- ARGV: ttl, namespace, kind (as for rewrite_read, or authors), then for each value: place, SHA-1 of the old value,
--   new value. A place is the number of a message or a notice, a field, or for writes packed {directory, task, index};
--   authors stand for one value, their packed list is its place.
-- Reply: ok, then for each value, in order, 1 when it was replaced.

local state, _, refused = read_state()
if refused then return refused end
local kind, reply = ARGV[3], {'ok'}
local hashes = {session = SESSION, checkpoints = CHECKPOINTS, values = VALUES}

-- What is inside of a packed list: put(list, place, was, new) says whether it changed something.
local function within_packed(field, key, put)
  local packed = redis.call('HGET', key, field)
  local list = packed and cmsgpack.unpack(packed)
  if not list or not put(list) then return false end
  redis.call('HSET', key, field, cmsgpack.pack(list))
  return true
end

local put = {}

function put.log(place, was, new)
  local old = redis.call('LINDEX', LOG, place - 1)
  if not old or redis.sha1hex(old) ~= was then return false end
  redis.call('LSET', LOG, place - 1, new)
  return true
end

function put.notices(place, was, new)
  return within_packed('notices', SESSION, function(notices)
    local old = notices[tonumber(place)]
    if not old or redis.sha1hex(old) ~= was then return false end
    notices[tonumber(place)] = new
    return true
  end)
end

function put.writes(place, was, new)
  local directory, task, index = unpack(cmsgpack.unpack(place))
  return within_packed(directory .. '\0' .. task, VALUES, function(writes)
    for _, write in ipairs(writes) do
      if write[1] == index and redis.sha1hex(write[4]) == was then
        write[4] = new
        return true
      end
    end
    return false
  end)
end

function put.authors(place, _, new)
  if not state or not same(state.authors, cmsgpack.unpack(place)) then return false end
  state.authors = cmsgpack.unpack(new)
  redis.call('HSET', SESSION, 'state', packed_state(state))
  return true
end

local function put_field(place, was, new)
  local old = redis.call('HGET', hashes[kind], place)
  if not old or redis.sha1hex(old) ~= was then return false end
  redis.call('HSET', hashes[kind], place, new)
  return true
end

for at = 4, #ARGV, 3 do
  local done = (put[kind] or put_field)(ARGV[at], ARGV[at + 1], ARGV[at + 2])
  table.insert(reply, done and 1 or 0)
end
return reply
