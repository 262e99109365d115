-- Appends to the fan-out with a gapless number, so that readers notice trimming, flushing and replacement.
-- KEYS: stream, number (one slot). ARGV: about how many to keep, origin, kind, payload.
local number = redis.pcall('INCR', KEYS[2])
if type(number) ~= 'number' then
  redis.call('SET', KEYS[2], '1')
  number = 1
end
local function append(call)
  return call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'n', number, 'o', ARGV[2], 'k', ARGV[3], 'p', ARGV[4])
end
local added = append(redis.pcall)
if type(added) == 'table' and added.err then
  -- Something else sits under our name: replace it.
  redis.call('DEL', KEYS[1])
  append(redis.call)
end
return number
