-- Keeps a value unless a newer version, or its tombstone, is there.
-- KEYS[1] value. ARGV: version (20 digits), bytes, life in ms. Answers the newer version, or ''.
local known = redis.pcall('GET', KEYS[1])
-- What we did not write (another type, no expiry, no version) counts as absent and is replaced.
if type(known) == 'string' and redis.call('PTTL', KEYS[1]) ~= -1 then
  local version = string.match(known, '^[=x](%d+)|')
  if version and #version == 20 and version > ARGV[1] then
    return version
  end
end
redis.call('SET', KEYS[1], '=' .. ARGV[1] .. '|' .. ARGV[2], 'PX', ARGV[3])
return ''
