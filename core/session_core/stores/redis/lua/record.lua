-- Numbering of messages by id and content, and what that makes of a head.

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
-- in `lineage`. Returns the numbers, for each all numbers under its id, the new ones, which numbers
-- replace which: {old = {new, ...}}, and without `revise` the ids that left the head; or nil and a refusal.
local function number(state, messages, revise, seen, lineage)
  local seqs, alike, fresh, instead, left = {}, {}, {}, {}, {}
  for _, one in ipairs(messages) do
    local digest, id, whole_row = label(one.row)
    local first, under = not seen[id], seen[id] or known(id, state.n)
    seen[id] = under
    if first and not revise and next(under) then
      local gone = true
      for _, version in pairs(under) do gone = gone and not within(state.head, version) end
      if gone then left[id] = true end
    end
    local seq = under[digest] or (not one.facts.whole and version_in(under, lineage)) or nil
    if not seq then
      if next(under) and not revise and not (first and left[id]) then return nil, refusal('duplicate', id) end
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
  return {seqs = seqs, alike = alike, fresh = fresh, instead = instead, left = left}
end

-- Whether a row that was left out is needed after all; to be asked before anything is written.
local function rows_missing(state, messages, seen)
  for _, one in ipairs(messages) do
    local digest, id, whole_row = label(one.row)
    if not whole_row then
      seen[id] = seen[id] or known(id, state.n)
      if not seen[id][digest] and (one.facts.whole or not next(seen[id])) then return true end
    end
  end
  return false
end

-- Bodies that wait outside of the log, by digest, and the numbers they have in it now.
local entered = {}

-- Write what is new, and account for it. A batch that begins a turn makes the newest digest the active one.
local function enter(state, outcome)
  for _, one in ipairs(outcome.fresh) do
    put_in_index(one.id, one.seq)
    if one.facts.role == USER then state.active = state.ready end
    if state.bodies and redis.call('HEXISTS', VALUES, 'b' .. one.digest) == 1 then
      entered[one.digest] = one.seq
    end
  end
  grow(state, outcome.fresh)
end

-- What `work` gives, which enters messages and saves the state. A server does not undo what a script wrote before it
-- failed, on a command that its user may not use say: rows that no state counts would break the session, so they go.
local function whole_or_nothing(work)
  local done, got = pcall(work)
  if not done then
    if uncounted > 0 then redis.call('RPOP', LOG, uncounted) end
    error(got, 0)
  end
  for digest, seq in pairs(entered) do redis.call('HSET', VALUES, 'b' .. digest, '#' .. seq) end
  return got
end

-- Which numbers of known messages come back to the conversation that they left, as rules.py has it: {seq = true}.
local function coming_back(state, messages, outcome)
  local back, named, asked, asked_again = {}, {}, false, false
  if not next(outcome.left) then return back end
  for i, one in ipairs(messages) do
    local _, id = label(one.row)
    local seq, newest = outcome.seqs[i], 0
    for _, version in ipairs(outcome.alike[i]) do newest = math.max(newest, version) end
    if seq > state.n then
      asked = asked or one.facts.role == USER
    elseif outcome.left[id] and newest <= state.n and not named[id] then
      back[seq], named[id] = true, true
      asked_again = asked_again or one.facts.role == USER
    end
  end
  return asked and asked_again and {} or back
end

-- The head with what is new, and what comes `back`, behind it.
local function head_with(state, outcome, back)
  local out, placed = add({}, state.head), {}
  for _, seq in ipairs(outcome.seqs) do
    if (seq > state.n or back[seq]) and not placed[seq] then push(out, seq, seq) end
    placed[seq] = true
  end
  return out
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
