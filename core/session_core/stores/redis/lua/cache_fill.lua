-- A value for a place. ARGV[3]: the mark it was looked at with, ARGV[4]: head, ARGV[5]: all messages.
-- Answers 1 when it counts.

local place = read()
if not place or place.mark ~= ARGV[3] or place.going_on > 0 then return 0 end
redis.call('DEL', PLACE)
place.valid, place.head, place.parts, place.part = place.mark, ARGV[4], 1, ARGV[5]
save(place)
return 1
