-- State, the digest that fits, and the messages that are not under it.
-- ARGV: ttl, namespace, the lineage as packed ranges or an empty string for the head.
-- Reply: ok, state, digest or nothing, ranges of the messages (packed), rows of each range ...
--   or nothing at all when there is no such session.

local state, packed, refused = read_state()
if refused then return refused end
if not state then return false end

local part, newest_digest = state.head, state.active[1]
if ARGV[3] ~= '' then part, newest_digest = cmsgpack.unpack(ARGV[3]), state.ready[1] end
local digest, rest, pinned = false, part, {}
for n = newest_digest, 1, -1 do
  local entry = redis.call('HGET', SESSION, 'd' .. n)
  if entry then
    local length = struct.unpack('>I4', entry)
    local parts = cmsgpack.unpack(entry:sub(5, 4 + length))
    local behind = after(part, parts[1])
    if behind then
      digest, rest, pinned = entry:sub(5 + length), behind, parts[2]
      break
    end
  end
end

-- Not merged: what is pinned may stand right before the rest and still be another range.
local wanted = {}
for _, ranges in ipairs({pinned, rest}) do
  for _, seq in ipairs(ranges) do table.insert(wanted, seq) end
end
local reply = {'ok', packed, digest, cmsgpack.pack(wanted)}
for i = 1, #wanted, 2 do
  table.insert(reply, redis.call('LRANGE', LOG, wanted[i] - 1, wanted[i + 1] - 1))
end
renew(state.ttl)
if noted_ttl(state.ttl) ~= state.ttl then redis.call('HSET', SESSION, 'state', with_ttl(packed, TTL_MS)) end
return reply
