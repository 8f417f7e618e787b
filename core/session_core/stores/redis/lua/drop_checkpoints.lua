-- Remove checkpoints, their writes, and the values and bodies that nothing else names any more.
-- ARGV: ttl, namespace, request {expected, head, ids, children, parents}. Of `children` each gets the parent at the same
--   place, or none where that is an empty string.

local request = cmsgpack.unpack(ARGV[3])
local state, _, refused = read_state()
if refused then return refused end
if not state then return {'ok'} end
if request.expected and request.expected ~= state.v then return refusal('conflict', state.v) end

local fields, bodies = {}, {}

-- The digests that a task's writes name. A field that is no task's (a checkpoint's list of tasks) names none.
local function digests_in(field, visit)
  for _, write in ipairs(cmsgpack.unpack(redis.call('HGET', VALUES, field) or '\144')) do
    if type(write) == 'table' then
      for _, digest in ipairs(write[5]) do visit(digest) end
    end
  end
end

local function drop_writes(id)
  local directory = 'w' .. id
  for _, task in ipairs(cmsgpack.unpack(redis.call('HGET', VALUES, directory) or '\144')) do
    local field = directory .. '\0' .. task
    digests_in(field, function(digest) bodies[digest] = true end)
    redis.call('HDEL', VALUES, field)
  end
  redis.call('HDEL', VALUES, directory)
end

for _, id in ipairs(request.ids) do
  for channel, version in pairs((versions_of(id))) do fields[value_field(channel, version)] = true end
  drop_writes(id)
  redis.call('HDEL', CHECKPOINTS, id)
end

state.newest = false
for _, id in ipairs(redis.call('HKEYS', CHECKPOINTS)) do
  for channel, version in pairs((versions_of(id))) do fields[value_field(channel, version)] = nil end
  if not state.newest or before_in_bytes(state.newest, id) then state.newest = id end
end
for field in pairs(fields) do redis.call('HDEL', VALUES, field) end

if next(bodies) then
  for _, field in ipairs(redis.call('HKEYS', VALUES)) do
    if field:sub(1, 1) == 'w' then digests_in(field, function(digest) bodies[digest] = nil end) end
  end
  for digest in pairs(bodies) do redis.call('HDEL', VALUES, 'b' .. digest) end
end

for i, id in ipairs(request.children) do
  local _, entry = versions_of(id)
  if entry then
    local from, to = parent_place(entry)
    local parent = request.parents[i]
    redis.call('HSET', CHECKPOINTS, id, entry:sub(1, from - 1) .. struct.pack('>I4', #parent) .. parent .. entry:sub(to))
  end
end

if request.head then with_head(state, request.head) end
save(state)
return {'ok'}
