-- What comes with a message, and the index of ids (see fixed.lua).

local function label(row)
  local length, from = row:byte(18), 19
  if length == 255 then length, from = struct.unpack('>I4', row, 19), 23 end
  return row:sub(2, 17), row:sub(from, from + length - 1), #row >= from + length
end

local function bucket_count(messages) return math.max(1, math.floor(messages / PER_BUCKET)) end

-- The greatest power of two that is not above `count`.
local function level_of(count)
  local _, exponent = math.frexp(count)
  return math.ldexp(1, exponent - 1)
end

-- Where entries that begin with so many stand. Ids that a session gave are counted up, by a process that may have many
-- sessions: the fraction, of the golden section, spreads numbers at any distance from each other.
local function place_of(begin, level)
  return math.floor(struct.unpack('>I4', begin) * SPREAD) % (level * 2)
end

-- The field of a bucket for an id while there are so many messages, and how the entries of the id begin: with the end of
-- an id that a session gave, else with the hash of the id.
local function bucket_of(id, messages)
  local begin
  if #id == 9 and id:byte() == GIVEN then
    begin = id:sub(6)
  else
    begin = struct.pack('>I4', tonumber(redis.sha1hex(id):sub(1, 8), 16))
  end
  local count = bucket_count(messages)
  local level = level_of(count)
  local place = place_of(begin, level)
  return 'i' .. (place < count and place or place - level), begin
end
