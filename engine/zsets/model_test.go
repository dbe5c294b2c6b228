package zsets_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"larder/engine/store"
	"larder/engine/zsets"
	"larder/internal/snapshots"
	"larder/protocol/encoding/lzf"
	"larder/protocol/encoding/rdb"

	"pgregory.net/rapid"
)

const now = int64(1_700_000_000_000)

var key, copied = []byte("key"), []byte("copy")

// pair is a member with its score.
type pair struct {
	member string
	score  float64
}

func (p pair) String() string { return fmt.Sprintf("%q %v", p.member, p.score) }

// naive is what a sorted set should be: its members, and the same in order.
type naive struct {
	scores map[string]float64
	order  []pair
}

func newNaive() *naive { return &naive{scores: map[string]float64{}} }

func comparePairs(a, b pair) int {
	return cmp.Or(cmp.Compare(a.score, b.score), cmp.Compare(a.member, b.member))
}

func (n *naive) sort() {
	n.order = n.order[:0]
	for member, score := range n.scores {
		n.order = append(n.order, pair{member, score})
	}
	slices.SortFunc(n.order, comparePairs)
}

// flatten takes the signs of zeros, which a listpack does not keep.
func (n *naive) flatten() {
	for member, score := range n.scores {
		if score == 0 {
			n.scores[member] = 0
		}
	}
}

// text is the state of a sorted set as a text, with the bits of each score.
func text(all []pair) string {
	var out strings.Builder
	for _, p := range all {
		fmt.Fprintf(&out, "%q %x\n", p.member, math.Float64bits(p.score))
	}
	return out.String()
}

// contents are a sorted set's members by walks from both ends, which must agree.
func contents(t interface{ Fatalf(string, ...any) }, v *zsets.Value) []pair {
	var all, back []pair
	for c := v.At(0); c.Valid(); c.Next() {
		all = append(all, pair{string(c.Member()), c.Score()})
	}
	for c := v.At(v.Len() - 1); c.Valid(); c.Prev() {
		back = append(back, pair{string(c.Member()), c.Score()})
	}
	slices.Reverse(back)
	if len(all) != v.Len() || text(all) != text(back) {
		t.Fatalf("Len %d, forwards %v, backwards %v", v.Len(), all, back)
	}
	return all
}

// machine is a key's sorted set, a copy of it that once was made, and what both should be.
type machine struct {
	s      *store.Store
	db     *store.DB
	edit   zsets.Edit
	build  zsets.Builder
	limits zsets.Limits
	model  *naive
	copied []pair
	watch  snapshots.Watch
}

func drawMember(t *rapid.T) string {
	switch rapid.IntRange(0, 9).Draw(t, "shape") {
	case 0, 1, 2:
		return strconv.Itoa(rapid.IntRange(-20, 20).Draw(t, "number"))
	case 3:
		return rapid.SampledFrom([]string{"", "00", "-0", "+1", "9223372036854775807", "9223372036854775808", "\x00", "\xff\xff", "1e3"}).Draw(t, "odd")
	case 4:
		return strings.Repeat("x", rapid.SampledFrom([]int{10, 16, 17, 64, 65, 300, 3000, 70000}).Draw(t, "length"))
	}
	return rapid.StringOfN(rapid.SampledFrom([]rune("abcdef")), 1, 3, -1).Draw(t, "text")
}

func drawScore(t *rapid.T) float64 {
	switch rapid.IntRange(0, 5).Draw(t, "score") {
	case 0:
		return rapid.SampledFrom([]float64{
			math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64,
			1 << 53, 1<<53 + 2, 1 << 62, -1 << 62, 1 << 63, 0.1, -0.1, 1e17, 3.5,
		}).Draw(t, "odd score")
	case 1:
		f := rapid.Float64().Draw(t, "any")
		if math.IsNaN(f) {
			return 0
		}
		return f
	}
	return float64(rapid.IntRange(-3, 3).Draw(t, "small score"))
}

func (m *machine) begin() {
	it, found := m.db.Peek(key, now)
	m.edit.Open(m.s, m.db, key, it, found, m.limits, now)
}

func (m *machine) put(t *rapid.T, member string, score float64) {
	m.edit.Put([]byte(member), score)
	m.model.scores[member] = score
	if got, ok := m.edit.Score([]byte(member)); !ok || got != score {
		t.Fatalf("put %q %v: %v %v", member, score, got, ok)
	}
}

// change changes the sorted set that is open.
func (m *machine) change(t *rapid.T) {
	switch rapid.IntRange(0, 11).Draw(t, "change") {
	case 0, 1, 2:
		member := drawMember(t)
		_, had := m.model.scores[member]
		if m.edit.Remove([]byte(member)) != had {
			t.Fatalf("remove %q: had it %v", member, had)
		}
		delete(m.model.scores, member)
	case 3:
		m.removeSpan(t)
	case 4: // many at once: pages split
		first, n := rapid.IntRange(0, 500).Draw(t, "first"), rapid.IntRange(1, 400).Draw(t, "many")
		step := rapid.SampledFrom([]int{1, 7, 401}).Draw(t, "step")
		for i := range n {
			place := i * step % n
			m.put(t, fmt.Sprintf("member:%04d", first+place), float64(place%rapid.SampledFrom([]int{1, 5, 1000}).Draw(t, "scores")))
		}
	default:
		m.put(t, drawMember(t), drawScore(t))
	}
}

// removeSpan takes a run of ranks out: pages merge.
func (m *machine) removeSpan(t *rapid.T) {
	m.settle()
	n := len(m.model.order)
	if m.edit.Len() != n {
		t.Fatalf("%d members, want %d", m.edit.Len(), n)
	}
	from := rapid.IntRange(0, n).Draw(t, "from")
	to := rapid.IntRange(from, n).Draw(t, "to")
	if rapid.Bool().Draw(t, "few") {
		to = min(to, from+3)
	}
	for _, p := range m.model.order[from:to] {
		delete(m.model.scores, p.member)
	}
	m.edit.RemoveSpan(zsets.Span{From: from, To: to})
}

// settle brings the model into the state that the sorted set, whose form it looks at, must have.
func (m *machine) settle() {
	if m.edit.Small() {
		m.model.flatten()
	}
	m.model.sort()
}

func (m *machine) Change(t *rapid.T) {
	m.begin()
	wasSmall := m.edit.Small()
	for range rapid.IntRange(1, 4).Draw(t, "changes") {
		m.change(t)
		m.settle()
		if !wasSmall && m.edit.Small() && m.edit.Len() > 0 {
			t.Fatal("a large one became small")
		}
		wasSmall = m.edit.Small()
		m.check(t, &m.edit.Value)
	}
	if rapid.IntRange(0, 9).Draw(t, "enlarge") == 0 {
		m.edit.Enlarge()
		m.check(t, &m.edit.Value)
	}
	if there := m.edit.Close(); there != (len(m.model.scores) > 0) {
		t.Fatalf("there: %v, members %d", there, len(m.model.scores))
	}
}

// Store replaces the sorted set by one that is built as a whole.
func (m *machine) Store(t *rapid.T) {
	m.build.Reset()
	clear(m.model.scores)
	for range rapid.IntRange(1, 30).Draw(t, "built") {
		member, score := drawMember(t), drawScore(t)
		if _, had := m.model.scores[member]; !had {
			m.build.Add([]byte(member), score)
			m.model.scores[member] = score
		}
	}
	if !m.build.Distinct(m.s) || m.build.Len() != len(m.model.scores) {
		t.Fatalf("%d built, want %d", m.build.Len(), len(m.model.scores))
	}
	m.build.Store(m.s, m.db, key, m.limits, store.NoExpiry, now)
	m.begin()
	m.settle()
	m.edit.Close()
}

// Copy makes a copy, which shares what both have until one changes.
func (m *machine) Copy(*rapid.T) {
	if len(m.model.order) > 0 {
		m.db.Transfer(key, m.db, copied, true, now)
		m.copied = slices.Clone(m.model.order)
	}
}

// Forget deletes one of the two.
func (m *machine) Forget(t *rapid.T) {
	if rapid.Bool().Draw(t, "the copy") {
		m.db.Delete(copied, now)
		m.copied = nil
		return
	}
	m.db.Delete(key, now)
	clear(m.model.scores)
	m.model.sort()
}

func (m *machine) Snapshot(t *rapid.T) { m.watch.Step(t) }

func (m *machine) states() map[string]string {
	states := map[string]string{}
	for name, all := range map[string][]pair{string(key): m.model.order, string(copied): m.copied} {
		if len(all) > 0 {
			states[name] = text(all)
		}
	}
	return states
}

// Check reads both as a client would.
func (m *machine) Check(t *rapid.T) {
	for name, want := range map[string][]pair{string(key): m.model.order, string(copied): m.copied} {
		it, found := m.db.Peek([]byte(name), now)
		if found != (len(want) > 0) {
			t.Fatalf("%s is there: %v, want %d members", name, found, len(want))
		}
		if !found {
			continue
		}
		v := zsets.Of(m.s, it)
		if got := contents(t, &v); text(got) != text(want) {
			t.Fatalf("%s has %v, want %v", name, got, want)
		}
		if name == string(key) {
			m.checkScan(t, &v)
			m.checkDump(t, &v)
		}
	}
}

// check compares what is asked of a sorted set with what the model says.
func (m *machine) check(t *rapid.T, v *zsets.Value) {
	want := m.model.order
	if got := contents(t, v); text(got) != text(want) {
		t.Fatalf("%v, want %v", got, want)
	}
	if v.Small() && (v.Len() > m.limits.EntriesMax || slices.ContainsFunc(want, func(p pair) bool { return len(p.member) > m.limits.ValueMax })) {
		t.Fatalf("a small one has %v", want)
	}
	for rank := 0; rank < len(want); rank += 1 + len(want)/50 {
		p := want[rank]
		got, score, ok := v.Rank([]byte(p.member))
		if c := v.At(rank); !ok || got != rank || score != p.score || string(c.Member()) != p.member {
			t.Fatalf("%q has rank %d and score %v, want %d and %v", p.member, got, score, rank, p.score)
		}
	}
	absent := drawMember(t)
	score, has := m.model.scores[absent]
	if got, ok := v.Score([]byte(absent)); ok != has || got != score {
		t.Fatalf("%q: %v %v, want %v %v", absent, got, ok, score, has)
	}
	checkByScore(t, v, want)
	checkByLex(t, v, want)
}

// spanOf is the run of those members that are in a range, which stand together.
func spanOf(all []pair, in func(p pair) bool) (members []pair) {
	from := slices.IndexFunc(all, in)
	if from < 0 {
		return nil
	}
	for _, p := range all[from:] {
		if !in(p) {
			break
		}
		members = append(members, p)
	}
	return members
}

func checkByScore(t *rapid.T, v *zsets.Value, want []pair) {
	draw := func() float64 {
		if len(want) > 0 && rapid.Bool().Draw(t, "there") {
			return rapid.SampledFrom(want).Draw(t, "bound").score
		}
		return drawScore(t)
	}
	r := zsets.ScoreRange{Min: draw(), Max: draw(), MinEx: rapid.Bool().Draw(t, "minEx"), MaxEx: rapid.Bool().Draw(t, "maxEx")}
	in := func(p pair) bool {
		return (p.score > r.Min || p.score == r.Min && !r.MinEx) && (p.score < r.Max || p.score == r.Max && !r.MaxEx)
	}
	checkSpan(t, v, v.ByScore(&r), want, spanOf(want, in), r)
}

// checkByLex draws ranges where all scores are equal: elsewhere nobody says what they hold.
func checkByLex(t *rapid.T, v *zsets.Value, want []pair) {
	if len(want) > 0 && want[0].score != want[len(want)-1].score {
		return
	}
	draw := func() zsets.LexBound {
		if n := rapid.IntRange(0, 4).Draw(t, "infinite"); n < 2 {
			return zsets.LexBound{Infinite: 2*n - 1}
		}
		return zsets.LexBound{Member: []byte(drawMember(t)), Ex: rapid.Bool().Draw(t, "ex")}
	}
	r := zsets.LexRange{Min: draw(), Max: draw()}
	above := func(b *zsets.LexBound, member string) int {
		if b.Infinite != 0 {
			return -b.Infinite
		}
		return cmp.Compare(member, string(b.Member))
	}
	in := func(p pair) bool {
		low, high := above(&r.Min, p.member), above(&r.Max, p.member)
		return (low > 0 || low == 0 && !r.Min.Ex) && (high < 0 || high == 0 && !r.Max.Ex)
	}
	members := spanOf(want, in)
	checkSpan(t, v, v.ByLex(&r), want, members, r)
	checkSpan(t, v, v.ByLexReverse(&r), want, members, r)
}

func checkSpan(t *rapid.T, v *zsets.Value, s zsets.Span, all, want []pair, r any) {
	if s.Len() != len(want) || s.Len() > 0 && (s.From < 0 || s.To > len(all) || text(all[s.From:s.To]) != text(want)) {
		t.Fatalf("%+v of %v: ranks %v, want %v", r, all, s, want)
	}
}

func (m *machine) checkScan(t *rapid.T, v *zsets.Value) {
	seen := map[string]int{}
	var room [zsets.NumberMax]byte
	for cursor, calls := uint64(0), 0; ; calls++ {
		cursor = v.Scan(cursor, rapid.IntRange(1, 200).Draw(t, "count"), &room, func(member []byte, score float64, _ bool) {
			if m.model.scores[string(member)] != score {
				t.Fatalf("scan shows %q with %v", member, score)
			}
			seen[string(member)]++
		})
		if cursor == 0 {
			break
		}
		if calls > len(m.model.order) {
			t.Fatal("a scan without end")
		}
	}
	for _, p := range m.model.order {
		if seen[p.member] != 1 {
			t.Fatalf("scan shows %q %d times", p.member, seen[p.member])
		}
	}
	if len(seen) != len(m.model.order) {
		t.Fatalf("scan shows %d members, want %d", len(seen), len(m.model.order))
	}
}

// checkDump reads what Write writes.
func (m *machine) checkDump(t *rapid.T, v *zsets.Value) {
	payload := dump(v, new(lzf.Compressor))
	var b zsets.Builder
	if !b.Load(m.s, rdb.Type(payload[0]), payload[1:]) {
		t.Fatalf("refused: %.200q", payload)
	}
	b.Sort()
	var got []pair
	for i := range b.Len() {
		member, score := b.At(i)
		got = append(got, pair{string(member), score})
	}
	if text(got) != text(m.model.order) {
		t.Fatalf("dumped and read: %v, want %v", got, m.model.order)
	}
}

// TestModel: a sorted set is what its members and scores in order are, in both forms, whatever happens to it, and snapshots have what was there.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := snapshots.NewStore(t)
		defer s.Close()
		m := &machine{s: s, db: s.DB(0), model: newNaive()}
		m.limits = rapid.SampledFrom([]zsets.Limits{{EntriesMax: 4, ValueMax: 16}, {}, {EntriesMax: 128, ValueMax: 64}, {EntriesMax: 1000, ValueMax: 1 << 20}}).Draw(t, "limits")
		m.watch = snapshots.Watch{Store: s, States: m.states, Reader: func() func(it store.Item) string {
			return func(it store.Item) string {
				v := zsets.Of(s, it)
				return text(contents(t, &v))
			}
		}}
		t.Repeat(map[string]func(*rapid.T){
			"": m.Check, "change": m.Change, "change more": m.Change, "store": m.Store, "copy": m.Copy, "forget": m.Forget,
			"snapshot": m.Snapshot, "snapshot more": m.Snapshot, "snapshot still": m.Snapshot,
		})
		m.watch.End(t)
	})
}

// FuzzLoad reads strangers' bytes: what is taken has members that are each there once and have a score, and it can be stored and written and read again.
func FuzzLoad(f *testing.F) {
	double := func(x float64) string { return string(rdb.AppendDouble(nil, x)) }
	f.Add(byte(rdb.TypeZSet), []byte("\x02\x01a"+double(1)+"\x01b"+double(math.Inf(-1))))
	f.Add(byte(rdb.TypeZSet), []byte("\x01\x01a"+double(math.NaN())))
	f.Add(byte(rdb.TypeZSet), []byte("\x02\x01a"+double(0)+"\x01a"+double(1)))
	f.Add(byte(rdb.TypeZSetText), []byte("\x02\x01a\x031.5\x01b\xfe"))
	f.Add(byte(rdb.TypeZSetText), []byte("\x01\x01a\xfd"))
	f.Add(byte(rdb.TypeZSetListpack), []byte("\x0f\x0f\x00\x00\x00\x04\x00\x81a\x02\x01\x01\x81b\x02\x02\x01\xff"))
	f.Add(byte(rdb.TypeZSetListpack), []byte("\x10\x10\x00\x00\x00\x02\x00\x81a\x02\x83nan\x04\xff"))
	f.Add(byte(rdb.TypeZSetZiplist), []byte("\x11\x11\x00\x00\x00\x0d\x00\x00\x00\x02\x00\x00\x01a\x03\xf2\xff"))
	f.Fuzz(func(t *testing.T, kind byte, value []byte) {
		var b zsets.Builder
		s := snapshots.NewStore(t)
		defer s.Close()
		if !b.Load(s, rdb.Type(kind), value) {
			return
		}
		b.Store(s, s.DB(0), key, zsets.DefaultLimits(), store.NoExpiry, now)
		it, found := s.DB(0).Peek(key, now)
		if !found {
			t.Fatal("nothing came of it")
		}
		v := zsets.Of(s, it)
		all := contents(t, &v)
		if !slices.IsSortedFunc(all, comparePairs) || slices.ContainsFunc(all, func(p pair) bool { return math.IsNaN(p.score) }) {
			t.Fatalf("out of order, or no numbers: %v", all)
		}
		for rank, p := range all {
			if got, _, ok := v.Rank([]byte(p.member)); !ok || got != rank {
				t.Fatalf("%q is at %d, and is found at %d (%v)", p.member, rank, got, ok)
			}
		}
		payload := dump(&v, nil)
		if !b.Load(s, rdb.Type(payload[0]), payload[1:]) || b.Len() != len(all) {
			t.Fatalf("%q is not read again", payload)
		}
		b.Sort()
		for i, p := range all {
			if member, score := b.At(i); !bytes.Equal(member, []byte(p.member)) || score != p.score {
				t.Fatalf("%q %v became %q %v", p.member, p.score, member, score)
			}
		}
	})
}

func dump(v *zsets.Value, c *lzf.Compressor) []byte {
	p := rdb.Pen{Compressor: c}
	v.Write(&p)
	return p.Out
}
