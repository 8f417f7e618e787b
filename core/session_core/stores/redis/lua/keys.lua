-- The keys of a session, and how long they live.

local SESSION, LOG, CHECKPOINTS, VALUES, NAMESPACES = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local TTL_MS, NAMESPACE = tonumber(ARGV[1]), ARGV[2]

-- No key of a session outlives the others: each gets the whole time again, or none has an end.
local function renew(ttl_before)
  if TTL_MS > 0 then
    for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, TTL_MS) end
  elseif ttl_before > 0 then
    for _, key in ipairs(KEYS) do redis.call('PERSIST', key) end
  end
end

local function now_ms()
  local clock = redis.call('TIME')
  return clock[1] * 1000 + math.floor(clock[2] / 1000)
end
