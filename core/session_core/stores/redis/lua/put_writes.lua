-- Store writes of tasks. One with an index below 0 replaces its older self; others stay.
-- ARGV: ttl, namespace, request {born, checkpoint, sealed, rows, writes}, data of the writes, facts and row of each message
--   (`rows` is the number of the first of these).
--   `sealed` is nothing where the writes say nothing of their own.
--   A write is {task, index, channel, path, number of its data, places of its messages}.
-- Bodies of messages are stored once: field "b" .. digest holds a row, or "#" and its number in the log.
-- Told: whether the session is new.

local TASK, INDEX, CHANNEL, PATH, DATA, SAID = 1, 2, 3, 4, 5, 6
local request = cmsgpack.unpack(ARGV[3])
local state, _, refused = read_state()
if refused then return refused end
local created = not state
state = state or new_state(request.born)
if state.sealed and request.sealed == false then return refusal('sealed') end
state.sealed = state.sealed or request.sealed == true
local messages = given(request.rows)

local bodies = {}
for i, one in ipairs(messages) do
  local digest, id, whole_row = label(one.row)
  bodies[i] = digest
  if redis.call('HEXISTS', VALUES, 'b' .. digest) == 0 then
    local seq = known(id, state.n)[digest]
    if not seq and not whole_row then return refusal('rows') end
    messages[i].body = seq and '#' .. seq or one.row
  end
end
for i, one in ipairs(messages) do
  if one.body then
    redis.call('HSET', VALUES, 'b' .. bodies[i], one.body)
    state.bodies = true
  end
end

local directory = 'w' .. request.checkpoint
local tasks = cmsgpack.unpack(redis.call('HGET', VALUES, directory) or '\144')
for _, write in ipairs(request.writes) do
  local field, known_task = directory .. '\0' .. write[TASK], false
  for _, task in ipairs(tasks) do known_task = known_task or task == write[TASK] end
  if not known_task then table.insert(tasks, write[TASK]) end
  local entries, place = cmsgpack.unpack(redis.call('HGET', VALUES, field) or '\144')
  for i, entry in ipairs(entries) do
    if entry[1] == write[INDEX] then place = i end
  end
  if not place or write[INDEX] < 0 then
    local said = {}
    for i, message in ipairs(write[SAID]) do said[i] = bodies[message] end
    entries[place or #entries + 1] = {write[INDEX], write[CHANNEL], write[PATH], ARGV[write[DATA]], said}
    redis.call('HSET', VALUES, field, cmsgpack.pack(entries))
  end
end
redis.call('HSET', VALUES, directory, cmsgpack.pack(tasks))
return answer({created}, save(state))
