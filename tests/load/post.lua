-- Bodies from a file, one a line, in turn; with a file of tokens a fresh one for each request, as they are used once.
local bodies, tokens, n = {}, nil, 0
local headers = { ["Content-Type"] = "application/json" }

init = function(arguments)
  for line in io.lines(os.getenv("LOAD_BODIES")) do
    bodies[#bodies + 1] = line
  end
  if os.getenv("LOAD_TOKENS") then
    tokens = {}
    for line in io.lines(os.getenv("LOAD_TOKENS")) do
      tokens[#tokens + 1] = line
    end
  end
end

request = function()
  n = n + 1
  if tokens then
    headers["Authorization"] = "Bearer " .. (tokens[n] or "none is left")
  end
  return wrk.format("POST", nil, headers, bodies[n % #bodies + 1])
end

done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.3f, "p50": %.2f, "p90": %.2f, "p99": %.2f, "longest": %.2f, "bytes": %d, '
      .. '"refused": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(90) / 1e3,
    latency:percentile(99) / 1e3, latency.max / 1e3, summary.bytes, e.status, e.connect + e.read + e.write + e.timeout))
end
