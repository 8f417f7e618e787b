-- For each checkpoint with a list of messages under one of some channels, the first that has one: the part that it is.
-- ARGV: ttl, namespace, channels ... Reply: ok, then ids and packed parts in turn.

local _, _, refused = read_state()
if refused then return refused end
local reply = {'ok'}
for _, id in ipairs(redis.call('HKEYS', CHECKPOINTS)) do
  local versions = versions_of(id)
  for i = 3, #ARGV do
    local version = versions[ARGV[i]]
    local data = version and redis.call('HGET', VALUES, value_field(ARGV[i], version))
    if data and data:sub(1, 1) == 'r' then
      table.insert(reply, id)
      table.insert(reply, data:sub(2))
      break
    end
  end
end
return reply
