-- Values as they stand: as many as are asked for, less when they are large, but always one.
-- ARGV: ttl, namespace, kind, how many bytes are enough, places of values ...
--   Kind and places: log, numbers of messages; session, checkpoints or values, fields of that hash; notices, a 0;
--   writes, the directories of checkpoints.
-- Reply: ok, then for each place that was read what stands there: a string or nothing; for notices all of them; for a
--   directory {task, index, data} of each write.

local _, _, refused = read_state()
if refused then return refused end
local kind, enough, size, reply = ARGV[3], tonumber(ARGV[4]), 0, {'ok'}
local hashes = {session = SESSION, checkpoints = CHECKPOINTS, values = VALUES}

local function give(value)
  if value then size = size + #value end
  table.insert(reply, value)
end

-- Messages that stand side by side are read together, since a list finds each of its places anew: as many as were read
-- so far, so that no more than twice the bytes that are enough are read.
local function read_log(from)
  local first, last, at = tonumber(ARGV[from]), tonumber(ARGV[from]), from + 1
  while last - first + 1 < #reply and tonumber(ARGV[at]) == last + 1 do
    last, at = last + 1, at + 1
  end
  local rows = redis.call('LRANGE', LOG, first - 1, last - 1)
  for i = 1, last - first + 1 do give(rows[i] or false) end
  return at
end

-- None for a field that only looks like a directory, which holds the writes of a task itself.
local function writes_under(directory)
  local writes, tasks = {}, cmsgpack.unpack(redis.call('HGET', VALUES, directory) or '\144')
  if type(tasks[1]) ~= 'string' then return writes end
  for _, task in ipairs(tasks) do
    for _, write in ipairs(cmsgpack.unpack(redis.call('HGET', VALUES, directory .. '\0' .. task) or '\144')) do
      table.insert(writes, {task, write[1], write[4]})
      size = size + #write[4]
    end
  end
  return writes
end

local at = 5
while at <= #ARGV and size < enough do
  if kind == 'log' then
    at = read_log(at)
  else
    if kind == 'notices' then
      table.insert(reply, cmsgpack.unpack(redis.call('HGET', SESSION, 'notices') or '\144'))
    elseif kind == 'writes' then
      table.insert(reply, writes_under(ARGV[at]))
    else
      give(redis.call('HGET', hashes[kind], ARGV[at]))
    end
    at = at + 1
  end
end
return reply
