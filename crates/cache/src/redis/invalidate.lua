-- Replaces a value by a tombstone with the version, unless a newer version is there.
-- KEYS[1] value. ARGV: version (20 digits), life of the tombstone in ms.
local known = redis.pcall('GET', KEYS[1])
if type(known) == 'string' and redis.call('PTTL', KEYS[1]) ~= -1 then
  local version = string.match(known, '^[=x](%d+)|')
  if version and #version == 20 and version > ARGV[1] then
    return 0
  end
end
redis.call('SET', KEYS[1], 'x' .. ARGV[1] .. '|', 'PX', ARGV[2])
return 1
