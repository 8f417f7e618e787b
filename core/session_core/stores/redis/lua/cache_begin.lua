-- A write begins. ARGV[3]: its name, ARGV[4]: how long it may take. Answers the head, if it counted until now.

local place, foreign = read()
if foreign then redis.call('DEL', PLACE) end
place = place or new(ARGV[3])
local head = counts(place) and redis.call('HGET', PLACE, 'h')
place.mark = ARGV[3]
start(place, ARGV[3], tonumber(ARGV[4]))
save(place)
return head
