package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"larder/engine/memory"
	"larder/engine/store"
	"larder/router"

	"pgregory.net/rapid"
)

type tester interface {
	Fatal(...any)
	Cleanup(func())
}

func options(seed uint64) store.Options {
	return store.Options{Databases: 3, Memory: memory.Map{}, Seed: seed, Slot: router.Slot, Rand: rand.New(rand.NewPCG(seed, 1))}
}

func open(t tester, seed uint64) *store.Store { return openWith(t, options(seed)) }

func openWith(t tester, o store.Options) *store.Store {
	s, err := store.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
	return s
}

// entry is a key in the naive model: a map of strings.
type entry struct {
	text     string
	encoding store.Encoding
	expiry   int64
}

type model struct {
	dbs    [3]map[string]entry
	now    int64
	deaths store.Deaths
	late   int64 // up to then, dead keys may be left that were hidden or shown
}

func (m *model) get(db int, key string) (entry, bool) {
	e, ok := m.dbs[db][key]
	if ok && m.deaths != store.Show && e.expiry != 0 && e.expiry <= m.now {
		if m.deaths == store.Remove {
			delete(m.dbs[db], key)
		}
		return entry{}, false
	}
	return e, ok
}

// remove removes a key that get has found.
func (m *model) remove(db int, key string, found bool) {
	if found {
		delete(m.dbs[db], key)
	}
}

func encodingOf(text string, form store.Form) store.Encoding {
	if form == store.FormAny {
		if _, ok := store.ParseInt([]byte(text)); ok {
			return store.Int
		}
	}
	if form == store.FormRaw || len(text) > 44 {
		return store.Raw
	}
	return store.EmbStr
}

// machine runs the same random operations on the store and the model.
type machine struct {
	s      *store.Store
	m      model
	policy store.Policy
	passes []*pass
	pins   []pinned
	reads  []pinnedObject
	fault  error // found in a callback
}

// pass is a snapshot with what it must find, and what it found.
type pass struct {
	snapshot *store.Snapshot
	now      int64
	kept     int64 // its limit
	want     [3]map[string]entry
	got      [3]map[string]entry
}

type pinned struct {
	pin  store.Pin
	text string
}

// gone is told of what the store removes by itself.
func (k *machine) gone(db int, key []byte, evicted bool) {
	e, ok := k.m.dbs[db][string(key)]
	switch {
	case !ok && evicted:
		k.fault = fmt.Errorf("db %d: %q went and was not there", db, key)
	case ok && !evicted && (e.expiry == 0 || e.expiry > k.m.now):
		k.fault = fmt.Errorf("db %d: %q expired before its time", db, key)
	case evicted && k.m.deaths != store.Remove, k.m.deaths == store.Show:
		k.fault = fmt.Errorf("db %d: %q went, which is not to go", db, key)
	case evicted && (k.policy == store.NoEviction || k.policy >= store.VolatileLRU && e.expiry == 0):
		k.fault = fmt.Errorf("db %d: %q was evicted under %v", db, key, k.policy)
	}
	delete(k.m.dbs[db], string(key))
}

var texts = rapid.OneOf(
	rapid.SampledFrom([]string{"", "0", "-0", "12", "-9223372036854775808", "9223372036854775807", "9223372036854775808", "007", "+1"}),
	rapid.Custom(func(t *rapid.T) string {
		n := rapid.SampledFrom([]int{1, 5, 44, 45, 100, 500, 513, 3000, 16000, 16384, 20000, 200000}).Draw(t, "bytes")
		return strings.Repeat(rapid.SampledFrom([]string{"a", "xy", "\x00"}).Draw(t, "byte"), n)
	}),
)

func (k *machine) draw(t *rapid.T) (db int, key string) {
	n := rapid.IntRange(0, 60).Draw(t, "key")
	key = fmt.Sprintf("{%d}%d", n%3, n)
	if n == 60 {
		key += strings.Repeat("long", 5000)
	}
	return rapid.IntRange(0, 2).Draw(t, "db"), key
}

func (k *machine) Set(t *rapid.T) {
	db, key := k.draw(t)
	text := texts.Draw(t, "value")
	form := rapid.SampledFrom([]store.Form{store.FormAny, store.FormText, store.FormRaw}).Draw(t, "form")
	expiry := rapid.SampledFrom([]int64{store.NoExpiry, store.KeepExpiry, k.m.now + 1, k.m.now + 500, k.m.now + 100000, k.m.now + 1<<50}).Draw(t, "expiry")
	old, _ := k.m.get(db, key)
	name := []byte(key)
	if rapid.Bool().Draw(t, "batch") {
		k.s.DB(db).Prepare(name)
		k.s.Fetch()
	}
	k.s.DB(db).Set(name, []byte(text), form, expiry, k.m.now)
	k.s.Forget()
	if expiry == store.KeepExpiry {
		expiry = old.expiry
	}
	k.m.dbs[db][key] = entry{text, encodingOf(text, form), expiry}
}

// Rewrite gives a text another of the same length, once or twice.
func (k *machine) Rewrite(t *rapid.T) {
	db, key := k.draw(t)
	for range rapid.IntRange(1, 2).Draw(t, "times") {
		e, ok := k.m.get(db, key)
		if !ok || strings.HasPrefix(e.text, objectMark) {
			return
		}
		e.text = strings.Repeat(rapid.SampledFrom([]string{"p", "q"}).Draw(t, "byte"), len(e.text))
		e.encoding = encodingOf(e.text, store.FormText)
		k.s.DB(db).Set([]byte(key), []byte(e.text), store.FormText, store.KeepExpiry, k.m.now)
		k.m.dbs[db][key] = e
	}
}

// Fill sets many keys, so that tables are split, or deletes them, so that they are joined.
func (k *machine) Fill(t *rapid.T) {
	db := rapid.IntRange(0, 2).Draw(t, "db")
	from, n := rapid.IntRange(0, 300).Draw(t, "from"), rapid.IntRange(0, 200).Draw(t, "keys")
	set := rapid.Bool().Draw(t, "set")
	expiry := rapid.SampledFrom([]int64{store.NoExpiry, k.m.now + 100, k.m.now + 90000}).Draw(t, "expiry")
	for i := from; i < from+n; i++ {
		key := fmt.Sprintf("{1}f%d", i)
		if set {
			k.s.DB(db).Set([]byte(key), []byte(key), store.FormAny, expiry, k.m.now)
			k.m.dbs[db][key] = entry{key, store.EmbStr, expiry}
			continue
		}
		_, want := k.m.get(db, key)
		if k.s.DB(db).Delete([]byte(key), k.m.now) != want {
			t.Fatalf("delete %q: want %v", key, want)
		}
		k.m.remove(db, key, want)
	}
}

func (k *machine) Delete(t *rapid.T) {
	db, key := k.draw(t)
	_, want := k.m.get(db, key)
	k.m.remove(db, key, want)
	if got := k.s.DB(db).Delete([]byte(key), k.m.now); got != want {
		t.Fatalf("delete %q: %v, want %v", key, got, want)
	}
}

func (k *machine) Grow(t *rapid.T) {
	db, key := k.draw(t)
	n := rapid.SampledFrom([]int{0, 1, 30, 100, 4000, 16380, 17000, 300000}).Draw(t, "bytes")
	e, _ := k.m.get(db, key)
	if strings.HasPrefix(e.text, objectMark) {
		return
	}
	text := []byte(e.text)
	if len(text) < n {
		text = append(text, make([]byte, n-len(text))...)
	}
	b := k.s.DB(db).Grow([]byte(key), n, k.m.now)
	if !bytes.Equal(b, text) {
		t.Fatalf("grow %q to %d: %d bytes, want %d", key, n, len(b), len(text))
	}
	if len(b) > 0 {
		at := rapid.IntRange(0, len(b)-1).Draw(t, "at")
		b[at], text[at] = 'Q', 'Q'
	}
	k.m.dbs[db][key] = entry{string(text), store.Raw, e.expiry}
}

func (k *machine) Expire(t *rapid.T) {
	db, key := k.draw(t)
	at := k.m.now + rapid.SampledFrom([]int64{1, 17, 4000, 5000, 1 << 20, 1 << 30}).Draw(t, "ms")
	if rapid.IntRange(0, 4).Draw(t, "persist") == 0 {
		at = store.NoExpiry
	}
	e, want := k.m.get(db, key)
	it, ok := k.s.DB(db).Peek([]byte(key), k.m.now)
	if ok != want {
		t.Fatalf("peek %q: %v, want %v", key, ok, want)
	}
	if ok {
		it.Expire(at, k.m.now)
		e.expiry = at
		k.m.dbs[db][key] = e
	}
}

func (k *machine) Transfer(t *rapid.T) {
	db, key := k.draw(t)
	to, newKey := k.draw(t)
	if db == to && key == newKey {
		return
	}
	keep := rapid.Bool().Draw(t, "keep")
	e, want := k.m.get(db, key)
	if got := k.s.DB(db).Transfer([]byte(key), k.s.DB(to), []byte(newKey), keep, k.m.now); got != want {
		t.Fatalf("transfer %q: %v, want %v", key, got, want)
	}
	if want {
		k.m.dbs[to][newKey] = e
		if !keep {
			delete(k.m.dbs[db], key)
		}
	}
}

func (k *machine) Advance(t *rapid.T) {
	k.m.now += rapid.SampledFrom([]int64{1, 16, 100, 4096, 70000, 1 << 21}).Draw(t, "ms")
	for {
		_, more := k.s.Expire(k.m.now, 100)
		if !more {
			break
		}
	}
	if k.m.now < k.m.late {
		return
	}
	const tick = 16 // ms: so late may the wheel be
	for db := range k.m.dbs {
		most := 0
		for key, e := range k.m.dbs[db] {
			if e.expiry == 0 || e.expiry > k.m.now-tick {
				most++
			}
			if _, ok := k.m.get(db, key); !ok {
				defer k.s.DB(db).Peek([]byte(key), k.m.now)
			}
		}
		if n := k.s.DB(db).Len(); n > most {
			t.Fatalf("db %d: %d keys are left, want at most %d", db, n, most)
		}
	}
}

func (k *machine) Flush(t *rapid.T) {
	if rapid.IntRange(0, 20).Draw(t, "really") > 0 {
		return
	}
	db := rapid.IntRange(0, 2).Draw(t, "db")
	k.s.DB(db).Flush()
	k.m.dbs[db] = map[string]entry{}
}

// Swap has two databases change places.
func (k *machine) Swap(t *rapid.T) {
	i := rapid.IntRange(0, 2).Draw(t, "db")
	j := (i + rapid.IntRange(1, 2).Draw(t, "other")) % 3
	k.s.Swap(i, j)
	k.m.dbs[i], k.m.dbs[j] = k.m.dbs[j], k.m.dbs[i]
}

func (k *machine) Random(t *rapid.T) {
	db := rapid.IntRange(0, 2).Draw(t, "db")
	for key := range k.m.dbs[db] {
		k.m.get(db, key)
	}
	key, ok := k.s.DB(db).Random(k.m.now)
	if k.m.deaths != store.Remove {
		if _, lives := k.m.get(db, string(key)); ok && !lives {
			t.Fatalf("random: %q, which is dead", key)
		}
		return
	}
	if _, has := k.m.dbs[db][string(key)]; ok != (len(k.m.dbs[db]) > 0) || ok && !has {
		t.Fatalf("random: %q %v of %d", key, ok, len(k.m.dbs[db]))
	}
}

// Deaths changes what becomes of dead keys.
func (k *machine) Deaths(t *rapid.T) {
	k.m.deaths = rapid.SampledFrom([]store.Deaths{store.Remove, store.Remove, store.Hide, store.Show}).Draw(t, "deaths")
	k.s.SetDeaths(k.m.deaths)
	if k.m.late = k.m.now + latest; k.m.deaths != store.Remove {
		k.m.late = 1 << 62
	}
}

// latest is how late a dead key may go that the wheel could not remove before, ms.
const latest = 5000 + 2*16

// Shake moves items and gives memory back as compaction does over hours.
func (k *machine) Shake(t *rapid.T) {
	k.s.Shake(rapid.IntRange(0, 1<<16-1).Draw(t, "segments"))
}

// Work does slices of what is left to do.
func (k *machine) Work(t *rapid.T) {
	k.s.Work(rapid.SampledFrom([]int{1, 1000, 1 << 20}).Draw(t, "budget"))
}

// Limit changes the limit on memory, and makes room as before a write.
func (k *machine) Limit(t *rapid.T) {
	k.policy = store.Policy(rapid.IntRange(0, int(store.VolatileTTL)).Draw(t, "policy"))
	limit := int64(0)
	if eighths := rapid.SampledFrom([]int64{0, 4, 7, 8, 9, 12}).Draw(t, "limit"); eighths > 0 {
		limit = k.s.Used()*eighths/8 + 1
	}
	k.s.SetLimit(limit, k.policy)
	for range rapid.IntRange(0, 3).Draw(t, "times") {
		need := rapid.SampledFrom([]int{10, 1000, 50000}).Draw(t, "need")
		if k.s.MakeRoom(need, k.m.now) && limit > 0 && k.m.deaths == store.Remove && k.s.Used()+int64(need) > limit {
			t.Fatalf("%d bytes used of %d, and room for %d", k.s.Used(), limit, need)
		}
	}
}

// Begin begins a snapshot.
func (k *machine) Begin(t *rapid.T) {
	kept := rapid.SampledFrom([]int64{0, 0, 0, 200_000}).Draw(t, "kept")
	p := &pass{now: k.m.now, kept: kept}
	asked, takes := 0, rapid.IntRange(0, 3).Draw(t, "early")
	snapshot, err := k.s.Snapshot(store.SnapshotOptions{KeptMax: kept, Early: func(db int, it store.Item) bool {
		if asked++; takes == 0 || asked%takes > 0 {
			return false
		}
		k.take(p, db, it)
		return true
	}})
	if len(k.passes) == 2 {
		if err == nil && k.passes[0].kept == 0 && k.passes[1].kept == 0 {
			t.Fatal("a third snapshot began")
		}
		if err == nil { // one of the others was given up
			snapshot.Close()
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	p.snapshot = snapshot
	for db := range k.m.dbs {
		p.want[db], p.got[db] = maps.Clone(k.m.dbs[db]), map[string]entry{}
	}
	k.passes = append(k.passes, p)
}

// take notes what a snapshot yields.
func (k *machine) take(p *pass, db int, it store.Item) {
	if _, twice := p.got[db][string(it.Key())]; twice {
		k.fault = fmt.Errorf("db %d key %.20q twice in a snapshot", db, it.Key())
	}
	p.got[db][string(it.Key())] = entry{textOf(it), it.Encoding(), it.ExpiryMS()}
}

// Read reads a slice of a snapshot, or ends it.
func (k *machine) Read(t *rapid.T) {
	if len(k.passes) == 0 {
		return
	}
	i := rapid.IntRange(0, len(k.passes)-1).Draw(t, "pass")
	p := k.passes[i]
	if rapid.IntRange(0, 20).Draw(t, "close") == 0 {
		p.snapshot.Close()
		k.passes = slices.Delete(k.passes, i, i+1)
		return
	}
	more, err := p.snapshot.Next(rapid.SampledFrom([]int{1, 100, 5000, 1 << 20}).Draw(t, "budget"), func(db int, it store.Item) { k.take(p, db, it) })
	if err != nil && !errors.Is(err, store.ErrKept) {
		t.Fatal(err)
	}
	if more {
		return
	}
	k.passes = slices.Delete(k.passes, i, i+1)
	if err == nil {
		p.compare(t)
	}
}

func (p *pass) compare(t *rapid.T) {
	for db := range p.want {
		for key, want := range p.want[db] {
			if got, ok := p.got[db][key]; got != want && (want.expiry == 0 || want.expiry > p.now) {
				t.Fatalf("snapshot: db %d key %.20q: %v %.20q until %d, want %.20q until %d", db, key, ok, got.text, got.expiry, want.text, want.expiry)
			}
		}
		for key := range p.got[db] {
			if e := p.got[db][key]; e.expiry == 0 || e.expiry > p.now {
				if _, ok := p.want[db][key]; !ok {
					t.Fatalf("snapshot: db %d key %.20q was not there", db, key)
				}
			}
		}
	}
}

// Pin keeps a long value, or lets one go.
func (k *machine) Pin(t *rapid.T) {
	if len(k.pins) > 3 {
		k.pins[0].pin.Unpin()
		k.pins = k.pins[1:]
	}
	db, key := k.draw(t)
	it, ok := k.s.DB(db).Peek([]byte(key), k.m.now)
	if !ok {
		return
	}
	if pin, ok := it.Pin(); ok {
		k.pins = append(k.pins, pinned{pin, string(pin.Bytes())})
	} else if it.Len() >= store.PinMin {
		t.Fatalf("a value of %d bytes can't be pinned", it.Len())
	}
}

// Increment changes numbers in place.
func (k *machine) Increment(t *rapid.T) {
	db, key := k.draw(t)
	it, ok := k.s.DB(db).Lookup([]byte(key), k.m.now)
	if !ok {
		k.s.DB(db).SetInt([]byte(key), 41, store.NoExpiry, k.m.now)
		k.m.dbs[db][key] = entry{"41", store.Int, 0}
		return
	}
	if n, ok := it.Int(); ok {
		it.SetInt(n + 1)
		e := k.m.dbs[db][key]
		e.text = fmt.Sprint(n + 1)
		k.m.dbs[db][key] = e
	}
}

// Big sets a value that is filled in pieces.
func (k *machine) Big(t *rapid.T) {
	db, key := k.draw(t)
	size := rapid.SampledFrom([]int{0, 5, 32767, 32768, 70000}).Draw(t, "size")
	b := k.s.NewBig(size)
	text := strings.Repeat("z", size)
	for rest := text; rest != ""; {
		n := min(len(rest), 30000)
		b.Write([]byte(rest[:n]))
		rest = rest[n:]
	}
	if rapid.IntRange(0, 4).Draw(t, "drop") == 0 {
		b.Drop()
		return
	}
	k.s.DB(db).SetBig([]byte(key), b, store.FormAny, store.NoExpiry, k.m.now)
	k.m.dbs[db][key] = entry{text, encodingOf(text, store.FormAny), 0}
}

// FlushSlot empties a slot.
func (k *machine) FlushSlot(t *rapid.T) {
	if rapid.IntRange(0, 10).Draw(t, "really") > 0 {
		return
	}
	db, key := k.draw(t)
	slot := router.Slot([]byte(key))
	for k.s.DB(db).FlushSlot(slot, 3) {
	}
	maps.DeleteFunc(k.m.dbs[db], func(key string, _ entry) bool { return router.Slot([]byte(key)) == slot })
}

func (k *machine) Check(t *rapid.T) {
	if err := k.s.Verify(); err != nil {
		t.Fatal(err)
	}
	if k.fault != nil {
		t.Fatal(k.fault)
	}
	k.checkPins(t)
	k.checkPrefixes(t)
	for db := range k.m.dbs {
		expires := 0
		for key := range k.m.dbs[db] {
			want, ok := k.m.get(db, key)
			it, found := k.s.DB(db).Peek([]byte(key), k.m.now)
			if found != ok {
				t.Fatalf("db %d key %.20q: found %v, want %v", db, key, found, ok)
			}
			if !ok && k.m.deaths == store.Hide && k.m.dbs[db][key].expiry != 0 {
				expires++
			}
			if !ok {
				continue
			}
			if got := textOf(it); got != want.text || it.Len() != len(want.text) && !it.Kind().Big() {
				t.Fatalf("db %d key %.20q: %.30q of %d, want %.30q of %d", db, key, got, len(got), want.text, len(want.text))
			}
			if it.Encoding() != want.encoding || it.ExpiryMS() != want.expiry {
				t.Fatalf("db %d key %.20q: %v until %d, want %v until %d", db, key, it.Encoding(), it.ExpiryMS(), want.encoding, want.expiry)
			}
			if want.expiry != 0 {
				expires++
			}
		}
		if n := k.s.DB(db).Len(); n != len(k.m.dbs[db]) || k.s.DB(db).Expires() != expires {
			t.Fatalf("db %d: %d keys, %d with expiry, want %d, %d", db, n, k.s.DB(db).Expires(), len(k.m.dbs[db]), expires)
		}
	}
}

func (k *machine) checkPrefixes(t *rapid.T) {
	for _, c := range k.s.Prefixes() {
		n := int64(0)
		for db := range k.m.dbs {
			for key := range k.m.dbs[db] {
				if strings.HasPrefix(key, c.Prefix) && (c.Prefix != "{1}" || !strings.HasPrefix(key, "{1}1")) {
					n++
				}
			}
		}
		if c.Keys != n || (c.Bytes == 0) != (n == 0) {
			t.Fatalf("prefix %q: %d keys, %d bytes, want %d keys", c.Prefix, c.Keys, c.Bytes, n)
		}
	}
}

func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := &machine{}
		o := options(rapid.Uint64().Draw(t, "seed"))
		o.Gone = k.gone
		o.Prefixes = []string{"{1}", "{1}1", "{2}2"}
		k.s = openWith(t, o)
		k.m.now = 1_700_000_000_000
		for i := range k.m.dbs {
			k.m.dbs[i] = map[string]entry{}
		}
		actions := map[string]func(*rapid.T){
			"set": k.Set, "rewrite": k.Rewrite, "delete": k.Delete, "grow": k.Grow, "expire": k.Expire, "transfer": k.Transfer,
			"advance": k.Advance, "flush": k.Flush, "random": k.Random, "swap": k.Swap, "": k.Check,
			"shake": k.Shake, "work": k.Work, "limit": k.Limit, "begin": k.Begin, "read": k.Read, "pin": k.Pin, "increment": k.Increment,
			"big": k.Big, "object": k.Object, "edit": k.Edit, "fill": k.Fill, "flush slot": k.FlushSlot, "deaths": k.Deaths,
		}
		for range 3 {
			t.Repeat(actions)
		}
		for i := range k.m.dbs {
			k.s.DB(i).Each(k.m.now, func(it store.Item) bool { return true })
		}
		k.s.Flush()
		if n := k.s.Memory(); n != 0 {
			t.Fatalf("%d bytes in an empty store", n)
		}
		k.end(t)
	})
}

// end lets everything go; then all memory must come back.
func (k *machine) end(t *rapid.T) {
	for _, p := range k.passes {
		p.snapshot.Close()
	}
	for _, p := range k.pins {
		p.pin.Unpin()
	}
	for _, p := range k.reads {
		p.pin.Unpin()
	}
	k.s.SetLimit(0, store.NoEviction)
	for k.s.Work(1 << 20) {
	}
	k.s.Shake(0)
	if n := k.s.Reserved(); n > 64<<10 {
		t.Fatalf("%d bytes are reserved by an empty store", n)
	}
}

// TestMemoryReturns deletes what was set: nothing may stay accounted but the fixed tables.
func TestMemoryReturns(t *testing.T) {
	s := open(t, 7)
	d := s.DB(0)
	d.Set([]byte("k"), nil, store.FormAny, 0, 1)
	d.Delete([]byte("k"), 1)
	fixed := d.Memory()
	value := make([]byte, 40000)
	for i := range 20000 {
		d.Set(fmt.Appendf(nil, "key%d", i), value[:i*2], store.FormAny, 0, 1)
	}
	for i := range 20000 {
		if !d.Delete(fmt.Appendf(nil, "key%d", i), 1) {
			t.Fatal(i)
		}
	}
	if got := d.Memory(); got != fixed {
		t.Errorf("%d bytes after deleting all, want %d", got, fixed)
	}
	if got := s.Reserved(); got > 20<<20 {
		t.Errorf("%d bytes still reserved", got)
	}
}

// TestScanGuarantee: a key that is there during a whole scan is seen, however many others come and go meanwhile.
func TestScanGuarantee(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := open(t, rapid.Uint64().Draw(t, "seed"))
		d := s.DB(0)
		dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "dice"), 2))
		stable := rapid.IntRange(0, 300).Draw(t, "stable")
		for i := range stable {
			d.Set(fmt.Appendf(nil, "{x}s%d", i), nil, store.FormAny, 0, 1)
		}
		group := router.Slot([]byte("{x}")) / store.GroupSlots
		churn, trend := 0, rapid.SampledFrom([]int{-1, 0, 1}).Draw(t, "trend")
		for ; churn < 300 && trend < 1; churn++ {
			d.Set(fmt.Appendf(nil, "{x}c%d", churn), nil, store.FormAny, 0, 1)
		}
		seen := map[string]bool{}
		calls := 0
		for cursor := uint64(0); ; calls++ {
			cursor = d.Scan(group, cursor, 1, func(it store.Item) { seen[string(it.Key())] = true })
			if cursor == 0 {
				break
			}
			if cursor >= 1<<38 || calls > 100000 {
				t.Fatalf("cursor %d after %d calls", cursor, calls)
			}
			for range dice.IntN(20) {
				if up := dice.IntN(3) - 1 + trend; up > 0 && churn < 4000 {
					d.Set(fmt.Appendf(nil, "{x}c%d", churn), nil, store.FormAny, 0, 1)
					churn++
				} else if up < 0 && churn > 0 {
					churn--
					d.Delete(fmt.Appendf(nil, "{x}c%d", churn), 1)
				}
			}
		}
		for i := range stable {
			if !seen[fmt.Sprintf("{x}s%d", i)] {
				t.Fatalf("key %d of %d was not seen", i, stable)
			}
		}
	})
}

// TestRandomIsFair throws often enough that each of the keys must come near its share.
func TestRandomIsFair(t *testing.T) {
	s := open(t, 3)
	const keys, throws = 200, 100000
	for i := range keys {
		s.DB(0).Set(fmt.Appendf(nil, "{%d}k%d", i%7, i), nil, store.FormAny, 0, 1)
	}
	seen := map[string]int{}
	for range throws {
		key, _ := s.DB(0).Random(1)
		seen[string(key)]++
	}
	var counts []int
	for _, n := range seen {
		counts = append(counts, n)
	}
	slices.Sort(counts)
	if len(counts) != keys || counts[0] < throws/keys*7/10 || counts[keys-1] > throws/keys*13/10 {
		t.Errorf("%d keys, seen %d to %d times, want about %d", len(counts), counts[0], counts[len(counts)-1], throws/keys)
	}
}

func TestActiveExpiry(t *testing.T) {
	s := open(t, 3)
	d := s.DB(1)
	const keys = 100000
	now := int64(1_700_000_000_000)
	for i := range keys {
		d.Set(fmt.Appendf(nil, "k%d", i), []byte("v"), store.FormAny, now+int64(i)+1, now)
	}
	for i := int64(0); i <= keys+20; i += 10 {
		for more := true; more; {
			_, more = s.Expire(now+i, 50)
		}
		if left := int64(d.Len()); left > max(keys-i+16, 0) || left < keys-i {
			t.Fatalf("%d ms on: %d keys left", i, left)
		}
	}
	if s.Expired() != keys || d.Expires() != 0 {
		t.Errorf("%d expired, %d to go", s.Expired(), d.Expires())
	}
}

func TestPinIsNotChanged(t *testing.T) {
	d := open(t, 3).DB(0)
	d.Set([]byte("k"), bytes.Repeat([]byte("a"), 100000), store.FormAny, 0, 1)
	it, _ := d.Lookup([]byte("k"), 1)
	pin, ok := it.Pin()
	if !ok {
		t.Fatal("a value of 100000 bytes can't be pinned")
	}
	text := pin.Bytes()
	d.Grow([]byte("k"), 0, 1)[5] = 'b'
	d.Grow([]byte("k"), 100001, 1)[6] = 'b'
	if !bytes.Equal(text, bytes.Repeat([]byte("a"), 100000)) {
		t.Error("the pinned text changed")
	}
	pin.Unpin()
}

// TestNoAllocation: commands on a store that has its size take nothing from the Go heap.
func TestNoAllocation(t *testing.T) {
	s := open(t, 3)
	d := s.DB(0)
	const keys = 2000
	names, value := make([][]byte, keys), make([]byte, 300)
	for i := range names {
		names[i] = sixteen(nil, i)
	}
	i := 0
	round := func() {
		i++
		for j, key := range names[i%(keys-16):][:16] {
			d.Prepare(key)
			if j == 15 {
				s.Fetch()
			}
		}
		key, now := names[i%keys], int64(i)
		d.Lookup(key, now)
		d.Set(key, value[:i*31%300], store.FormAny, []int64{store.NoExpiry, now + 1000}[i%2], now)
		if it, ok := d.Lookup(key, now); !ok || it.Len() != i*31%300 {
			t.Fatal("lost")
		}
		d.Delete(names[i*7919%keys], now)
		s.Expire(now, 16)
		s.Forget()
	}
	for range 20 * keys {
		round()
	}
	if n := testing.AllocsPerRun(5*keys, round); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParseInt(f *testing.F) {
	for _, s := range []string{"0", "-0", "1", "-1", "01", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551616", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, ok := store.ParseInt([]byte(s))
		var back int64
		_, err := fmt.Sscanf(s+"\n", "%d\n", &back)
		want := err == nil && fmt.Sprint(back) == s
		if ok != want || ok && n != back {
			t.Errorf("%q: %d %v, want %d %v", s, n, ok, back, want)
		}
	})
}

func BenchmarkGet(b *testing.B) {
	s := open(b, 1)
	keys := make([][]byte, 1<<20)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "key:%012d", i)
		s.DB(0).Set(keys[i], make([]byte, 64), store.FormAny, 0, 1)
	}
	rand.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	b.Run("get", func(b *testing.B) {
		for i := range b.N {
			s.DB(0).Lookup(keys[i&(1<<20-1)], 1)
		}
	})
	b.Run("set", func(b *testing.B) {
		v := make([]byte, 64)
		for i := range b.N {
			s.DB(0).Set(keys[i&(1<<20-1)], v, store.FormAny, 0, 1)
		}
	})
	b.ReportMetric(float64(s.Memory())/float64(len(keys)), "B/key")
}
