-- One decision of gateway/core/rate.py, atomic across gateways. The clock is Redis' own, so nodes cannot disagree.
-- KEYS[1]: the client's key. ARGV: cost of one request in microseconds, requests that may come at once.
-- Returns {allowed, theoretical arrival time, now}, times in microseconds (exact: below 2^53).
local cost = tonumber(ARGV[1])
local window = cost * tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local stored = tonumber(redis.call('GET', KEYS[1]) or '0')
local start = math.max(stored, now)
local after = start + cost
if after - now > window then
  return {0, start, now}
end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000) + 1)
return {1, after, now}
