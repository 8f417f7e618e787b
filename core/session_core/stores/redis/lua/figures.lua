-- The state with another ttl; its place is that in FIGURES. A state of another format stays as it is.
local function with_ttl(packed, ttl)
  if packed:byte() ~= FORMAT then return packed end
  return packed:sub(1, 34) .. struct.pack('>I8', ttl) .. packed:sub(43)
end

-- The figures, and where the rest begins; of another format only the number of that.
local function figures_of(packed)
  if packed:byte() ~= FORMAT then return {f = packed:byte()} end
  local f, settled, v, n, turns, tokens, view, largest, ttl, touched, first, last, rest = struct.unpack(FIGURES, packed)
  return {
    f = f, v = v, n = n, turns = turns, tokens = tokens, view = view, largest = largest, ttl = ttl, touched = touched,
    first = first, last = last, rest = rest, sealed = settled >= 2,
  }
end
