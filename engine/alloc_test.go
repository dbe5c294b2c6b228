package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"larder/protocol/resp"
)

// TestNothingIsAllocated: a batch of 64 GETs or SETs costs no more allocations than a PING, which are those of the loop in memory.
func TestNothingIsAllocated(t *testing.T) {
	value := strings.Repeat("v", 64)
	for name, command := range map[string]func(i int) []string{
		"GET":      func(i int) []string { return []string{"GET", fmt.Sprint("k", i%10)} },
		"SET":      func(i int) []string { return []string{"SET", fmt.Sprint("k", i%10), value} },
		"SET EX":   func(i int) []string { return []string{"SET", fmt.Sprint("k", i%10), value, "EX", "100"} },
		"GET none": func(int) []string { return []string{"GET", "none"} },
		"MGET":     func(int) []string { return []string{"MGET", "k1", "k2", "k3"} },
		"INCR":     func(int) []string { return []string{"INCR", "n"} },
		"DEL":      func(int) []string { return []string{"DEL", "none"} },
		"PING":     func(int) []string { return []string{"PING"} },
		"SELECT":   func(i int) []string { return []string{"SELECT", fmt.Sprint(i % 2)} },
	} {
		k := newBed(t, nil).client()
		var batch []byte
		for i := range 64 {
			batch = resp.AppendCommandStrings(batch, command(i)...)
		}
		ping := resp.AppendCommandStrings(nil, "PING")
		run := func(p []byte) func() {
			return func() {
				k.c.Feed(p)
				k.b.m.EndTurn()
				k.c.Written()
			}
		}
		testing.AllocsPerRun(200, run(batch)) // buffers grow once
		base := testing.AllocsPerRun(100, run(ping))
		if got := testing.AllocsPerRun(100, run(batch)); got > base {
			t.Errorf("64 × %s allocate %v times, one PING %v times", name, got, base)
		}
	}
}

// TestTellingAllocatesNothing: nor does a node that tells what it does, once its past has its size.
func TestTellingAllocatesNothing(t *testing.T) {
	value := strings.Repeat("v", 64)
	for name, command := range map[string][]string{
		"SET": {"SET", "k", value}, "SET EX": {"SET", "k", value, "EX", "100"}, "INCR": {"INCR", "n"}, "PEXPIRE": {"PEXPIRE", "k", "100000"},
		"HSET": {"HSET", "h", "f", value}, "LMOVE": {"LMOVE", "l", "l", "LEFT", "RIGHT"},
	} {
		b := newBed(t, nil)
		b.node.Listen()
		k := b.client()
		k.do("SET", "k", value)
		k.do("RPUSH", "l", "a", "b")
		var batch []byte
		for range 64 {
			batch = resp.AppendCommandStrings(batch, command...)
		}
		if got, base := k.allocates(batch); got > base {
			t.Errorf("64 × %s allocate %v times, one PING %v times", name, got, base)
		}
		if stream, _ := b.node.Told(0); stream != nil {
			t.Error("the past is larger than it is to be")
		}
	}
}

func BenchmarkBatch(b *testing.B) {
	for _, name := range []string{"GET", "SET", "PING"} {
		b.Run(name, func(b *testing.B) {
			k := newBed(b, nil).client()
			var batch []byte
			for i := range 64 {
				switch name {
				case "GET":
					batch = resp.AppendCommandStrings(batch, "GET", fmt.Sprint("key:", i))
				case "SET":
					batch = resp.AppendCommandStrings(batch, "SET", fmt.Sprint("key:", i), strings.Repeat("v", 64))
				default:
					batch = resp.AppendCommandStrings(batch, "PING")
				}
			}
			b.ReportAllocs()
			for range b.N/64 + 1 {
				k.c.Feed(batch)
				k.b.m.EndTurn()
				k.c.Written()
			}
		})
	}
}

// allocates is how often a turn allocates that brings a batch, and one that brings a PING.
func (k *talker) allocates(batch []byte) (got, ping float64) {
	turn := func(p []byte) func() {
		return func() {
			k.c.Feed(p)
			k.b.m.EndTurn()
			k.c.Written()
		}
	}
	testing.AllocsPerRun(1000, turn(batch)) // buffers grow, the past fills
	ping = testing.AllocsPerRun(100, turn(resp.AppendCommandStrings(nil, "PING")))
	return testing.AllocsPerRun(100, turn(batch)), ping
}
