-- The keys of a session, and how long they live. MAIN, of a namespace only, is the hash of the session itself.

local SESSION, LOG, CHECKPOINTS, VALUES, NAMESPACES, MAIN = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local TTL_MS, NAMESPACE = tonumber(ARGV[1]), ARGV[2]

-- No key of a session outlives the others: each gets the whole time again, or none has an end. A lease behind them has
-- a time of its own.
local function renew(ttl_before)
  for i = 1, 5 do
    if TTL_MS > 0 then
      redis.call('PEXPIRE', KEYS[i], TTL_MS)
    elseif ttl_before > 0 then
      redis.call('PERSIST', KEYS[i])
    end
  end
end

-- The figure for a state (see fixed.lua): of a time that was taken away the client hears by it, and has renew.lua clear it.
local function noted_ttl(ttl_before) return TTL_MS > 0 and TTL_MS or ttl_before end

-- The session itself counts its namespaces: whoever deletes it sees by that when a server threw the set of them away.
local function list_namespace()
  if NAMESPACE == '' or redis.call('SADD', NAMESPACES, NAMESPACE) == 0 then return end
  redis.call('HINCRBY', MAIN, 'namespaces', 1)
  if TTL_MS > 0 and redis.call('HEXISTS', MAIN, 'state') == 0 then redis.call('PEXPIRE', MAIN, TTL_MS) end
end

local function now_ms()
  local clock = redis.call('TIME')
  return clock[1] * 1000 + math.floor(clock[2] / 1000)
end
