-- A session's state: field "state" of its hash, beside digests, notices and the index. It begins with figures, each of
-- which has a fixed length; an ordinary append reads and writes nothing else of it. A msgpack list is the rest.
--   figures: f format, settled (1 or 0, see is_settled), v version, n messages (they are numbered 1..n), turns, tokens,
--     view, largest, ttl (of the last write, in milliseconds), touched (when that was, in milliseconds of the server's
--     clock), first, last (times in seconds, infinite when unknown)
--   rest: born (name of this beginning), head (its last number is 0 where that is n), open, authors, active, ready
--     (figures of digests), tier, resumed, away, newest (checkpoint), bodies (whether bodies wait outside of the log);
--     what is absent is false

local FORMAT = 1
local FIGURES = '>BBI4I4I4I8I8I4I8I8dd'
local NEVER = math.huge

-- The figures, and where the rest begins; of another format only the number of that.
local function figures_of(packed)
  if packed:byte() ~= FORMAT then return {f = packed:byte()} end
  local f, _, v, n, turns, tokens, view, largest, ttl, touched, first, last, rest = struct.unpack(FIGURES, packed)
  return {
    f = f, v = v, n = n, turns = turns, tokens = tokens, view = view, largest = largest, ttl = ttl, touched = touched,
    first = first, last = last, rest = rest,
  }
end
