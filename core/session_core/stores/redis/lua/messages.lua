-- How a message comes: as facts, which Lua must know, and as the row that stands in the log.
--   facts: role (its first letter), whether it is whole (1 or 0), tokens, view tokens, time (infinite when unknown), and
--     then, packed, where there is any of them, {author, id of the call that it answers, ids of the calls that it makes}
--   row: format (1 byte), content digest (16), length of the id (1, or 255 and 4 more), id as the client packs it,
--     everything else as the client made it; one that ends behind its id stands for a row that the client believes to
--     be in the record

local FACTS = '>c1BI4I4d'
local USER, TOOL = 'u', 't'

local function label(row)
  local length, from = row:byte(18), 19
  if length == 255 then length, from = struct.unpack('>I4', row, 19), 23 end
  return row:sub(2, 17), row:sub(from, from + length - 1), #row >= from + length
end

-- The index from ids to numbers: entries of 8 bytes (hash of the id, number) in buckets that are split one by one as
-- the record grows (linear hashing), so that a lookup costs the same at any age.
local PER_BUCKET = 32

local function bucket_count(messages) return math.max(1, math.floor(messages / PER_BUCKET)) end

-- The greatest power of two that is not above `count`.
local function level_of(count)
  local _, exponent = math.frexp(count)
  return math.ldexp(1, exponent - 1)
end

-- The field of a bucket for an id while there are so many messages, and how the entries of the id begin.
local function bucket_of(id, messages)
  local hash, count = redis.sha1hex(id):sub(1, 8), bucket_count(messages)
  hash = tonumber(hash, 16)
  local level = level_of(count)
  local place = hash % (level * 2)
  return 'i' .. (place < count and place or place - level), struct.pack('>I4', hash)
end
