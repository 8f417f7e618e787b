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

-- `part` less all of `other`, which has nothing twice. A thread on which many runs went on at once has hundreds of
-- ranges: each of `part` is looked up among the others, in their order.
local function minus(part, other)
  local out, cuts = {}, {}
  for i = 1, #other, 2 do table.insert(cuts, i) end
  table.sort(cuts, function(one, another) return other[one] < other[another] end)
  for i = 1, #part, 2 do
    local first, last, low, high = part[i], part[i + 1], 1, #cuts
    while low < high do
      local middle = math.ceil((low + high) / 2)
      if other[cuts[middle]] <= first then low = middle else high = middle - 1 end
    end
    while cuts[low] and other[cuts[low]] <= last do
      if other[cuts[low] + 1] >= first then
        push(out, first, other[cuts[low]] - 1)
        first = other[cuts[low] + 1] + 1
      end
      low = low + 1
    end
    push(out, first, last)
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
