-- A write is over and added to the value. ARGV[3]: its name, ARGV[4]: the new head, ARGV[5]: more messages, or ''.
-- Answers 1 when the value counts again.

local place, foreign = read()
local name = ARGV[3]
if not (place and place.valid and place.mark == name and over(place, name)) then
  finish(place, foreign, name, true)
  return 0
end
place.valid, place.head = place.mark, ARGV[4]
if ARGV[5] ~= '' then place.parts, place.part = place.parts + 1, ARGV[5] end
save(place)
return 1
