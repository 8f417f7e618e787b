-- New messages, and what a state knows of all of them.

local MOST_OPEN_CALLS = 128

local function facts_of(told)
  local role, whole, tokens, view, time, behind = struct.unpack(FACTS, told)
  local facts = {role = role, tokens = tokens, view = view, time = time, calls = {}}
  facts.whole, facts.sealed = whole % 2 == 1, whole >= 2
  if behind <= #told then
    local more = cmsgpack.unpack(told:sub(behind))
    facts.author, facts.call, facts.calls = more[1], more[2], more[3]
  end
  return facts
end

-- The messages of a request: facts and row of each in turn, from argument number `first` on.
local function given(first)
  local messages = {}
  for at = first, #ARGV, 2 do
    messages[#messages + 1] = {facts = facts_of(ARGV[at]), row = ARGV[at + 1]}
  end
  return messages
end

-- Who has no keys may add nothing to a session that others seal.
local function is_refused(state, messages)
  for _, one in ipairs(messages) do
    if state.sealed and not one.facts.sealed then return true end
  end
  return false
end

local function account(state, facts)
  if facts.call then
    local open = {}
    for _, call in ipairs(state.open) do
      if call ~= facts.call then table.insert(open, call) end
    end
    state.open = open
  end
  for _, call in ipairs(facts.calls) do table.insert(state.open, call) end
  local most = math.max(MOST_OPEN_CALLS, #facts.calls)
  while #state.open > most do table.remove(state.open, 1) end
  if facts.role == USER then
    state.turns = state.turns + 1
    local spoke = not facts.author
    for _, author in ipairs(state.authors) do spoke = spoke or author == facts.author end
    if not spoke then table.insert(state.authors, facts.author) end
  end
  state.tokens = state.tokens + facts.tokens
  state.view = state.view + facts.view
  state.largest = math.max(state.largest, facts.tokens)
  if facts.time ~= NEVER then
    if state.first == NEVER then state.first = facts.time end
    state.last = facts.time
  end
end

-- Put the rows of new messages into the log and account for them; they are in the index already.
local function grow(state, fresh)
  local rows = {}
  for i, one in ipairs(fresh) do
    account(state, one.facts)
    rows[#rows + 1] = one.row
    if #rows == 1000 or i == #fresh then
      redis.call('RPUSH', LOG, unpack(rows))
      uncounted = uncounted + #rows
      rows = {}
    end
  end
  state.n = state.n + #fresh
  for _, one in ipairs(fresh) do state.sealed = state.sealed or one.facts.sealed end
  if #fresh > 0 then state.v = state.v + 1 end
end
