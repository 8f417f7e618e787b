-- The figures, and where the rest begins; of another format only the number of that.
local function figures_of(packed)
  if packed:byte() ~= FORMAT then return {f = packed:byte()} end
  local f, _, v, n, turns, tokens, view, largest, ttl, touched, first, last, rest = struct.unpack(FIGURES, packed)
  return {
    f = f, v = v, n = n, turns = turns, tokens = tokens, view = view, largest = largest, ttl = ttl, touched = touched,
    first = first, last = last, rest = rest,
  }
end
