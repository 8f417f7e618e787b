-- Looking ids up in the index, and putting them there (see fixed.lua).

local function split(count)
  local level = level_of(count)
  local from = 'i' .. (count - level)
  local entries, stay, go = get_field(from), {}, {}
  for at = 1, #entries, 8 do
    local moves = place_of(entries:sub(at, at + 3), level) == count
    table.insert(moves and go or stay, entries:sub(at, at + 7))
  end
  set_field(from, table.concat(stay))
  set_field('i' .. count, table.concat(go))
end

local function put_in_index(id, seq)
  local before = bucket_count(seq - 1)
  if bucket_count(seq) > before then split(before) end
  local bucket, entry = bucket_of(id, seq)
  set_field(bucket, get_field(bucket) .. entry .. struct.pack('>I4', seq))
end

-- For an id: the digests that the record has under it, each with its number.
local function known(id, messages)
  local bucket, wanted = bucket_of(id, messages)
  local entries, under, at = get_field(bucket), {}, 1
  while true do
    local found = entries:find(wanted, at, true)
    if not found then return under end
    at = found + 1
    if found % 8 == 1 then
      local seq = struct.unpack('>I4', entries, found + 4)
      local digest, name = label(redis.call('LINDEX', LOG, seq - 1))
      if name == id then under[digest] = seq end
    end
  end
end
