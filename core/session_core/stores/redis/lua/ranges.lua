-- Parts of a record as flat lists of closed ranges {first, last, first, last, ...}, in the order of a
-- conversation. Neighbours are merged, so equal parts are equal lists. Mirrors ranges.py and rules.py.

local function push(part, first, last)
  if last < first then return end
  local n = #part
  if n > 0 and part[n] + 1 == first then
    part[n] = last
  else
    part[n + 1], part[n + 2] = first, last
  end
end

local function add(part, other)
  for i = 1, #other, 2 do push(part, other[i], other[i + 1]) end
  return part
end

local function same(one, other)
  if #one ~= #other then return false end
  for i = 1, #one do
    if one[i] ~= other[i] then return false end
  end
  return true
end

local function within(part, seq)
  for i = 1, #part, 2 do
    if seq >= part[i] and seq <= part[i + 1] then return true end
  end
  return false
end

local function clipped(part, first, last)
  local out = {}
  for i = 1, #part, 2 do push(out, math.max(part[i], first), math.min(part[i + 1], last)) end
  return out
end

-- `part` less all that is in `other`.
local function minus(part, other)
  local out = {}
  for i = 1, #part, 2 do
    local pieces = {part[i], part[i + 1]}
    for j = 1, #other, 2 do
      local first, last, left = other[j], other[j + 1], {}
      for k = 1, #pieces, 2 do
        push(left, pieces[k], math.min(pieces[k + 1], first - 1))
        push(left, math.max(pieces[k], last + 1), pieces[k + 1])
      end
      pieces = left
    end
    add(out, pieces)
  end
  return out
end

-- What is left of `part` behind `prefix`, or nil when it does not begin with it.
local function after(part, prefix)
  local n = #prefix
  if n == 0 then return part end
  if #part < n or prefix[n] > part[n] then return nil end
  for i = 1, n - 1 do
    if part[i] ~= prefix[i] then return nil end
  end
  local out = {}
  push(out, prefix[n] + 1, part[n])
  for i = n + 1, #part, 2 do push(out, part[i], part[i + 1]) end
  return out
end
