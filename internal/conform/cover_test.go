package conform_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"larder/internal/conform"
	"larder/internal/peers"
	"larder/protocol/command"
)

// elsewhere are rows that neither a script nor a generator has: where they are tested instead.
var elsewhere = map[string]string{
	"monitor":                 "package engine",
	"cluster|slots":           "TestClusterAsRedisCluster",
	"cluster|shards":          "TestClusterAsRedisCluster",
	"cluster|nodes":           "TestClusterAsRedisCluster",
	"cluster|info":            "TestClusterAsRedisCluster",
	"cluster|keyslot":         "TestClusterAsRedisCluster",
	"cluster|myid":            "TestClusterAsRedisCluster",
	"cluster|countkeysinslot": "TestSlots, and package engine",
	"cluster|getkeysinslot":   "TestSlots, and package engine",
	"readonly":                "TestClusterAsRedisCluster",
	"readwrite":               "TestClusterAsRedisCluster",
	"asking":                  "TestClusterAsRedisCluster",
	"hexpire":                 "TestFieldExpiryAsRecorded, package commands",
	"hpexpire":                "TestFieldExpiryAsRecorded, package commands",
	"hexpireat":               "TestFieldExpiryAsRecorded, package commands",
	"hpexpireat":              "TestFieldExpiryAsRecorded, package commands",
	"hexpiretime":             "TestFieldExpiryAsRecorded, package commands",
	"hpexpiretime":            "TestFieldExpiryAsRecorded, package commands",
	"httl":                    "TestFieldExpiryAsRecorded, package commands",
	"hpttl":                   "TestFieldExpiryAsRecorded, package commands",
	"hpersist":                "TestFieldExpiryAsRecorded, package commands",
	"hgetex":                  "TestFieldExpiryAsRecorded, package commands",
	"hsetex":                  "TestFieldExpiryAsRecorded, package commands",
	"hgetdel":                 "TestFieldExpiryAsRecorded, package commands",
	"debug":                   "TestDebug, where both sides allow it",
	"replicaof":               "TestReplicaOfErrors, package engine; TestFollowsRedis, package clients",
	"slaveof":                 "TestReplicaOfErrors, package engine",
	"psync":                   "TestHandshakesAsRecorded, package engine",
	"sync":                    "TestReplicaWithoutMark, package engine",
	"replconf":                "TestHandshakesAsRecorded, package engine",
	"failover":                "TestFailoverWords, package engine",
	"larder|term":             "the dialect between gateway and node: package engine",
	"larder|assign":           "the dialect between gateway and node: package engine",
	"larder|as":               "the dialect between gateway and node: package engine",
	"larder|slots":            "the dialect between gateway and node: package engine",
	"larder|subscribers":      "the dialect between gateway and node: package engine",
	"larder|ear":              "the dialect between gateway and node: package engine",
	"larder|mark":             "the dialect between gateway and node: package engine",
	"larder|after":            "the dialect between gateway and node: package engine",
	"larder|publishes":        "the dialect between gateway and node: package engine",
	"larder|stamps":           "the dialect between gateway and node: package engine",
	"larder|at":               "the dialect between gateway and node: package engine",
	"larder|shared":           "the dialect between gateway and node: package engine",
	"larder|lane":             "the dialect between gateway and node: package engine",
	"larder|ended":            "the dialect between gateway and node: package engine",
	"larder|forget":           "the dialect between gateway and node: package engine",
	"larder|errand":           "TestErrands, package engine",
	"larder|give":             "TestErrands, package engine",
	"larder|given":            "TestErrands, package engine",
	"larder|ask":              "TestErrands, package engine",
	"larder|wrote":            "the dialect between gateway and node: package engine",
	"larder|record":           "the dialect between gateway and node: package engine",
	"larder|promise":          "the dialect between gateway and node: package engine",
	"larder|state":            "the dialect between gateway and node: package engine",
	"bgrewriteaof":            "a node without a journal refuses it; with one: package engine, and TestJournal… in internal/clients",
	"larder|user":             "the dialect between gateway and node: package engine",
	"larder|scan":             "the dialect between gateway and node: package engine, and TestScan through a gateway",
	"larder|help":             "the dialect between gateway and node: package engine",
}

// TestEveryRowIsCompared: a new command must join.
func TestEveryRowIsCompared(t *testing.T) {
	seen := map[string]bool{}
	for _, sec := range sections(t) {
		for i := range sec.Steps {
			if args := sec.Steps[i].Args(time.Now()); len(args) > 0 {
				seen[conform.RowName(args)] = true
			}
		}
	}
	for _, r := range command.Rows() {
		drawn := len(r.Subs) == 0 && conform.NotDrawn(r) == ""
		switch {
		case elsewhere[r.Name] != "" && (seen[r.Name] || drawn):
			t.Errorf("%s: a script or a generator has it, so it needs no exception", r.Name)
		case elsewhere[r.Name] == "" && !seen[r.Name] && !drawn:
			t.Errorf("%s: no script and no generator has it: add it to testdata, or say here why not", r.Name)
		}
		if !seen[r.Name] && elsewhere[r.Name] == "" && len(r.Subs) == 0 {
			t.Logf("%s: only generated", r.Name)
		}
	}
}

// TestGeneratorDrawsEveryRow: what a generator is said to draw, it draws, and most of it so that a server runs it.
func TestGeneratorDrawsEveryRow(t *testing.T) {
	ref := redisEndpoint(t, reference)
	g := conform.NewGenerator(dice(t, 1), time.Now(), true)
	c := peers.Dial(t, ref.Addr, 2)
	drawn, good := map[string]int{}, map[string]int{}
	sec := g.Section("all rows", 40000)
	for i := range sec.Steps {
		args := sec.Steps[i].Args(time.Now())
		r, _ := command.Resolve(args)
		if r == nil {
			continue
		}
		drawn[r.Name]++
		if reply := c.Do(texts(args)...); reply[0] != '-' {
			good[r.Name]++
		}
	}
	for _, r := range command.Rows() {
		if len(r.Subs) > 0 || conform.NotDrawn(r) != "" {
			continue
		}
		const enough = 5
		if drawn[r.Name] < enough {
			t.Errorf("%s: drawn %d times of %d", r.Name, drawn[r.Name], len(sec.Steps))
		}
		if good[r.Name]*20 < drawn[r.Name] && !slices.Contains(neverGood, r.Name) {
			t.Errorf("%s: of %d drawn only %d were no error", r.Name, drawn[r.Name], good[r.Name])
		}
	}
}

// neverGood are drawn though a plain redis-server 7.0 refuses them, always or nearly.
// Those of groups of consumers need a group, a consumer and an entry that fit: the scripts have them.
var neverGood = []string{
	"auth", "client|setinfo", "client|no-touch", "object|freq", "config|rewrite", "lset", "pfdebug",
	"xreadgroup", "xpending", "xclaim", "xautoclaim", "xsetid", "xgroup|setid", "xgroup|createconsumer", "xgroup|delconsumer", "xgroup|destroy",
	"xinfo|consumers", "xinfo|groups", "xinfo|stream",
}

func texts(args [][]byte) []string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = string(a)
	}
	return out
}

func TestParse(t *testing.T) {
	script := `
# a comment
== first only=node proto=3 lockstep
#approx 5
TTL "k \x00\n" 'a \' b' @rep:3:ab @@x
#conn b
#any-order
KEYS *
GET k
#raw
"*1\r\n" "$4"
#inline
GET "k" x
#no-reply
#closes
#only gateway
QUIT
== second not=sharded
PING
`
	got, err := conform.Parse("s", strings.NewReader(script))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Name != "s: first" || !got[0].LockStep || got[0].Protos[0] != 3 || got[0].Only[0] != "node" || got[1].Not[0] != "sharded" {
		t.Errorf("sections: %+v", got)
	}
	s := got[0].Steps
	if conform.Quote(s[0].Args(time.Now())) != `TTL "k \x00\x0a" "a ' b" ababab "@x"` || s[0].How != conform.Approx || s[0].Tolerance != 5 || s[0].Replies != 1 {
		t.Errorf("first: %s %+v", conform.Quote(s[0].Args(time.Now())), s[0])
	}
	if s[1].Conn != "b" || s[1].How != conform.AnyOrder || s[2].Conn != "b" || s[2].How != conform.Exact {
		t.Errorf("connections: %+v %+v", s[1], s[2])
	}
	if string(s[3].Raw) != "*1\r\n$4" || string(s[4].Raw) != "GET \"k\" x\r\n" {
		t.Errorf("raw: %q %q", s[3].Raw, s[4].Raw)
	}
	if s[5].Replies != 0 || !s[5].Closes || s[5].Only[0] != "gateway" {
		t.Errorf("last: %+v", s[5])
	}
	for _, bad := range []string{"PING", "== x\n#nope\nPING", "== x\nGET \"k", "== x\nGET 'k'x", "== x only=nope\n", "== x\nGET @nope", "== x\n#approx 3", "== x proto=4"} {
		if _, err := conform.Parse("s", strings.NewReader(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

// TestPlayerSeesFaults: a server that answers a little otherwise is found out, one command at a time and as pipelines, and the fault is traced to few
// commands.
func TestPlayerSeesFaults(t *testing.T) {
	ref := redisEndpoint(t, reference)
	odd := conform.Endpoint{Name: "odd", Addr: peers.StartRedis(t, "--databases", "5", "--maxmemory-policy", "allkeys-lfu"), Tags: []string{conform.TagNode}}
	const script = "== x\nSET k v\nOBJECT FREQ k\nGET k\nSELECT 4\nSELECT 5\nGET none\n"
	secs, err := conform.Parse("s", strings.NewReader(script))
	if err != nil {
		t.Fatal(err)
	}
	for proto := 2; proto <= 3; proto++ {
		for _, p := range []conform.Player{{Proto: proto}, {Proto: proto, Rand: dice(t, 3)}} {
			p.Ref, p.Sub, p.Differences = ref, odd, differences
			wrong, err := p.Section(&secs[0])
			if err != nil || len(wrong) != 2 || wrong[0].At != 1 || wrong[1].At != 4 || wrong[1].Command != "SELECT 5" || wrong[1].Where != "s:6" {
				t.Errorf("RESP%d: %v, %v", proto, wrong, err)
			}
		}
	}
}

// TestOneSlotIsSaid: a line of a script whose keys can't be split says so, so that a reader knows what a sharded endpoint answers.
func TestOneSlotIsSaid(t *testing.T) {
	sharded := conform.Endpoint{Name: "sharded", Tags: []string{conform.TagGateway, conform.TagSharded}}
	for _, sec := range sections(t) {
		if !sec.RunsOn(&sharded) {
			continue
		}
		for i := range sec.Steps {
			s := &sec.Steps[i]
			if !s.RunsOn(&sharded) {
				continue
			}
			if crosses := conform.Crosses(s.Args(time.Now())); crosses != s.OneSlot {
				t.Errorf("%s: %s: keys in several slots: %v, #one-slot: %v", s.Where, conform.Quote(s.Args(time.Now())), crosses, s.OneSlot)
			}
		}
	}
}

func TestShrink(t *testing.T) {
	steps := make([]conform.Step, 40)
	for i := range steps {
		steps[i] = conform.Command("x", []byte{byte(i)})
	}
	has := func(steps []conform.Step, b byte) bool {
		return slices.ContainsFunc(steps, func(s conform.Step) bool { return s.Args(time.Now())[0][0] == b })
	}
	got := conform.Shrink(steps, 1000, func(s []conform.Step) bool { return has(s, 3) && has(s, 31) })
	if len(got) != 2 {
		t.Errorf("%d steps are left, want 2", len(got))
	}
}
