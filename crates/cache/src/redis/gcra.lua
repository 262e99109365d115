-- GCRA in one step; the arithmetic of gcra.rs. All times in microseconds of the server's clock.
-- KEYS[1] cell. ARGV: unit, whole, cost (-1 gives one back), debt to start from when the cell is unknown.
-- Answers {time to wait or 0, debt}.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local unit, whole, cost, debt = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local cell = redis.pcall('GET', KEYS[1])
-- An unknown cell (new, flushed away, or of a replaced server) starts from what the asking replica remembers.
if type(cell) == 'string' and string.match(cell, '^%d+$') and #cell < 17 then
  debt = tonumber(cell) - now
end
debt = math.min(math.max(debt, 0), whole)
local after = math.max(debt + cost * unit, 0)
if cost > 0 and after > whole then
  return {after - whole, debt}
end
-- Kept for the whole period even when it is whole again: "given back" must not look like "unknown".
redis.call('SET', KEYS[1], string.format('%.0f', now + after), 'PX', math.ceil(whole / 1000) + 1)
return {0, after}
