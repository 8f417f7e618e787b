-- The ordinary append: a few messages that are new and bring no author and no calls, to a session of which only figures
-- change. What it is not for goes on to append.lua, with nothing written. It is one piece, and stands before what the
-- others share, since making functions and tables is most of what a script takes. It accounts as account.lua does.
-- It answers the state alone, since all messages are new and stand at the end.

local FEW = 8

local function append_plainly()
  local count = (#ARGV - 4) / 2
  local packed = ARGV[4] == '' and count > 0 and count <= FEW and redis.call('HGET', SESSION, 'state')
  if not packed or packed:byte() ~= FORMAT then return nil end
  local _, settled, v, n, turns, tokens, view, largest, ttl, _, first, last, rest = struct.unpack(FIGURES, packed)
  if settled % 2 == 0 or redis.call('LLEN', LOG) ~= n then return nil end

  local rows, fields, changes = {}, {}, {'state', ''}
  for at = 5, #ARGV, 2 do
    local role, whole, price, view_price, time, behind = struct.unpack(FACTS, ARGV[at])
    local _, id, whole_row = label(ARGV[at + 1])
    local bucket, entry = bucket_of(id, n)
    local entries = fields[bucket] or redis.call('HGET', SESSION, bucket) or ''
    n = n + 1
    local splits = n % PER_BUCKET == 0
    local alike = (whole >= 2) == (settled >= 2)
    if behind <= #ARGV[at] or not whole_row or not alike or splits or entries:find(entry, 1, true) then return nil end
    rows[#rows + 1] = ARGV[at + 1]
    fields[bucket] = entries .. entry .. struct.pack('>I4', n)
    if role == USER then turns = turns + 1 end
    tokens, view, largest = tokens + price, view + view_price, math.max(largest, price)
    if time ~= NEVER then
      if first == NEVER then first = time end
      last = time
    end
  end

  changes[2] = struct.pack(FIGURES, FORMAT, settled, v + 1, n, turns, tokens, view, largest, noted_ttl(ttl), now_ms(), first, last)
    .. packed:sub(rest)
  for name, value in pairs(fields) do
    changes[#changes + 1], changes[#changes + 2] = name, value
  end
  redis.call('RPUSH', LOG, unpack(rows))
  local set = redis.pcall('HSET', SESSION, unpack(changes))
  if type(set) ~= 'number' then
    redis.call('RPOP', LOG, #rows)
    return set
  end
  list_namespace()
  renew(ttl)
  return changes[2]
end

local answered = append_plainly()
if answered then return answered end
