-- A session's state: field "state" of its hash, beside digests, notices, the index, and how many namespaces were listed
-- (also where there is no state, since the session itself has nothing yet). It begins with figures, each of
-- which has a fixed length; an ordinary append reads and writes nothing else of it. A msgpack list is the rest.
--   figures: f format, settled (1 where it is, see is_settled, and 2 more where it is sealed), v version, n messages (they are numbered 1..n), turns, tokens,
--     view, largest, ttl (in milliseconds; 0 only when neither this part of the session nor another has an end), touched
--     (when it was written to, in milliseconds of the server's clock), first, last (times in seconds, infinite when
--     unknown)
--   rest: born (name of this beginning), head (its last number is 0 where that is n), open, authors, active, ready
--     (figures of digests), tier, resumed, away, newest (checkpoint), bodies (whether bodies wait outside of the log);
--     what is absent is false

local FORMAT = 1
local FIGURES = '>BBI4I4I4I8I8I4I8I8dd'
local NEVER = math.huge

-- How a message comes: as facts, which Lua must know, and as the row that stands in the log.
--   facts: role (its first letter), whether it is whole (1 where it is, and 2 more where it is sealed), tokens, view tokens, time (infinite when unknown), and
--     then, packed, where there is any of them, {author, id of the call that it answers, ids of the calls that it makes}
--   row: format (1 byte), content digest (16), length of the id (1, or 255 and 4 more), id as the client packs it,
--     everything else as the client made it; one that ends behind its id stands for a row that the client believes to
--     be in the record

local FACTS = '>c1BI4I4d'
local USER, TOOL = 'u', 't'
local GIVEN = 254

-- The index from ids to numbers: entries of 8 bytes (4 of the id or its hash, number) in buckets that are split one by
-- one as the record grows (linear hashing), so that a lookup costs the same at any age.

local PER_BUCKET = 32
local SPREAD = 40503 / 65536
