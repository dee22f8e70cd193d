-- One decision of gateway/core/rate.py, atomic across gateways. The clock is Redis' own, so nodes cannot disagree.
-- KEYS[1]: the client's key, a hash of slot -> requests. ARGV: quota, length of a slot in microseconds, slots of a
-- window. Returns {allowed, used, oldest slot, newest slot, now in microseconds} (exact: below 2^53).
local quota, length, kept = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local slot = math.floor(now / length)
local stored = redis.call('HGETALL', KEYS[1])

local newest = 0
for i = 1, #stored, 2 do
  newest = math.max(newest, tonumber(stored[i]))
end
if newest - slot > kept then -- the clock jumped back by more than the window
  redis.call('DEL', KEYS[1])
  stored = {}
elseif newest > slot then
  slot = newest
end

local used, oldest, newest = 0, nil, nil
for i = 1, #stored, 2 do
  local at = tonumber(stored[i])
  if at < slot - kept then
    redis.call('HDEL', KEYS[1], stored[i])
  else
    used = used + tonumber(stored[i + 1])
    oldest = math.min(oldest or at, at)
    newest = math.max(newest or at, at)
  end
end

if used >= quota then
  return {0, used, oldest, newest, now}
end
redis.call('HINCRBY', KEYS[1], string.format('%.0f', slot), 1)
redis.call('PEXPIRE', KEYS[1], math.max(1, math.ceil(((slot + kept + 1) * length - now) / 1000)))
return {1, used + 1, oldest or slot, slot, now}
