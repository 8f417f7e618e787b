-- A checkpoint with its values and writes. ARGV: ttl, namespace, id or an empty string for the newest.
-- Reply: ok, id, entry, channels and values in turn, writes; or nothing at all.

local state, _, refused = read_state()
if refused then return refused end
if not all_there(state) then return refusal('partial') end
local id = ARGV[3] ~= '' and ARGV[3] or state and state.newest
local versions, entry = versions_of(id)
if not entry then return false end
return {'ok', id, entry, values_of(versions), writes_of(id)}
