-- Reads a value with its remaining life. KEYS[1] value. Answers {bytes, life in ms}, or nothing.
local known = redis.pcall('GET', KEYS[1])
local life = redis.call('PTTL', KEYS[1])
-- Another type or no expiry: not written by us.
if type(known) ~= 'string' or life < 1 then
  return false
end
return {known, life}
