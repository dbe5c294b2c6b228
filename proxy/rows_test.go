package proxy

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"larder/loop"
	"larder/protocol/command"
	"larder/protocol/resp"
)

var updateRows = flag.Bool("update", false, "rewrite testdata/rows.txt, to be reviewed")

// rowsPath is what a gateway over three shards does with each command. A new row makes the test fail until somebody has looked at what the gateway does
// with it, and written it down: go test ./proxy -run TestRowsOverShards -update
const rowsPath = "testdata/rows.txt"

// rowKeys lie on three shards: the third's, the first's, the second's.
var rowKeys = []string{"foo", "bar", "k0"}

// rowSamples are commands of rows whose arguments cannot be made up from their keys.
var rowSamples = map[command.ID][]string{
	command.CmdSort:              {"SORT foo", "SORT foo STORE bar", "SORT foo BY w_*", "SORT foo GET # GET {foo}w_*", "SORT foo GET w_*"},
	command.CmdSortRO:            {"SORT_RO foo", "SORT_RO foo BY w_*"},
	command.CmdBitOp:             {"BITOP AND foo bar k0", "BITOP AND {foo}d foo"},
	command.CmdLMove:             {"LMOVE foo bar LEFT RIGHT", "LMOVE foo {foo}b LEFT RIGHT"},
	command.CmdGeoRadius:         {"GEORADIUS foo 1 1 1 m", "GEORADIUS foo 1 1 1 m STORE bar", "GEORADIUS foo 1 1 1 m STORE {foo}b STORE bar"},
	command.CmdGeoRadiusByMember: {"GEORADIUSBYMEMBER foo x 1 m", "GEORADIUSBYMEMBER foo x 1 m STOREDIST bar"},
	command.CmdGeoSearchStore:    {"GEOSEARCHSTORE foo bar FROMMEMBER x BYRADIUS 1 m", "GEOSEARCHSTORE foo bar FROMMEMBER x BYRADIUS 1 m STOREDIST"},
	command.CmdXRead:             {"XREAD STREAMS foo bar 0 0", "XREAD BLOCK 0 STREAMS foo bar 0 0", "XREAD STREAMS foo 0"},
	command.CmdXReadGroup:        {"XREADGROUP GROUP g c STREAMS foo bar > >", "XREADGROUP GROUP g c STREAMS foo >"},
	command.CmdLMPop:             {"LMPOP 3 foo bar k0 LEFT", "LMPOP 3 foo y bar LEFT", "LMPOP 2 foo y LEFT", "LMPOP 2 {foo}a {foo}b LEFT"},
	command.CmdZMPop:             {"ZMPOP 3 foo bar k0 MIN", "ZMPOP 2 {foo}a {foo}b MIN"},
	command.CmdCopy:              {"COPY foo bar", "COPY foo {foo}b DB 3"},
	command.CmdZRangeStore:       {"ZRANGESTORE foo bar 0 -1", "ZRANGESTORE foo bar [a [z BYLEX"},
	command.CmdScan:              {"SCAN 0"},
	command.CmdSelect:            {"SELECT 1"},
	command.CmdSwapDB:            {"SWAPDB 0 1"},
	command.CmdHello:             {"HELLO 2"},
	command.CmdSSubscribe:        {"SSUBSCRIBE foo bar k0"}, // who are told in any order
	command.CmdClientReply:       {"CLIENT REPLY ON"},
}

// chosenKey is a key whose name is chosen by chance.
var chosenKey = regexp.MustCompile(`larder:step:[0-9a-z]+`)

// TestRowsOverShards writes down what becomes of each command over three shards: what the shards are asked, or what the client is told.
func TestRowsOverShards(t *testing.T) {
	var b strings.Builder
	for _, row := range command.Rows() {
		if hidden(row) {
			continue
		}
		samples := rowSamples[row.ID]
		if samples == nil {
			samples = samplesOf(row)
		}
		for _, sample := range samples {
			becomes := func(t *testing.T, sample, crossSlot string, multi bool) string {
				return chosenKey.ReplaceAllString(becomes(t, sample, crossSlot, multi), "larder:step:any")
			}
			plain := becomes(t, sample, crossRefuse, false)
			fmt.Fprintf(&b, "%s\n\t%s\n", sample, plain)
			if steps := becomes(t, sample, crossAllow, false); steps != plain {
				fmt.Fprintf(&b, "\tin steps: %s\n", steps)
			}
			if strings.HasPrefix(plain, "-") && !strings.HasPrefix(plain, "-CROSSSLOT") {
				continue
			}
			if queued := becomes(t, sample, crossAllow, true); queued != "+QUEUED" {
				fmt.Fprintf(&b, "\tin MULTI: %s\n", queued)
			}
		}
	}
	if *updateRows {
		if err := os.WriteFile(rowsPath, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(rowsPath)
	if err != nil {
		t.Fatal(err)
	}
	want, got := strings.Split(string(have), "\n"), strings.Split(b.String(), "\n")
	for i := range got {
		if i >= len(want) || got[i] != want[i] {
			t.Fatalf("%s:%d: %q\nis not what the gateway does: %q\nIf that is right, write it anew with -update and read the difference.", rowsPath, i+1, at(want, i), got[i])
		}
	}
	if len(want) > len(got) {
		t.Errorf("%s has lines that nothing makes, from %q on", rowsPath, want[len(got)])
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

// samplesOf makes a command of a row up: its keys on all shards, anything else 1. One with many keys also has them on one shard, in two slots and in one.
func samplesOf(row *command.Row) []string {
	all := sampleOf(row, func(i int) string { return rowKeys[i%len(rowKeys)] })
	if n := len(row.KeyPositions(bytesOf(all), nil)); n < 2 {
		return []string{all}
	}
	return []string{all, sampleOf(row, func(i int) string { return []string{"foo", "y"}[i%2] }), sampleOf(row, func(i int) string { return "{foo}" + string(rune('a'+i)) })}
}

func bytesOf(line string) [][]byte {
	var args [][]byte
	for _, word := range strings.Fields(line) {
		args = append(args, []byte(word))
	}
	return args
}

func sampleOf(row *command.Row, key func(int) string) string {
	words := strings.Split(strings.ToUpper(row.Name), "|")
	keys := 0
	next := func() string {
		keys++
		return key(keys - 1)
	}
	fill := func(n int) {
		for len(words) < n {
			words = append(words, "1")
		}
	}
	for _, k := range row.KeySpecs {
		if k.Begin != command.BeginIndex {
			continue
		}
		fill(k.Index)
		switch {
		case k.Find == command.FindKeyNum:
			words = append(words, fmt.Sprint(len(rowKeys)))
			fill(k.Index + k.FirstKey)
			for range rowKeys {
				words = append(words, next())
			}
		case k.LastKey < 0:
			for range rowKeys {
				words = append(words, next())
				fill(len(words) + k.Step - 1)
			}
			fill(len(words) - 1 - k.LastKey - (k.Step - 1))
		default:
			for range k.LastKey/max(k.Step, 1) + 1 {
				words = append(words, next())
			}
		}
	}
	least := row.Arity
	if least < 0 {
		least = -least
	}
	fill(least)
	return strings.Join(words, " ")
}

// becomes is what a gateway over three shards does with a command: its answer, or what each shard is asked first.
func becomes(t *testing.T, sample, crossSlot string, multi bool) string {
	w := newWorld(t, 1, len(rowKeys), false, func(o *Options) { o.CrossSlot = crossSlot })
	for i, key := range rowKeys {
		if w.p.topo.ShardOf([]byte(key)) != []int{2, 0, 1}[i] {
			t.Fatalf("%s is not where it should be", key)
		}
	}
	c := w.client(0)
	w.talk(c, "MGET "+strings.Join(rowKeys, " "))
	if multi {
		w.talk(c, "MULTI")
	}
	w.say(c, sample)
	for range 5 {
		w.dialled()
		w.greet()
		w.m.EndTurn()
	}
	if got := firstReply(c); got != "" {
		return got
	}
	var asked []string
	for shard := range rowKeys {
		addr := w.p.topo.Shards[shard].Primary.Addr
		for _, fc := range w.nodes[addr].conns {
			if heard := fc.heard(); heard != "" {
				asked = append(asked, fmt.Sprintf("%d: %s", shard, heard))
			}
		}
	}
	if len(asked) == 0 {
		return "(nothing)"
	}
	return strings.Join(asked, " | ")
}

// firstReply is what a client is told, if it is an error all of it: of anything else only what it is, since it may tell the time.
func firstReply(c *loop.MemConn) string {
	out := c.Written()
	if len(out) == 0 {
		return ""
	}
	line, _, _ := strings.Cut(string(out), "\r\n")
	switch out[0] {
	case '-', '+':
		return line
	}
	return "answered here"
}

// greet lets the nodes answer greetings, and nothing else.
func (w *world) greet() {
	for _, addr := range w.order {
		for _, fc := range w.nodes[addr].conns {
			for fc.greeted(w.p.upstreams[addr]) {
				fc.answer(1 << 20)
			}
		}
	}
}

// greeted answers one word of a greeting, if the connection is at that.
func (fc *fakeConn) greeted(u *upstream) bool {
	if !slices.ContainsFunc(u.lanes, func(ln *lane) bool { return ln.c == fc.mc.Conn && ln.state == laneGreeting }) {
		return false
	}
	fc.take()
	var requests resp.Requests
	requests.Reset(resp.DefaultLimits())
	req, n, st := requests.Next(fc.in)
	if st != resp.Done {
		return false
	}
	if strings.EqualFold(string(req.Args[0]), "client") {
		fc.out = append(fc.out, ":7\r\n"...) // its id
	} else {
		fc.run(req.Args)
	}
	fc.in = append([]byte(nil), fc.in[n:]...)
	return true
}
