package mirror

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"larder/protocol/command"
	"larder/protocol/resp"
	"larder/router"
)

type fixed struct{ t *router.Topology }

func (f fixed) Topology() *router.Topology { return f.t }

func (f fixed) Watch(ctx context.Context, _ func(*router.Topology)) error {
	<-ctx.Done()
	return nil
}

// stage is a mirror whose shadow is only told, in the books.
type stage struct {
	t *testing.T
	m *Mirror
	f *Feed
}

func newStage(t *testing.T, change func(*Options)) *stage {
	t.Helper()
	topology, err := router.Even("c", 0, []router.Node{{Addr: "127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	o := DefaultOptions()
	o.Target = "127.0.0.1:2"
	if change != nil {
		change(&o)
	}
	m, err := New(o, fixed{topology}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	m.base = m.base.Add(-time.Hour)
	return &stage{t: t, m: m, f: m.Feed(func(func()) {}, m.base)}
}

// run has the source answer a command, over a lane between two milliseconds.
func (s *stage) run(lane uint32, fromMS, toMS int64, words, reply string) {
	s.t.Helper()
	var raw []byte
	piece := strings.HasPrefix(words, "multi;")
	for one := range strings.SplitSeq(words, ";") {
		raw = resp.AppendCommandStrings(raw, strings.Fields(one)...)
	}
	base := s.m.nowNS()
	s.f.Take(Command{Raw: raw, Reply: []byte(reply), Proto: 2, Lane: lane, StartNS: base + fromMS*1e6, EndNS: base + toMS*1e6, Piece: piece})
}

// plan does what the loop has handed over, up to what is said, and gives that.
func (s *stage) plan() string {
	s.t.Helper()
	s.f.Flush()
	var said []string
	for len(s.m.queue) > 0 {
		b := <-s.m.queue
		for i := range b.items {
			it := &b.items[i]
			switch {
			case it.all:
				s.m.forgetAll()
			case it.row == nil:
				s.m.forget(it.lost)
			default:
				s.m.plan(b, it)
			}
		}
		for out := s.m.out; len(out) > 0; {
			args, n := s.m.parse(nil, out)
			if n == 0 {
				s.t.Fatalf("what is said is no command: %q", out)
			}
			var words []string
			for _, arg := range args {
				words = append(words, string(arg))
			}
			said = append(said, strings.Join(words, " "))
			out = out[n:]
		}
		s.m.out, s.m.deedsN = s.m.out[:0], 0
		s.m.done(b)
	}
	return strings.Join(said, "; ")
}

func (s *stage) knows(key string) bool { return s.m.known.of(s.m.keyID(0, []byte(key))).known }

// TestPlan has commands answered: what the shadow is told, and of which keys it is then known that both sides have the same.
func TestPlan(t *testing.T) {
	const ok, one, null = "+OK\r\n", ":1\r\n", "$-1\r\n"
	for _, c := range []struct {
		words, reply string
		said         string // empty: as it came
		known        string // of a, which was not known, and b, which was
	}{
		{"set a 1", ok, "", "ab"},
		{"set a 1 nx", null, "", "b"},
		{"set a 1 nx", ok, "", "ab"},
		{"set a 1 get", null, "", "ab"},
		{"set a 1 xx get", null, "", "b"},
		{"set b 1 keepttl", ok, "", "b"},
		{"get a", "$1\r\nx\r\n", "", "b"},
		{"incr a", one, "", "b"},
		{"incr b", one, "", "b"},
		{"mset a 1 b 2", ok, "", "ab"},
		{"setnx a 1", one, "", "ab"},
		{"setnx a 1", ":0\r\n", "", "b"},
		{"del a", one, "", "ab"},
		{"getdel a", "$1\r\nx\r\n", "", "ab"},
		{"lpush a 1 2", ":2\r\n", "", "ab"},
		{"lpush a 1 2", ":3\r\n", "", "b"},
		{"append a xy", ":2\r\n", "", "ab"},
		{"append a xy", ":5\r\n", "", "b"},
		{"rename a b", ok, "", "a"},
		{"rename b a", ok, "", "b"},
		{"renamenx b a", ":0\r\n", "", ""},
		{"copy b a", one, "", "b"},
		{"copy a b replace", one, "", ""},
		{"copy b a db 3", one, "", "b"},
		{"move b 3", one, "", ""},
		{"sunionstore a b", ":3\r\n", "", "b"},
		{"sunionstore b a", ":3\r\n", "", ""},
		{"smove b a x", one, "", ""},
		{"bitop or a b b", ":3\r\n", "", "b"},
		{"sort b store a", ":3\r\n", "", "b"},
		{"sort b by w* store a", ":3\r\n", "", "b"},
		{"spop b", "$1\r\nx\r\n", "SREM b x", "b"},
		{"spop b 2", "*2\r\n$1\r\nx\r\n$1\r\ny\r\n", "SREM b x y", "b"},
		{"xadd b * f v", "$3\r\n7-1\r\n", "xadd b 7-1 f v", "b"},
		{"xadd b maxlen = 5 7-* f v", "$3\r\n7-1\r\n", "xadd b maxlen = 5 7-1 f v", "b"},
		{"xadd b maxlen ~ 5 * f v", "$3\r\n7-1\r\n", "xadd b maxlen ~ 5 7-1 f v", ""},
		{"xtrim b maxlen ~ 5", ":0\r\n", "", ""},
		{"blpop a b 0", "*2\r\n$1\r\nb\r\n$1\r\nx\r\n", "lpop b", "b"},
		{"blpop a b 0", "*-1\r\n", "-", "b"},
		{"bzpopmin b 0", "*3\r\n$1\r\nb\r\n$1\r\nx\r\n$1\r\n5\r\n", "zpopmin b", "b"},
		{"blmove b b left right 0", "$1\r\nx\r\n", "lmove b b left right", "b"},
		{"blmpop 0 2 b b left count 3", "*2\r\n$1\r\nb\r\n*1\r\n$1\r\nx\r\n", "lmpop 2 b b left count 3", "b"},
		{"xread block 100 streams b $", "*-1\r\n", "xread streams b $", "b"},
		{"hexpire b 10 fields 1 f", "*1\r\n:1\r\n", "", ""},
		{"eval return{redis.call('incr',KEYS[1])} 1 b", one, "", "b"},
		{"eval return{redis.call('incr',KEYS[1])} 1 b", "-ERR x\r\n", "", ""},
		{"eval return{redis.call('spop',KEYS[1])} 1 b", one, "", ""},
		{"evalsha abc 1 b", one, "", ""},
		{"fcall f 1 b", one, "", ""},
		{"incr b", "-WRONGTYPE x\r\n", "", "b"},
		{"incr b", "-OOM x\r\n", "-", "b"},
		{"mget a b", "-CROSSSLOT x\r\n", "-", "b"},
		{"eval return{redis.call('incr',KEYS[1])} 1 b", "-OOM x\r\n", "-", ""},
		{"flushall", ok, "", "ab"},
		{"ping", "+PONG\r\n", "-", "b"},
		{"dbsize", ":3\r\n", "-", "b"},
		{"publish b x", ":3\r\n", "-", "b"},
		{"swapdb 0 1", ok, "", ""},
		{"multi;set a 1;incr a;spop b;exec", "*3\r\n+OK\r\n:2\r\n$1\r\nx\r\n", "MULTI; set a 1; incr a; SREM b x; EXEC", "ab"},
		{"multi;incr a;set b 1;exec", "*2\r\n:2\r\n+OK\r\n", "MULTI; incr a; set b 1; EXEC", "b"},
		{"multi;set a 1;exec", "*-1\r\n", "-", "b"},
	} {
		s := newStage(t, nil)
		s.run(1, -100, -99, "set b x", ok)
		s.plan()
		s.run(1, -9, -8, c.words, c.reply)
		want := c.said
		switch want {
		case "":
			want = c.words
		case "-":
			want = ""
		}
		if got := s.plan(); got != want {
			t.Errorf("%s, answered %q: %q is said, want %q", c.words, c.reply, got, want)
		}
		got := ""
		for _, key := range []string{"a", "b"} {
			if s.knows(key) {
				got += key
			}
		}
		if got != c.known {
			t.Errorf("%s, answered %q: %q are known, want %q", c.words, c.reply, got, c.known)
		}
	}
}

// TestRaces: two writes that may have run in either order leave their key unknown, however they were handed over.
func TestRaces(t *testing.T) {
	for _, c := range []struct {
		name  string
		run   func(s *stage)
		known bool
	}{
		{"one after the other, over two lanes", func(s *stage) { s.run(1, -50, -40, "set a 1", "+OK\r\n"); s.run(2, -39, -30, "set a 2", "+OK\r\n") }, true},
		{"at once over one lane", func(s *stage) { s.run(1, -50, -40, "set a 1", "+OK\r\n"); s.run(1, -50, -30, "set a 2", "+OK\r\n") }, true},
		{"at once over two lanes", func(s *stage) { s.run(1, -50, -40, "set a 1", "+OK\r\n"); s.run(2, -45, -30, "set a 2", "+OK\r\n") }, false},
		{"handed over in the wrong order", func(s *stage) { s.run(2, -39, -30, "set a 2", "+OK\r\n"); s.run(1, -50, -40, "set a 1", "+OK\r\n") }, false},
		{"a third one after it", func(s *stage) {
			s.run(1, -50, -40, "set a 1", "+OK\r\n")
			s.run(2, -45, -30, "set a 2", "+OK\r\n")
			s.run(1, -29, -20, "set a 3", "+OK\r\n")
		}, true},
		{"while all is emptied", func(s *stage) { s.run(1, -50, -40, "set a 1", "+OK\r\n"); s.run(2, -45, -30, "flushall", "+OK\r\n") }, false},
		{"before all was emptied, told later", func(s *stage) { s.run(2, -45, -30, "flushall", "+OK\r\n"); s.run(1, -50, -40, "set a 1", "+OK\r\n") }, false},
		{"after all was emptied", func(s *stage) { s.run(2, -45, -30, "flushall", "+OK\r\n"); s.run(1, -20, -10, "set a 1", "+OK\r\n") }, true},
	} {
		s := newStage(t, nil)
		c.run(s)
		s.plan()
		if s.knows("a") != c.known {
			t.Errorf("%s: known: %v, want %v", c.name, !c.known, c.known)
		}
	}
}

// TestExpiring: about when a key expires nothing is known of it; later both sides have nothing there.
func TestExpiring(t *testing.T) {
	for _, c := range []struct {
		ms    int64 // until it expires, when INCR runs
		known bool
	}{{5000, true}, {5, false}, {-5, false}, {-5000, true}} {
		for _, set := range []string{"set a 1 px N", "psetex a N 1"} {
			s := newStage(t, nil)
			const ago = 6000
			s.run(1, -ago, -ago+1, strings.Replace(set, "N", fmt.Sprint(ago+c.ms), 1), "+OK\r\n")
			s.m.base = s.m.base.Add(ago * time.Millisecond) // it is said to the shadow at once
			s.plan()
			s.m.base = s.m.base.Add(-ago * time.Millisecond)
			s.run(1, -1, 0, "incr a", ":1\r\n")
			s.plan()
			if s.knows("a") != c.known {
				t.Errorf("%s, %d ms before: known: %v, want %v", set, c.ms, !c.known, c.known)
			}
		}
	}
}

// TestShare: keys of one tag are mirrored all or none, about as many as the share says, and of commands with keys in and out of it what they write is forgotten.
func TestShare(t *testing.T) {
	s := newStage(t, func(o *Options) { o.Share = 0.25 })
	in, out := "", ""
	n := 0
	for i := range 4000 {
		key := fmt.Sprintf("{%d}x", i)
		if s.m.within([]byte(key)) != s.m.within(fmt.Appendf(nil, "y{%d}", i)) {
			t.Fatalf("keys with the tag of %s are not treated alike", key)
		}
		if s.m.within([]byte(key)) {
			in, n = key, n+1
		} else {
			out = key
		}
	}
	if n < 900 || n > 1100 {
		t.Errorf("%d of 4000 keys are within a share of a quarter", n)
	}
	s.run(1, -9, -8, "set "+in+" 1", "+OK\r\n")
	if s.plan(); !s.knows(in) {
		t.Error("a key of the share is not known after SET")
	}
	s.run(1, -7, -6, "set "+out+" 1", "+OK\r\n")
	s.run(1, -7, -6, "smove "+out+" "+in+" m", ":1\r\n")
	if said := s.plan(); said != "" {
		t.Errorf("%q is said, which is not of the share", said)
	}
	if s.knows(in) {
		t.Error("a key is known after a command that was not mirrored wrote it")
	}
}

// TestSharedTransaction: a transaction is mirrored if all its keys are of the share, in whatever order they stand, and what one writes that is half of it is forgotten.
func TestSharedTransaction(t *testing.T) {
	s := newStage(t, func(o *Options) { o.Share = 0.5 })
	in, out := "", ""
	for i := 0; in == "" || out == ""; i++ {
		if key := fmt.Sprint(i); s.m.within([]byte(key)) {
			in = key
		} else {
			out = key
		}
	}
	for _, c := range []struct {
		keys   []string
		said   bool
		halves uint64
	}{
		{[]string{in, in}, true, 0},
		{[]string{out, out}, false, 0},
		{[]string{out, in}, false, 1},
		{[]string{in, out}, false, 1},
		{[]string{out, out, in}, false, 1},
		{[]string{in, out, in}, false, 1},
	} {
		words, replies := "multi", fmt.Sprintf("*%d\r\n", len(c.keys)+1)
		for _, key := range c.keys {
			words += ";set " + key + " 1"
			replies += "+OK\r\n"
		}
		words, replies = words+";ping;exec", replies+"+PONG\r\n"
		s.run(1, -9, -8, "set "+in+" 1", "+OK\r\n")
		s.plan()
		before := s.m.count.halves.Load()
		s.run(1, -7, -6, words, replies)
		if said := s.plan(); (said != "") != c.said {
			t.Errorf("%s: %q is said", words, said)
		}
		if halves := s.m.count.halves.Load() - before; halves != c.halves {
			t.Errorf("%s: %d are told to be half in the share, want %d", words, halves, c.halves)
		}
		if known := c.halves == 0; s.knows(in) != known {
			t.Errorf("%s: the key of the share is known: %v, want %v", words, !known, known)
		}
	}
}

// TestNeverReached: of a shadow that is said to be filled, and does not answer, nothing is known once it has missed a command.
func TestNeverReached(t *testing.T) {
	s := newStage(t, func(o *Options) { o.Filled = true })
	if !s.knows("a") {
		t.Fatal("a key of a shadow that is filled is not known")
	}
	for range 2 {
		s.run(1, -9, -8, "set a 1", "+OK\r\n")
		s.f.Flush()
		s.m.obey(t.Context(), <-s.m.queue)
	}
	if s.knows("a") || s.knows("b") {
		t.Error("keys are known after a command was missed")
	}
	if missed, forgotten := s.m.count.missed.Load(), s.m.count.forgotten.Load(); missed != 2 || forgotten != 1 {
		t.Errorf("%d were missed, all was forgotten %d times", missed, forgotten)
	}
}

// TestRoom: what has no room is dropped and counted, and its keys are forgotten; memory is bounded also where nobody takes anything.
func TestRoom(t *testing.T) {
	s := newStage(t, func(o *Options) { o.QueueBytes, o.QueueCount = 1<<20, 100 })
	s.run(1, -100, -99, "set first 1", "+OK\r\n")
	s.plan()
	for i := range 20_000 {
		s.run(1, -9, -8, fmt.Sprintf("set k%d %s", i, strings.Repeat("x", 1000)), "+OK\r\n")
		if i%7 == 0 {
			s.f.Flush()
		}
	}
	s.run(1, -9, -8, "set first 2", "+OK\r\n")
	if got := s.m.count.dropped.Load(); got != 20_001-100 {
		t.Errorf("%d are dropped", got)
	}
	items := len(s.f.b.items)
	for range len(s.m.queue) {
		b := <-s.m.queue
		items += len(b.items)
		s.m.queue <- b
	}
	if items > 2*lostMax+2857+100 {
		t.Errorf("%d items wait", items)
	}
	s.plan()
	if s.knows("first") {
		t.Error("a key is known after a write to it was dropped")
	}
	if s.m.queued.Load() != 0 || s.m.bytes.Load() != 0 {
		t.Errorf("%d commands, %d bytes are counted when none waits", s.m.queued.Load(), s.m.bytes.Load())
	}
}

func TestSame(t *testing.T) {
	for _, c := range []struct {
		command, ours, theirs string
		same                  bool
	}{
		{"get", "$1\r\na\r\n", "$1\r\na\r\n", true},
		{"get", "$1\r\na\r\n", "$1\r\nb\r\n", false},
		{"smembers", "*2\r\n$1\r\na\r\n$1\r\nb\r\n", "*2\r\n$1\r\nb\r\n$1\r\na\r\n", true},
		{"smembers", "~2\r\n$1\r\na\r\n$1\r\nb\r\n", "~2\r\n$1\r\nb\r\n$1\r\nc\r\n", false},
		{"hgetall", "*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n", "*4\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\na\r\n$1\r\n1\r\n", true},
		{"hgetall", "*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n", "*4\r\n$1\r\na\r\n$1\r\n2\r\n$1\r\nb\r\n$1\r\n1\r\n", false},
		{"hgetall", "%1\r\n$1\r\na\r\n$1\r\n1\r\n", "%1\r\n$1\r\na\r\n$1\r\n2\r\n", false},
		{"lrange", "*2\r\n$1\r\na\r\n$1\r\nb\r\n", "*2\r\n$1\r\nb\r\n$1\r\na\r\n", false},
		{"ttl", ":100\r\n", ":99\r\n", true},
		{"ttl", ":100\r\n", ":-1\r\n", false},
		{"pttl", ":100000\r\n", ":98000\r\n", false},
		{"srandmember", "$1\r\na\r\n", "$1\r\nb\r\n", true},
		{"get", "-WRONGTYPE x\r\n", "-ERR x\r\n", false},
	} {
		row := command.Lookup([]byte(c.command))
		if got := same(kindOf(row), row, []byte(c.ours), []byte(c.theirs), 1500*time.Millisecond); got != c.same {
			t.Errorf("%s: %q and %q: %v", c.command, c.ours, c.theirs, got)
		}
	}
}

func FuzzSame(f *testing.F) {
	f.Add("*2\r\n$1\r\na\r\n$1\r\nb\r\n", "*2\r\n$1\r\nb\r\n$1\r\na\r\n")
	f.Add("%1\r\n$1\r\na\r\n:1\r\n", "~1\r\n_\r\n")
	f.Add("*-1\r\n", "")
	rows := []*command.Row{command.Lookup([]byte("smembers")), command.Lookup([]byte("hgetall")), command.Lookup([]byte("ttl")), command.Lookup([]byte("get"))}
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, row := range rows {
			how := kindOf(row)
			if same(how, row, []byte(a), []byte(b), time.Second) != same(how, row, []byte(b), []byte(a), time.Second) {
				t.Errorf("%s: %q and %q are the same in one direction only", row.Name, a, b)
			}
			_ = short([]byte(a))
		}
	})
}

func TestTimes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var all []int64
	var got times
	for range 10_000 {
		ns := int64(rng.ExpFloat64() * 1e6)
		all = append(all, ns)
		got.add(ns)
	}
	slices.Sort(all)
	for _, p := range []uint64{500, 990, 999} {
		want := all[len(all)*int(p)/1000]
		if have := int64(got.percentile(p)); have < want*9/10 || have > want*12/10 {
			t.Errorf("percentile %d: %d, want about %d", p, have, want)
		}
	}
}

func TestShareText(t *testing.T) {
	for text, want := range map[string]float64{"10%": 0.1, "0.1": 0.1, "100%": 1, "1": 1, "0": 0, "": 0, "x": 0, "-1": 0, "101%": 0, "NaN": 0} {
		if got, err := ParseShare(text); got != want || (err != nil) != (want == 0) {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
}

// TestSaid waits for what a loop has handed over until the shadow was told, and no longer than its context.
func TestSaid(t *testing.T) {
	s := newStage(t, nil)
	if err := s.m.Said(t.Context()); err != nil {
		t.Error("with nothing to say:", err)
	}
	s.run(1, -9, -8, "set a 1", "+OK\r\n")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if err := s.m.Said(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "1 commands") {
		t.Errorf("while one waits: %v", err)
	}
	s.plan()
	if err := s.m.Said(t.Context()); err != nil {
		t.Error("when it was told:", err)
	}
}

// TestOneSideRefuses: what the source's cluster does not do at all is not said; of a command whose replies are not compared, and which one side alone refuses, the keys are forgotten.
func TestOneSideRefuses(t *testing.T) {
	s := newStage(t, func(o *Options) { o.Filled = true })
	s.run(1, -9, -8, "move a 1", "-ERR MOVE is not allowed in cluster mode\r\n")
	if said := s.plan(); said != "" || !s.knows("a") {
		t.Errorf("%q is said; a is known: %v", said, s.knows("a"))
	}
	for _, c := range []struct {
		words, ours, theirs string
		known               bool
	}{
		{"xautoclaim a g m 0 0", "-NOGROUP none\r\n", "*-1\r\n", false},
		{"xautoclaim a g m 0 0", "-NOGROUP none\r\n", "-NOGROUP another\r\n", true},
		{"multi;xreadgroup group g m streams a >;exec", "*1\r\n-NOGROUP none\r\n", "*1\r\n*-1\r\n", false},
		{"multi;xreadgroup group g m streams a >;exec", "*1\r\n-NOGROUP none\r\n", "*1\r\n-NOGROUP none\r\n", true},
	} {
		s.m.known.allKnown()
		s.run(1, -9, -8, c.words, c.ours)
		s.f.Flush()
		b := <-s.m.queue
		s.m.plan(b, &b.items[0])
		s.m.judge(&s.m.deeds[0], 0, []byte(c.theirs))
		s.m.out, s.m.deedsN = s.m.out[:0], 0
		s.m.done(b)
		if known := s.knows("a"); known != c.known {
			t.Errorf("%s, answered %q and %q: a is known: %v", c.words, c.ours, c.theirs, known)
		}
	}
}

// TestRacedRefusal: a write that the source refused is no sign of a difference where another connection may have written, or emptied the database, at the same time.
func TestRacedRefusal(t *testing.T) {
	for _, other := range []struct{ words, reply string }{{"flushdb", "+OK\r\n"}, {"del a", ":1\r\n"}} {
		for _, raced := range []bool{true, false} {
			s := newStage(t, func(o *Options) { o.Filled = true })
			s.run(1, -9, -8, other.words, other.reply)
			from := int64(-7)
			if raced {
				from = -10
			}
			s.run(2, from, -6, "xsetid a 1-0", "-ERR no such key\r\n")
			s.f.Flush()
			b := <-s.m.queue
			s.m.plan(b, &b.items[0])
			s.m.plan(b, &b.items[1])
			if d := &s.m.deeds[1]; d.known != !raced {
				t.Errorf("XSETID beside %s, raced %v: its reply is compared: %v", other.words, raced, d.known)
			}
		}
	}
}
