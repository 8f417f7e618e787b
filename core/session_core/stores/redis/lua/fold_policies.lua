-- The policies that were asked for or had workers lately. KEYS: those asked for, those of workers. ARGV: ms to keep.
-- Reply: policy, and ms since it was asked for or -1, for each.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local found, known = {}, {}
for place = 1, 2 do
  redis.call('ZREMRANGEBYSCORE', KEYS[place], '-inf', now - ARGV[1])
  for _, policy in ipairs(redis.call('ZRANGE', KEYS[place], 0, -1)) do
    if not known[policy] then
      known[policy] = true
      local asked = redis.call('ZSCORE', KEYS[1], policy)
      found[#found + 1] = policy
      found[#found + 1] = asked and math.max(0, now - asked) or -1
    end
  end
end
return found
