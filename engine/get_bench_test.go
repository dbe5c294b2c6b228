package engine_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkGet is a node without its sockets: batches of 64 GETs over keys that do not fit into the processor's caches.
func BenchmarkGet(b *testing.B) {
	const keys, batch = 2_000_000, 64
	k := newBed(b, nil).client()
	var load []byte
	for i := range keys {
		load = fmt.Appendf(load, "*3\r\n$3\r\nSET\r\n$16\r\nkey:%012d\r\n$64\r\n%064d\r\n", i, i)
		if i%1000 == 999 {
			k.c.Feed(load)
			k.b.m.EndTurn()
			k.c.Written()
			load = load[:0]
		}
	}
	dice := rand.New(rand.NewPCG(1, 2))
	pipelines := make([][]byte, 2000)
	for i := range pipelines {
		for range batch {
			pipelines[i] = fmt.Appendf(pipelines[i], "*2\r\n$3\r\nGET\r\n$16\r\nkey:%012d\r\n", dice.IntN(keys))
		}
	}
	at := 0
	for b.Loop() {
		k.c.Feed(pipelines[at%len(pipelines)])
		k.b.m.EndTurn()
		if n := len(k.c.Written()); n != batch*(5+64+2) {
			b.Fatal(n)
		}
		at++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/command")
}
