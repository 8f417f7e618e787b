-- What stands at a place. ARGV[3]: 1 to be given also a value that does not count.
-- Answers the mark, whether no write is going on, and all fields, or nothing when there is no value to give.

local place, foreign = read()
if foreign then return {'', 0} end
place = place or new(FRESH)
if place.changed then save(place) else renew(place) end
local quiet = place.going_on == 0 and 1 or 0
if counts(place) or (place.valid and ARGV[3] == '1') then
  return {place.mark, quiet, redis.call('HGETALL', PLACE)}
end
return {place.mark, quiet}
