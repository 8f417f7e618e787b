-- A write is over. ARGV[3]: its name, ARGV[4]: 1 when what stands here is out of date.
-- Answers 1 when nobody else began to write since.

local place, foreign = read()
return finish(place, foreign, ARGV[3], ARGV[4] == '1') and 1 or 0
