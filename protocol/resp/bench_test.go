package resp_test

import (
	"bytes"
	"fmt"
	"testing"

	"larder/protocol/resp"
)

func BenchmarkRequests(b *testing.B) {
	for _, bench := range []struct {
		name string
		args []string
	}{
		{"get", []string{"GET", "key:000000123456"}},
		{"set64", []string{"SET", "key:000000123456", string(bytes.Repeat([]byte("v"), 64))}},
		{"set1024", []string{"SET", "key:000000123456", string(bytes.Repeat([]byte("v"), 1024))}},
		{"mget10", []string{"MGET", "key:0", "key:1", "key:2", "key:3", "key:4", "key:5", "key:6", "key:7", "key:8", "key:9"}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			const depth = 16
			one := resp.AppendCommandStrings(nil, bench.args...)
			buf := bytes.Repeat(one, depth)
			var p resp.Requests
			p.Reset(resp.DefaultLimits())
			b.ReportAllocs()
			b.SetBytes(int64(len(one)))
			pos := 0
			for b.Loop() {
				if pos == len(buf) {
					pos = 0
				}
				r, n, s := p.Next(buf[pos:])
				if s != resp.Done || len(r.Args) != len(bench.args) {
					b.Fatal(s)
				}
				pos += n
			}
		})
	}
}

func BenchmarkReplies(b *testing.B) {
	for _, bench := range []struct{ name, reply string }{
		{"status", "+OK\r\n"},
		{"int", ":1234\r\n"},
		{"null", "$-1\r\n"},
		{"bulk64", fmt.Sprintf("$64\r\n%064d\r\n", 1)},
		{"bulk1024", fmt.Sprintf("$1024\r\n%01024d\r\n", 1)},
		{"array10", "*10\r\n" + string(bytes.Repeat([]byte("$5\r\nabcde\r\n"), 10))},
	} {
		b.Run(bench.name, func(b *testing.B) {
			const depth = 16
			buf := bytes.Repeat([]byte(bench.reply), depth)
			var s resp.Replies
			b.ReportAllocs()
			pos := 0
			for b.Loop() {
				if pos == len(buf) {
					pos = 0
				}
				n, _, st := s.Next(buf[pos:])
				if st != resp.Done {
					b.Fatal(st)
				}
				pos += n
			}
		})
	}
}

func BenchmarkElements(b *testing.B) {
	reply := []byte("*10\r\n" + string(bytes.Repeat([]byte("$5\r\nabcde\r\n"), 10)))
	b.ReportAllocs()
	for b.Loop() {
		it := resp.Elements(reply)
		for _, ok := it.Next(); ok; _, ok = it.Next() {
		}
	}
}

func BenchmarkAppendBulk(b *testing.B) {
	text := bytes.Repeat([]byte("v"), 64)
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out = resp.AppendBulk(out[:0], text)
	}
}
