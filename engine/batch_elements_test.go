package engine_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"larder/protocol/resp"
)

// TestPipelinesOnLargeCollections: what a batch has loaded ahead of its elements misleads none of its commands, whatever those before it have put in: replies
// and counts are those of a naive model.
func TestPipelinesOnLargeCollections(t *testing.T) {
	for name, words := range map[string]struct{ add, count string }{
		"set": {"SADD", "SCARD"}, "hash": {"HSET", "HLEN"}, "zset": {"ZADD", "ZCARD"},
	} {
		t.Run(name, func(t *testing.T) {
			const space, depth, rounds = 20_000, 64, 1_500
			rng := rand.New(rand.NewPCG(7, 7))
			k := newBed(t, nil).client()
			have := map[string]bool{}
			for range rounds {
				var in []byte
				var want strings.Builder
				for range depth {
					e := fmt.Sprintf("element:%012d", rng.IntN(space))
					switch name {
					case "set":
						in = resp.AppendCommandStrings(in, words.add, name, e)
					case "hash":
						in = resp.AppendCommandStrings(in, words.add, name, e, "v")
					default:
						in = resp.AppendCommandStrings(in, words.add, name, "1", e)
					}
					want.WriteString(map[bool]string{true: ":1\r\n", false: ":0\r\n"}[!have[e]])
					have[e] = true
				}
				if got := k.send(in); got != want.String() {
					t.Fatalf("a pipeline was answered %.300q, want %.300q", got, want.String())
				}
				if len(have) > space*9/10 { // another one grows
					k.says(fmt.Sprintf(":%d\r\n", len(have)), words.count, name)
					k.says(":1\r\n", "DEL", name)
					clear(have)
				}
			}
			k.says(fmt.Sprintf(":%d\r\n", len(have)), words.count, name)
		})
	}
}
