package engine_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"larder/internal/peers"
	"larder/protocol/resp"
)

// TestReadsAsRedis: what commands count as hits and misses, and what they tell of, misses and new keys included and in order, is what redis-server counts and
// tells: testdata/reads.txt. XCLAIM and XAUTOCLAIM make their consumer from 7.2 on, and tell of it.
func TestReadsAsRedis(t *testing.T) {
	text, err := os.ReadFile("testdata/reads.txt")
	if err != nil {
		t.Fatal(err)
	}
	redis, ours := newReader(t, peers.StartRedis(t)), newReader(t, serve(t, quiet(), nil, nil).Addr())
	var before []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "= "); ok {
			before = append(before, rest)
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		want, got := redis.run(before, line), ours.run(before, line)
		if strings.HasPrefix(line, "XCLAIM ") || strings.HasPrefix(line, "XAUTOCLAIM ") {
			got = slices.DeleteFunc(got, func(e string) bool { return strings.Contains(e, "xgroup-createconsumer") })
		}
		if !slices.Equal(want, got) {
			t.Errorf("%s\n  redis %q\n  ours  %q", line, want, got)
		}
	}
}

// reader is a server with a client and one that hears of all events.
type reader struct {
	t           *testing.T
	client, ear *peers.Conn
}

func newReader(t *testing.T, addr string) *reader {
	r := &reader{t, peers.Dial(t, addr, 2), peers.Dial(t, addr, 2)}
	r.client.Do("CONFIG", "SET", "notify-keyspace-events", "EAnm")
	r.ear.Do("PSUBSCRIBE", "__keyevent@*")
	r.ear.Do("SUBSCRIBE", "fence")
	return r
}

// run gives the events of a command, and behind them what it counted.
func (r *reader) run(before []string, line string) (events []string) {
	r.client.Do("FLUSHALL")
	for _, b := range before {
		r.client.Do(strings.Fields(b)...)
	}
	r.heard()
	r.client.Do("CONFIG", "RESETSTAT")
	args := strings.Fields(line)
	for i := range args {
		args[i] = strings.Trim(args[i], `"`)
	}
	r.client.Do(args...)
	counts := regexp.MustCompile(`keyspace_(hits|misses):\d+`).FindAllString(string(r.client.Do("INFO", "stats")), -1)
	r.client.Do("UNWATCH")
	return append(r.heard(), counts...)
}

// heard gives the events up to now: a message behind them says where they end.
func (r *reader) heard() (events []string) {
	r.client.Do("PUBLISH", "fence", "")
	for {
		var words []string
		it := resp.Elements(r.ear.Reply())
		for e, ok := it.Next(); ok; e, ok = it.Next() {
			word, _ := resp.BulkOf(e)
			words = append(words, string(word))
		}
		if words[0] == "message" {
			return events
		}
		events = append(events, words[2]+" "+words[3])
	}
}
