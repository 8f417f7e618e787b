-- Numbering, indexing and writing of messages. A row of the log is
--   format (1 byte), content digest (16), length of the id (1, or 255 and 4 more), id as the client packs
--   it, everything else as the client made it.
-- A row that ends behind its id stands for one the client believes to be in the record.
-- What Lua must know of a message comes beside the row, as `facts`.

local WHOLE, ROLE, TOKENS, VIEW_TOKENS, TIME, AUTHOR, CALL, CALLS = 1, 2, 3, 4, 5, 6, 7, 8
local PER_BUCKET = 32
local MOST_OPEN_CALLS = 128

local function label(row)
  local length, from = row:byte(18), 19
  if length == 255 then length, from = struct.unpack('>I4', row, 19), 23 end
  return row:sub(2, 17), row:sub(from, from + length - 1), #row >= from + length
end

-- The index from ids to numbers: entries of 8 bytes (hash of the id, number) in buckets that are split one
-- by one as the record grows (linear hashing), so that a lookup costs the same at any age.
local function bucket_count(messages) return math.max(1, math.floor(messages / PER_BUCKET)) end

local function level_of(count)
  local level = 1
  while level * 2 <= count do level = level * 2 end
  return level
end

local function bucket_of(hash, count)
  local level = level_of(count)
  local place = hash % (level * 2)
  return 'i' .. (place < count and place or place - level)
end

local function split(count)
  local level = level_of(count)
  local from = 'i' .. (count - level)
  local entries, stay, go = get_field(from), {}, {}
  for at = 1, #entries, 8 do
    local moves = struct.unpack('>I4', entries, at) % (level * 2) == count
    table.insert(moves and go or stay, entries:sub(at, at + 7))
  end
  set_field(from, table.concat(stay))
  set_field('i' .. count, table.concat(go))
end

local function hash_of(id) return tonumber(redis.sha1hex(id):sub(1, 8), 16) end

local function put_in_index(id, seq)
  local before, count, hash = bucket_count(seq - 1), bucket_count(seq), hash_of(id)
  if count > before then split(before) end
  local bucket = bucket_of(hash, count)
  set_field(bucket, get_field(bucket) .. struct.pack('>I4I4', hash, seq))
end

-- For an id: the digests that the record has under it, each with its number.
local function known(id, messages)
  local hash, under = hash_of(id), {}
  local entries = get_field(bucket_of(hash, bucket_count(messages)))
  local wanted, at = struct.pack('>I4', hash), 1
  while true do
    local found = entries:find(wanted, at, true)
    if not found then return under end
    at = found + 1
    if found % 8 == 1 then
      local seq = struct.unpack('>I4', entries, found + 4)
      local digest, name = label(redis.call('LINDEX', LOG, seq - 1))
      if name == id then under[digest] = seq end
    end
  end
end

-- Of the versions of one message the newest in `lineage`, or the newest of all; nil for none.
local function version_in(under, lineage)
  local newest, best
  for _, seq in pairs(under) do
    if not newest or seq > newest then newest = seq end
    if (not best or seq > best) and within(lineage, seq) then best = seq end
  end
  return best or newest
end

-- Numbers for `messages` (each {facts =, row =}); `seen` keeps lookups, by id; a clip stands for the version
-- in `lineage`. Returns the numbers, for each all numbers under its id, the new ones, and which numbers
-- replace which: {old = {new, ...}}; or nil and a refusal.
local function number(state, messages, revise, seen, lineage)
  local seqs, alike, fresh, instead = {}, {}, {}, {}
  for _, one in ipairs(messages) do
    local digest, id, whole_row = label(one.row)
    local under = seen[id] or known(id, state.n)
    seen[id] = under
    local seq = under[digest] or (not one.facts[WHOLE] and version_in(under, lineage)) or nil
    if not seq then
      if next(under) and not revise then return nil, refusal('duplicate', id) end
      if not whole_row then return nil, refusal('rows') end
      seq = state.n + #fresh + 1
      for _, old in pairs(under) do
        instead[old] = instead[old] or {}
        table.insert(instead[old], seq)
      end
      under[digest] = seq
      table.insert(fresh, {seq = seq, facts = one.facts, row = one.row, id = id, digest = digest})
    end
    local versions = {}
    for _, version in pairs(under) do table.insert(versions, version) end
    table.insert(seqs, seq)
    table.insert(alike, versions)
  end
  return {seqs = seqs, alike = alike, fresh = fresh, instead = instead}
end

-- Whether a row that was left out is needed after all; to be asked before anything is written.
local function rows_missing(state, messages, seen)
  for _, one in ipairs(messages) do
    local digest, id, whole_row = label(one.row)
    if not whole_row then
      seen[id] = seen[id] or known(id, state.n)
      if not seen[id][digest] and (one.facts[WHOLE] or not next(seen[id])) then return true end
    end
  end
  return false
end

local function account(state, facts)
  if facts[CALL] then
    local open = {}
    for _, call in ipairs(state.open) do
      if call ~= facts[CALL] then table.insert(open, call) end
    end
    state.open = open
  end
  for _, call in ipairs(facts[CALLS]) do table.insert(state.open, call) end
  local most = math.max(MOST_OPEN_CALLS, #facts[CALLS])
  while #state.open > most do table.remove(state.open, 1) end
  if facts[ROLE] == 'user' then
    state.turns = state.turns + 1
    local spoke = not facts[AUTHOR]
    for _, author in ipairs(state.authors) do spoke = spoke or author == facts[AUTHOR] end
    if not spoke then table.insert(state.authors, facts[AUTHOR]) end
  end
  state.tokens = state.tokens + facts[TOKENS]
  state.view = state.view + facts[VIEW_TOKENS]
  state.largest = math.max(state.largest, facts[TOKENS])
  state.first = state.first or facts[TIME]
  state.last = facts[TIME] or state.last
end

local function write(state, one)
  redis.call('RPUSH', LOG, one.row)
  put_in_index(one.id, one.seq)
  if state.bodies and redis.call('HEXISTS', VALUES, 'b' .. one.digest) == 1 then
    redis.call('HSET', VALUES, 'b' .. one.digest, '#' .. one.seq)
  end
end

-- Write what is new and account for it. A batch that begins a turn makes the newest digest the active one.
local function grow(state, outcome)
  for _, one in ipairs(outcome.fresh) do
    write(state, one)
    account(state, one.facts)
    if one.facts[ROLE] == 'user' then state.active = state.ready end
  end
  state.n = state.n + #outcome.fresh
  if #outcome.fresh > 0 then state.v = state.v + 1 end
end

-- The head after an append: revisions stand where their message stood, the rest behind it;
-- then it holds nothing twice.
local function grown_head(head, outcome)
  local out, taken = {}, {}
  if not next(outcome.instead) then
    add(out, head)
  else
    for i = 1, #head, 2 do
      local first, olds = head[i], {}
      for old in pairs(outcome.instead) do
        if old >= head[i] and old <= head[i + 1] then table.insert(olds, old) end
      end
      table.sort(olds)
      for _, old in ipairs(olds) do
        add(out, minus({first, old - 1}, out))
        first = old + 1
        local news = outcome.instead[old]
        local latest = news[#news]
        if not within(out, latest) then push(out, latest, latest) end
        for _, new in ipairs(news) do taken[new] = true end
      end
      add(out, minus({first, head[i + 1]}, out))
    end
  end
  for _, one in ipairs(outcome.fresh) do
    if not taken[one.seq] then push(out, one.seq, one.seq) end
  end
  return out
end

-- The messages of a request: `facts` in their order, rows from argument number `first` on.
local function given(facts, first)
  local messages = {}
  for i, one in ipairs(facts) do messages[i] = {facts = one, row = ARGV[first + i - 1]} end
  return messages
end
