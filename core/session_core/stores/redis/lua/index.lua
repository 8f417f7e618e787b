-- Rows, and the index from their ids to their numbers. A row of the log is
--   format (1 byte), content digest (16), length of the id (1, or 255 and 4 more), id as the client packs
--   it, everything else as the client made it.
-- A row that ends behind its id stands for one the client believes to be in the record.

local function label(row)
  local length, from = row:byte(18), 19
  if length == 255 then length, from = struct.unpack('>I4', row, 19), 23 end
  return row:sub(2, 17), row:sub(from, from + length - 1), #row >= from + length
end

-- Entries of 8 bytes (hash of the id, number) stand in buckets that are split one by one as the record grows (linear
-- hashing), so that a lookup costs the same at any age.
local PER_BUCKET = 32

local function bucket_count(messages) return math.max(1, math.floor(messages / PER_BUCKET)) end

-- The greatest power of two that is not above `count`.
local function level_of(count)
  local _, exponent = math.frexp(count)
  return math.ldexp(1, exponent - 1)
end

local function bucket_of(hash, count)
  local level = level_of(count)
  local place = hash % (level * 2)
  return 'i' .. (place < count and place or place - level)
end

local function split(count)
  local level = level_of(count)
  local from = 'i' .. (count - level)
  local entries, stay, go = get_field(from), {}, {}
  for at = 1, #entries, 8 do
    local moves = struct.unpack('>I4', entries, at) % (level * 2) == count
    table.insert(moves and go or stay, entries:sub(at, at + 7))
  end
  set_field(from, table.concat(stay))
  set_field('i' .. count, table.concat(go))
end

local function hash_of(id) return tonumber(redis.sha1hex(id):sub(1, 8), 16) end

local function put_in_index(id, seq)
  local before, count, hash = bucket_count(seq - 1), bucket_count(seq), hash_of(id)
  if count > before then split(before) end
  local bucket = bucket_of(hash, count)
  set_field(bucket, get_field(bucket) .. struct.pack('>I4I4', hash, seq))
end

-- For an id: the digests that the record has under it, each with its number.
local function known(id, messages)
  local hash, under = hash_of(id), {}
  local entries = get_field(bucket_of(hash, bucket_count(messages)))
  local wanted, at = struct.pack('>I4', hash), 1
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
