package engine_test

import (
	"testing"

	"larder/protocol/resp"
)

// counterScript is a counter with a limit, as people write it.
const counterScript = `local key, limit = KEYS[1], tonumber(ARGV[1])
local n = redis.call('INCR', key)
if n == 1 then
  redis.call('EXPIRE', key, 100)
end
if n > limit then
  return {0, n}
else
  return {1, n}
end`

// loopScript works in Lua alone.
const loopScript = `local t, n = {}, 0
for i = 1, 200 do t[i] = i * 2 end
for i, v in ipairs(t) do if v % 3 == 0 then n = n + v end end
local s = {}
for k, v in pairs({a = 1, b = 2, c = 3}) do s[#s + 1] = k .. '=' .. v end
return {n, table.concat(s, ',')}`

// BenchmarkEval is a node without its sockets: batches of 64 scripts.
func BenchmarkEval(b *testing.B) {
	for name, src := range map[string]string{"counter": counterScript, "loop": loopScript, "one": "return 1"} {
		b.Run(name, func(b *testing.B) {
			const batch = 64
			k := newBed(b, nil).client()
			var pipeline []byte
			for range batch {
				pipeline = resp.AppendCommandStrings(pipeline, "EVAL", src, "1", "limit", "10")
			}
			b.ReportAllocs()
			for b.Loop() {
				k.c.Feed(pipeline)
				k.b.m.EndTurn()
				k.c.Written()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/script")
		})
	}
}
