package conform_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"larder/engine"
	"larder/internal/conform"
	"larder/internal/fleet"
	"larder/internal/peers"
)

// TestDebug compares DEBUG, of servers on which it is allowed.
func TestDebug(t *testing.T) {
	all := parsed(t, "testdata/debug/*.txt", conform.Parse)
	ref := conform.Endpoint{Name: reference, Addr: peers.StartRedis(t, "--enable-debug-command", "local"), Tags: []string{conform.TagRedis}}
	node := fleet.Node(t, func(o *engine.Options) { o.DebugCommand = "local" })
	sub := conform.Endpoint{Name: "node", Addr: node, Tags: []string{conform.TagNode}}
	for _, proto := range []int{2, 3} {
		t.Run(fmt.Sprintf("RESP%d", proto), func(t *testing.T) {
			playSections(t, conform.Player{Ref: ref, Sub: sub, Proto: proto, Differences: differences}, all)
		})
	}
}

// TestDebugRefused: without leave nobody is told more than that.
func TestDebugRefused(t *testing.T) {
	ref := redisEndpoint(t, reference)
	sub := conform.Endpoint{Name: "node", Addr: fleet.Node(t), Tags: []string{conform.TagNode}}
	script := "== no\nDEBUG\nDEBUG help\nDEBUG nope\nMULTI\nDEBUG sleep 0\nEXEC\nCONFIG GET enable-debug-command\nEVAL \"return redis.pcall('debug','help')\" 0\n"
	all, err := conform.Parse("refused", strings.NewReader(script))
	if err != nil {
		t.Fatal(err)
	}
	playSections(t, conform.Player{Ref: ref, Sub: sub, Proto: 2, Differences: differences}, all)
}

var (
	debugAddress = regexp.MustCompile(`0x[0-9a-f]+`)
	debugClock   = regexp.MustCompile(`lru:\d+ lru_seconds_idle:\d+`)
)

// TestDebugObject: what DEBUG OBJECT tells, but for the address and the clock. Values are those whose encodings Redis 7.0 and 7.2 have in common.
func TestDebugObject(t *testing.T) {
	ref := peers.Dial(t, peers.StartRedis(t, "--enable-debug-command", "yes"), 2)
	sub := peers.Dial(t, fleet.Node(t, func(o *engine.Options) { o.DebugCommand = "yes" }), 2)
	both := func(args ...string) (want, got string) { return string(ref.Do(args...)), string(sub.Do(args...)) }
	rng := dice(t, 1)
	text := func(n int) string { // nothing of it can be compressed, which each does in its own way
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return string(b)
	}
	long := []string{"RPUSH", "long"}
	for i := range 2000 {
		long = append(long, text(10+i%40))
	}
	for _, args := range [][]string{
		{"SET", "int", "12"},
		{"SET", "large", "123456789"},
		{"SET", "short", "hello"},
		{"SET", "raw", text(1000)},
		{"ZADD", "z", "1", "a", "2.5", "b"},
		{"SADD", "ints", "1", "2", "3"},
		{"HSET", "h", "a", "b"},
		{"XADD", "x", "1-1", "a", "b"},
		long,
	} {
		both(args...)
		want, got := both("DEBUG", "OBJECT", args[1])
		for _, r := range []*regexp.Regexp{debugAddress, debugClock} {
			if !r.MatchString(got) {
				t.Errorf("%s: %q has no %s", args[1], got, r)
			}
			want, got = r.ReplaceAllString(want, "-"), r.ReplaceAllString(got, "-")
		}
		if want != got {
			t.Errorf("%s: redis %q, larder %q", args[1], want, got)
		}
	}
}
