package clients_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"larder/control/migrate"
	"larder/internal/clients"
	"larder/internal/peers"
)

// moving is a migration into larder dev, as users see it.
type moving struct {
	t    *testing.T
	bin  clients.Binary
	dir  string
	from string
}

// says runs larder migrate with arguments and gives the exit code and what it printed.
func (m *moving) says(args ...string) (code int, text string) {
	m.t.Helper()
	stdout, stderr, code := m.bin.Run(m.t, append([]string{"migrate"}, append(args, "--dir", m.dir)...)...)
	return code, stdout + stderr
}

func (m *moving) must(wants string, args ...string) string {
	m.t.Helper()
	code, text := m.says(args...)
	if code != 0 || !strings.Contains(text, wants) {
		m.t.Fatalf("migrate %v: code %d, want %q:\n%s", args, code, wants, text)
	}
	return text
}

func (m *moving) refused(wants string, args ...string) {
	m.t.Helper()
	if code, text := m.says(args...); code == 0 || !strings.Contains(text, wants) {
		m.t.Errorf("migrate %v: code %d, want a refusal with %q:\n%s", args, code, wants, text)
	}
}

func (m *moving) status() (got migrate.Migration) {
	m.t.Helper()
	stdout, stderr, code := m.bin.Run(m.t, "migrate", "status", "--json", "--dir", m.dir)
	if code != 0 {
		m.t.Fatal(stdout + stderr)
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		m.t.Fatal(err)
	}
	return got
}

// await waits until the migration is as it should be.
func (m *moving) await(what string, is func(got migrate.Migration) bool) migrate.Migration {
	m.t.Helper()
	for deadline := time.Now().Add(peers.Patience); ; time.Sleep(50 * time.Millisecond) {
		got := m.status()
		if is(got) {
			return got
		}
		if time.Now().After(deadline) {
			m.t.Fatalf("it does not come to be: %s: %+v", what, got)
		}
	}
}

func (m *moving) follows() {
	m.t.Helper()
	m.await("following", func(got migrate.Migration) bool { return got.Status.Phase == migrate.Following })
}

// changes waits until so many keys more were written to the cluster.
func (m *moving) changes(n int64) {
	m.t.Helper()
	from := m.status().Status.Keys
	m.await("changes", func(got migrate.Migration) bool { return got.Status.Keys >= from+n })
}

// equal compares both sides, values and expiries.
func (m *moving) equal() {
	m.t.Helper()
	if code, text := m.says("verify", "--from", m.from); code != 0 {
		m.t.Fatalf("the cluster differs:\n%s", text)
	}
}

// churn has clients change keys of all types, over several of them at once, until stop. They go on after errors: a source that is paused or away answers some.
// clustered: the keys of a command share a slot, and there is one database.
func churn(t *testing.T, seed uint64, clients int, clustered bool, connect func() redis.UniversalClient) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	for i := range clients {
		group.Go(func() {
			c := connect()
			defer c.Close()
			w := &churner{rng: rand.New(rand.NewPCG(seed, uint64(i))), clustered: clustered}
			for ctx.Err() == nil {
				if _, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
					for range 1 + w.rng.IntN(8) {
						p.Do(ctx, w.command()...)
					}
					return nil
				}); err != nil && strings.Contains(err.Error(), "refused") {
					time.Sleep(10 * time.Millisecond) // nobody is there
				}
			}
		})
	}
	stop = sync.OnceFunc(func() {
		cancel()
		group.Wait()
	})
	t.Cleanup(stop)
	return stop
}

// churner draws commands.
type churner struct {
	rng       *rand.Rand
	clustered bool
	tag       string
}

// lines are what is drawn from: a capital letter is a key of a family, # a number, @ milliseconds to live.
var churnLines = []string{
	"SET K #", "SET K # PX @", "INCR N", "INCRBY N 7", "APPEND K xyz", "SETRANGE K 3 abc", "GETDEL K", "GETEX K PX @", "MSET K # K # K #", "MSETNX K # K #", "SETBIT B # 1", "BITOP OR B B B",
	"RENAME K K", "RENAMENX K K", "RENAME L L", "RENAME H H", "COPY K K REPLACE", "COPY H H REPLACE", "DEL K K K", "UNLINK K H L", "PEXPIRE K @", "PEXPIRE H @", "PERSIST K", "PERSIST H", "EXPIRE Z 1",
	"RPUSH L a b c", "LPUSH L d", "LPOP L 2", "LMOVE L L LEFT RIGHT", "RPOPLPUSH L L", "LINSERT L BEFORE b x", "LTRIM L 0 50", "LMPOP 2 L L LEFT COUNT 2", "BLPOP L 0.001", "BLMOVE L L LEFT LEFT 0.001",
	"SADD S a b c d #", "SREM S a", "SPOP S", "SMOVE S S b", "SUNIONSTORE S S S", "SINTERSTORE S S S", "SDIFFSTORE S S S", "SORT S ALPHA STORE L",
	"HSET H f # g #", "HINCRBY H n 3", "HINCRBYFLOAT H x 0.25", "HDEL H f", "HSETNX H h 1",
	"ZADD Z # a # b 3 c", "ZINCRBY Z 1.5 a", "ZPOPMIN Z", "ZUNIONSTORE Z 2 Z Z", "ZINTERSTORE Z 2 Z Z", "ZRANGESTORE Z Z 0 2", "ZREMRANGEBYRANK Z 5 -1", "ZMPOP 2 Z Z MAX", "BZPOPMAX Z 0.001",
	"GEOADD G 13.3 38.1 p 15.1 37.5 c", "GEOSEARCHSTORE Z G FROMLONLAT 15 37 BYRADIUS 300 km", "PFADD P a # #", "PFMERGE P P P", "PFCOUNT P",
	"XADD X MAXLEN ~ 50 * f #", "XADD X * f #", "XGROUP CREATE X g 0 MKSTREAM", "XREADGROUP GROUP g me COUNT 2 NOACK STREAMS X >", "XADD X 9999999999999-# f 1", "XCLAIM X g me 0 9999999999999-# TIME 1700000000000 FORCE", "XDEL X 0-1", "XTRIM X MAXLEN 40", "XACK X g 0-1",
	"EVAL SCRIPT 3 K H L",
}

// onlySingle are lines for servers with several databases.
var onlySingle = []string{"SELECT #db", "MOVE K #db", "SWAPDB #db #db", "FLUSHDB", "COPY H H DB #db", "COPY Z Z DB #db REPLACE"}

const churnScript = "redis.call('incr','n'..KEYS[1]); redis.call('hset',KEYS[2],'s',redis.call('time')[2]); redis.call('rpush',KEYS[3],'s'); return redis.call('del',KEYS[1])"

func (w *churner) command() (args []any) {
	lines := churnLines
	if !w.clustered && w.rng.IntN(40) == 0 {
		lines = onlySingle
	}
	line := lines[w.rng.IntN(len(lines))]
	if line == "FLUSHDB" && w.rng.IntN(10) > 0 {
		line = "INCR N"
	}
	w.tag = ""
	if w.clustered {
		w.tag = fmt.Sprintf("{%d}", w.rng.IntN(50))
	}
	for i, word := range strings.Fields(line) {
		switch {
		case i > 0 && len(word) == 1 && word[0] >= 'A' && word[0] <= 'Z':
			word = fmt.Sprintf("%s%s%d", strings.ToLower(word), w.tag, w.rng.IntN(40))
		case strings.HasSuffix(word, "#"):
			word = word[:len(word)-1] + strconv.Itoa(w.rng.IntN(1000))
		case word == "#db":
			word = strconv.Itoa(w.rng.IntN(3))
		case word == "@":
			word = strconv.Itoa(1 + w.rng.IntN(3000))
		case word == "SCRIPT":
			word = strings.ReplaceAll(churnScript, "'n'..KEYS[1]", "KEYS[1]..'n'")
			if w.clustered {
				word = strings.ReplaceAll(word, "KEYS[1]..'n'", "KEYS[1]")
			}
		}
		args = append(args, word)
	}
	return args
}
