-- What a stored message list is as a part of the record. Mirrors part_of and head_after in list_parts.py.

local function each(part, visit)
  for i = 1, #part, 2 do
    for seq = part[i], part[i + 1] do visit(seq) end
  end
end

-- Which numbers of `base` are replaced by versions, and all that versions which are listed stand instead of.
local function replaced(versions, old)
  local instead, gone, own = {}, {}, {}
  for _, one in ipairs(versions) do own[one.seq] = true end
  for _, one in ipairs(versions) do
    local first
    for _, seq in ipairs(one.alike) do
      if not own[seq] then
        gone[seq] = true
        if old[seq] and not old[one.seq] then first = math.min(first or seq, seq) end
      end
    end
    if first then instead[first] = one.seq end
  end
  return instead, gone
end

-- What is left of `base` in its order, versions in the place of what they replace, the rest where the list
-- has it: behind its neighbour, or at the end. What is kept is a chain of places; 0 is before the first.
local function in_order(part, versions, base, is_hidden)
  local old, listed, there, anything = {}, {}, {}, false
  each(base, function(seq) old[seq] = true end)
  each(part, function(seq)
    if not there[seq] then table.insert(listed, seq) end
    there[seq] = true
    anything = anything or old[seq]
  end)
  local instead, gone = replaced(versions, old)
  for _, one in ipairs(versions) do
    for _, before in ipairs(one.alike) do anything = anything or old[before] end
  end

  local seqs, follower, place_of = {}, {}, {}
  local function insert(place, seq)
    local mine = #seqs + 1
    seqs[mine], follower[mine], follower[place] = seq, follower[place], mine
    place_of[seq] = place_of[seq] or mine
    return mine
  end
  local tail = 0
  each(base, function(seq)
    if instead[seq] or (not gone[seq] and (there[seq] or (anything and is_hidden(seq)))) then
      tail = insert(tail, instead[seq] or seq)
    end
  end)

  local last, anchor = 0, 0
  for i, seq in ipairs(listed) do
    if place_of[seq] and old[seq] then last = i end
  end
  for i = 1, last do
    local seq = listed[i]
    if not gone[seq] then anchor = place_of[seq] or insert(anchor, seq) end
  end

  local out, place = {}, follower[0]
  while place do
    push(out, seqs[place], seqs[place])
    place = follower[place]
  end
  for i = last + 1, #listed do
    if not gone[listed[i]] and not place_of[listed[i]] then push(out, listed[i], listed[i]) end
  end
  return out
end

local function repeats(part)
  local pairs_of = {}
  for i = 1, #part, 2 do table.insert(pairs_of, {part[i], part[i + 1]}) end
  table.sort(pairs_of, function(one, other) return one[1] < other[1] end)
  for i = 2, #pairs_of do
    if pairs_of[i][1] <= pairs_of[i - 1][2] then return true end
  end
  return false
end

-- Whether a list is `base` and more behind it, as most are; then there is nothing to put in order.
local function only_grew(part, versions, base)
  if not after(part, base) or repeats(part) then return false end
  local own = {}
  for _, one in ipairs(versions) do own[one.seq] = true end
  for _, one in ipairs(versions) do
    for _, seq in ipairs(one.alike) do
      if not own[seq] and within(part, seq) then return false end
    end
  end
  return true
end

-- `part`, where what the list names by a range and says anew beside it has the number of the newer version.
local function with_newer(part, value, versions)
  local said, newer, seen, out = {}, {}, {}, {}
  for _, one in ipairs(versions) do said[one.seq] = true end
  for _, one in ipairs(versions) do
    for _, old in ipairs(one.alike) do
      for _, item in ipairs(said[old] and {} or value.items) do
        if type(item) == 'table' and within(item, old) then newer[old] = one.seq end
      end
    end
  end
  if not next(newer) then return part end
  each(part, function(seq)
    seq = newer[seq] or seq
    if not seen[seq] then push(out, seq, seq) end
    seen[seq] = true
  end)
  return out
end

-- Whether the run has stored a list since the one that it began with; what it removed then is gone.
local function went_on(value, before)
  return #before.part > 0 and value.base_version ~= nil and value.base_version ~= before.version
end

-- The part of the record that a list is compared with: what its run stored last, or what that began with.
local function made_of(value, before)
  return (went_on(value, before) or #value.base == 0) and before.part or value.base
end

-- Items are ranges, or places among the messages, which `outcome` numbers. A list that is not the head's is
-- taken as it stands.
local function part_of(value, outcome, before, is_head)
  local part, versions, at = {}, {}, 0
  for _, item in ipairs(value.items) do
    if type(item) == 'table' then
      add(part, item)
    else
      at = at + 1
      local seq = outcome.seqs[at]
      push(part, seq, seq)
      table.insert(versions, {seq = seq, alike = outcome.alike[at]})
    end
  end
  local base = made_of(value, before)
  if is_head then part = with_newer(part, value, versions) end
  if not is_head or only_grew(part, versions, base) then return part end
  local later = went_on(value, before)
  return in_order(part, versions, base, function(seq)
    return within(value.hidden, seq) and (not later or within(before.part, seq))
  end)
end

-- The pieces of `parts` that none of them parts: a table of their ends by their firsts, and a function that tells
-- those of a part, in its order.
local function in_pieces(parts)
  local there, firsts, ends = {}, {}, {}
  local function cut(at)
    if not there[at] then table.insert(firsts, at) end
    there[at] = true
  end
  for _, part in ipairs(parts) do
    for i = 1, #part, 2 do
      cut(part[i])
      cut(part[i + 1] + 1)
    end
  end
  table.sort(firsts)
  local place = {}
  for i, first in ipairs(firsts) do
    place[first] = i
    ends[first] = firsts[i + 1] and firsts[i + 1] - 1
  end
  return ends, function(part)
    local found = {}
    for i = 1, #part, 2 do
      local at = place[part[i]]
      while firsts[at] and firsts[at] <= part[i + 1] do
        table.insert(found, firsts[at])
        at = at + 1
      end
    end
    return found
  end
end

local function set_of(list)
  local set = {}
  for _, one in ipairs(list) do set[one] = true end
  return set
end

-- Whether the first message that a run added to what it began with is a result: it had waited with the call.
local function answers(value, outcome)
  for at, seq in ipairs(outcome.seqs) do
    if not within(value.base, seq) then return value.results[at] end
  end
  return false
end

-- The head after a run stored `part`, when `before` was its previous part and it had begun with `base`: what of the
-- head the run never had stays, behind what it stands behind there, and never between two messages that the run
-- added, nor before the first of them when the run begins by `answering` a call.
local function head_after(head, part, before, base, answering)
  local others = minus(minus(minus(head, base), before), part)
  if #others == 0 then return part end
  local ends, of = in_pieces({head, part, base, others})
  local mine, waiting, anchors, out, told = of(part), {}, {}, {}, 0
  local begun, theirs, own = set_of(of(base)), set_of(of(others)), set_of(mine)
  -- 0 is the beginning; messages are numbered from 1.
  local anchor, said = 0, {[0] = true}
  for _, piece in ipairs(of(head)) do
    if theirs[piece] then
      table.insert(waiting, piece)
      table.insert(anchors, anchor)
    elseif own[piece] then
      anchor = piece
    end
  end
  local function tell()
    while said[anchors[told + 1]] do
      told = told + 1
      push(out, waiting[told], ends[waiting[told]])
    end
  end
  tell()
  for i, piece in ipairs(mine) do
    push(out, piece, ends[piece])
    said[piece] = true
    if not mine[i + 1] or begun[mine[i + 1]] or (begun[piece] and not answering) then tell() end
  end
  return out
end

-- Order by bytes, whatever the server's locale.
local function before_in_bytes(one, other)
  for i = 1, math.min(#one, #other) do
    local mine, theirs = one:byte(i), other:byte(i)
    if mine ~= theirs then return mine < theirs end
  end
  return #one < #other
end

-- A checkpoint's entry: length of the head (4 bytes), head {versions as text, those that are numbers, run}, length of the
-- parent's id (4 bytes, 0 for none), that id, body. Returns the versions as text, the entry, and the numbers.
local function versions_of(checkpoint)
  local entry = checkpoint and redis.call('HGET', CHECKPOINTS, checkpoint)
  if not entry then return {}, nil, {} end
  local head = cmsgpack.unpack(entry:sub(5, 4 + struct.unpack('>I4', entry)))
  return head[1], entry, head[2]
end

-- Where an entry's parent stands: where its length begins, and where the body does.
local function parent_place(entry)
  local from = 5 + struct.unpack('>I4', entry)
  return from, from + 4 + struct.unpack('>I4', entry, from)
end

local function parent_of(entry)
  local from, to = parent_place(entry)
  return to > from + 4 and entry:sub(from + 4, to - 1) or nil
end

-- A field of values that stays as long as there are checkpoints, also when their channels are all empty.
local KEPT = ''

-- Whether the keys that a session with checkpoints has are there: a server may throw away one alone.
local function all_there(state)
  if not state or not state.newest then return true end
  return redis.call('HEXISTS', CHECKPOINTS, state.newest) == 1 and redis.call('HEXISTS', VALUES, KEPT) == 1
end

local function value_field(channel, version) return 'v' .. channel .. '\0' .. version end
