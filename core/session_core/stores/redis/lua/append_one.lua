-- What is appended most: one message, as append_plain.lua has it, to a session that never ends and has no namespace. With
-- as few calls, strings and tables as can be, and before any function is made: that takes a third less time. It answers the
-- state alone. Whoever is not meant goes on behind the loop, with nothing written.

while #ARGV == 6 and ARGV[4] == '' and ARGV[2] == '' and ARGV[1] == '0' do
  local session, log, facts, row, call, unpacked = KEYS[1], KEYS[2], ARGV[5], ARGV[6], redis.call, struct.unpack
  local length = row:byte(18)
  if length == 255 or #row < 19 + length then break end
  local packed = call('HGET', session, 'state')
  if not packed or packed:byte() ~= FORMAT then break end
  local _, settled, v, n, turns, tokens, view, largest, ttl, _, first, last, rest = unpacked(FIGURES, packed)
  local role, whole, price, view_price, time, behind = unpacked(FACTS, facts)
  if settled ~= (whole < 2 and 1 or 3) or ttl > 0 or (n + 1) % PER_BUCKET == 0 or behind <= #facts then break end

  -- As bucket_of and level_of have it.
  local begin, bucket, count = nil, 'i0', math.floor(n / PER_BUCKET)
  if length == 9 and row:byte(19) == GIVEN then
    begin = row:sub(24, 27)
  else
    begin = struct.pack('>I4', tonumber(redis.sha1hex(row:sub(19, 18 + length)):sub(1, 8), 16))
  end
  if count > 1 then
    local _, exponent = math.frexp(count)
    local reach = math.ldexp(1, exponent)
    local place = math.floor(unpacked('>I4', begin) * SPREAD) % reach
    bucket = 'i' .. (place < count and place or place - reach / 2)
  end
  local entries = call('HGET', session, bucket) or ''
  if entries:find(begin, 1, true) then break end

  -- That the log is as long as the state says is known only then; of another one, nothing may change.
  local clock = call('TIME')
  n = n + 1
  if call('RPUSH', log, row) ~= n then
    call('RPOP', log)
    break
  end
  if role == USER then turns = turns + 1 end
  if price > largest then largest = price end
  if time ~= NEVER then
    if first == NEVER then first = time end
    last = time
  end
  local now = clock[1] * 1000 + clock[2] / 1000
  packed = struct.pack(
    FIGURES, FORMAT, settled, v + 1, n, turns, tokens + price, view + view_price, largest, ttl, now, first, last
  ) .. packed:sub(rest)
  local set = redis.pcall('HSET', session, 'state', packed, bucket, entries .. begin .. struct.pack('>I4', n))
  if type(set) == 'number' then return packed end
  call('RPOP', log)
  return set
end
