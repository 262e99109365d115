-- Where the fan-out ends now. KEYS: stream, number (one slot). Answers {number, id}.
local number = redis.pcall('GET', KEYS[2])
if type(number) ~= 'string' or not string.match(number, '^%d+$') or #number > 15 then
  number = '0'
end
local last = redis.pcall('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if last.err then
  redis.call('DEL', KEYS[1])
  last = {}
end
return {tonumber(number), last[1] and last[1][1] or '0-0'}
