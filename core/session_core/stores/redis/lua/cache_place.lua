-- One place of a cache: a hash and nothing beside it, so that a server that evicts takes all of it.
--   f format, r the server's history, k mark, v the mark that the value had (absent without a value), h head,
--   n how many parts of messages there are, 1..n the parts, w the writes that go on: name to {begun, lasts}.
-- Times are milliseconds by this server's clock.
-- KEYS: the place. ARGV: its time to live, a mark that nobody has used, and what the script asks for.

local PLACE, TTL, FRESH = KEYS[1], tonumber(ARGV[1]), ARGV[2]
local FORMAT = '1'
local clock = redis.call('TIME')
local NOW = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- A server that was restarted, or a replica that takes over, may hold what was true a while ago and lack the
-- writes since. It then tells another id of its history; what stands here from an earlier one never counts.
local HISTORY = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
if not HISTORY then error('INFO tells no master_replid') end

-- The place, nil when there is none, and whether another release wrote it.
local function read()
  local found = redis.call('HMGET', PLACE, 'f', 'r', 'k', 'v', 'n', 'w')
  if not found[1] then return nil, redis.call('EXISTS', PLACE) == 1 end
  if found[1] ~= FORMAT then return nil, true end
  local place = {mark = found[3], valid = found[4], parts = tonumber(found[5]), writes = {}, going_on = 0, longest = 0}
  for name, write in pairs(found[6] and cmsgpack.unpack(found[6]) or {}) do
    -- A write cannot have begun later than now: the clock went back.
    if write[1] > NOW then write[1], place.changed = NOW, true end
    local left = write[1] + write[2] - NOW
    if left <= 0 then
      place.changed = true
    else
      place.writes[name], place.going_on = write, place.going_on + 1
      place.longest = math.max(place.longest, left)
    end
  end
  if found[2] ~= HISTORY then place.mark, place.valid, place.changed, place.stale = FRESH, false, true, true end
  return place, false
end

local function new(mark)
  return {mark = mark, valid = false, parts = 0, writes = {}, going_on = 0, longest = 0, changed = true, stale = true}
end

local function counts(place) return place.valid == place.mark and place.going_on == 0 end

local function renew(place) redis.call('PEXPIRE', PLACE, math.max(TTL, place.longest)) end

-- Without a value the hash is made anew, which takes the old one's messages away.
local function save(place)
  if not place.valid and (place.parts > 0 or place.stale) then
    redis.call('DEL', PLACE)
    place.parts = 0
  end
  local fields = {'f', FORMAT, 'r', HISTORY, 'k', place.mark, 'n', place.parts}
  local function set(name, value)
    fields[#fields + 1], fields[#fields + 2] = name, value
  end
  if place.valid then set('v', place.valid) end
  if place.head then set('h', place.head) end
  if place.part then set(place.parts, place.part) end
  if place.going_on > 0 then set('w', cmsgpack.pack(place.writes)) else redis.call('HDEL', PLACE, 'w') end
  redis.call('HSET', PLACE, unpack(fields))
  renew(place)
end

-- Take a write out; whether it was going on.
local function over(place, name)
  if not place.writes[name] then return false end
  place.writes[name] = nil
  place.going_on, place.longest = place.going_on - 1, 0
  for _, write in pairs(place.writes) do
    place.longest = math.max(place.longest, write[1] + write[2] - NOW)
  end
  return true
end

local function start(place, name, lasts)
  over(place, name)
  place.writes[name] = {NOW, lasts}
  place.going_on, place.longest = place.going_on + 1, math.max(place.longest, lasts)
end

-- A write is over that adds nothing here; with `discard` the value goes, and so does the mark: who looked before
-- and has not filled yet must find another one, or none. Whether nobody else began to write since.
local function finish(place, foreign, name, discard)
  if not place then
    if foreign and discard then redis.call('DEL', PLACE) end
    return false
  end
  local alone = over(place, name) and place.mark == name
  if discard then place.mark, place.valid = FRESH, false end
  if place.going_on == 0 and not place.valid then redis.call('DEL', PLACE) else save(place) end
  return alone
end
