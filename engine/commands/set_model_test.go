package commands_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"larder/engine/sets"
	"larder/engine/store"
	"larder/internal/snapshots"
	"larder/protocol/encoding/rdb"
	"larder/protocol/resp"

	"pgregory.net/rapid"
)

// setsModel is some keys' sets, which commands combine into each other, and what they should be.
type setsModel struct {
	n     *node
	sets  map[string]map[string]bool
	watch snapshots.Watch
}

var setKeys = []string{"{s}a", "{s}b", "{s}c", "{s}d"}

func (m *setsModel) key(t *rapid.T, label string) string {
	return rapid.SampledFrom(setKeys).Draw(t, label)
}

// put makes a key what it should be: a set without members is no key.
func (m *setsModel) put(key string, members map[string]bool) {
	if m.sets[key] = members; len(members) == 0 {
		delete(m.sets, key)
	}
}

func (m *setsModel) expect(t *rapid.T, want int, args ...string) {
	if got := m.n.do(args...); got != fmt.Sprintf(":%d\r\n", want) {
		t.Fatalf("%q: %q, want %d", args, got, want)
	}
}

// Add puts members in, few or so many that pages split.
func (m *setsModel) Add(t *rapid.T) {
	key := m.key(t, "key")
	form := rapid.SampledFrom([]string{"%d", "member:%d", "a member that is too long for most small sets:%d"}).Draw(t, "form")
	first, n := rapid.IntRange(0, 60).Draw(t, "first"), rapid.SampledFrom([]int{1, 3, 10, 300}).Draw(t, "many")
	members := maps.Clone(m.sets[key])
	if members == nil {
		members = map[string]bool{}
	}
	args, before := []string{"SADD", key}, len(members)
	for i := range n {
		member := fmt.Sprintf(form, first+i)
		args, members[member] = append(args, member), true
	}
	m.expect(t, len(members)-before, args...)
	m.put(key, members)
}

// Remove takes members out that are there, mostly, few or many.
func (m *setsModel) Remove(t *rapid.T) {
	key := m.key(t, "key")
	members := maps.Clone(m.sets[key])
	args := []string{"SREM", key, "none"}
	all := slices.Sorted(maps.Keys(members))
	if n := len(all); n > 0 {
		from := rapid.IntRange(0, n-1).Draw(t, "from")
		for _, member := range all[from:rapid.IntRange(from, n).Draw(t, "to")] {
			args = append(args, member)
			delete(members, member)
		}
	}
	m.expect(t, len(args)-3, args...)
	m.put(key, members)
}

func (m *setsModel) Move(t *rapid.T) {
	from, to := m.key(t, "from"), m.key(t, "to")
	all := append(slices.Sorted(maps.Keys(m.sets[from])), "none")
	member := rapid.SampledFrom(all).Draw(t, "member")
	if !m.sets[from][member] {
		m.expect(t, 0, "SMOVE", from, to, member)
		return
	}
	m.expect(t, 1, "SMOVE", from, to, member)
	if from == to {
		return
	}
	less, more := maps.Clone(m.sets[from]), maps.Clone(m.sets[to])
	delete(less, member)
	if more == nil {
		more = map[string]bool{}
	}
	more[member] = true
	m.put(from, less)
	m.put(to, more)
}

// Combine stores what an operation makes of some keys in a key, which may be one of them.
func (m *setsModel) Combine(t *rapid.T) {
	to, of := m.key(t, "to"), []string{m.key(t, "first")}
	for range rapid.IntRange(0, 3).Draw(t, "others") {
		of = append(of, m.key(t, "other"))
	}
	result, op := maps.Clone(m.sets[of[0]]), rapid.SampledFrom([]string{"SUNIONSTORE", "SINTERSTORE", "SDIFFSTORE"}).Draw(t, "op")
	if result == nil {
		result = map[string]bool{}
	}
	for _, key := range of[1:] {
		other := m.sets[key]
		switch op {
		case "SUNIONSTORE":
			maps.Copy(result, other)
		case "SINTERSTORE":
			maps.DeleteFunc(result, func(member string, _ bool) bool { return !other[member] })
		default:
			maps.DeleteFunc(result, func(member string, _ bool) bool { return other[member] })
		}
	}
	m.expect(t, len(result), append([]string{op, to}, of...)...)
	m.put(to, result)
}

// Copy shares pages between two keys.
func (m *setsModel) Copy(t *rapid.T) {
	from, to := m.key(t, "from"), m.key(t, "to")
	if from == to || len(m.sets[from]) == 0 {
		return
	}
	m.expect(t, 1, "COPY", from, to, "REPLACE")
	m.put(to, maps.Clone(m.sets[from]))
}

func (m *setsModel) states() map[string]string {
	states := map[string]string{}
	for key, members := range m.sets {
		states[key] = fmt.Sprintf("%q", slices.Sorted(maps.Keys(members)))
	}
	return states
}

// stateOf is the text of an item's set.
func (m *setsModel) stateOf(it store.Item) string {
	var v sets.View
	v.Open(m.n.store, it)
	var all []string
	for member := range v.All {
		all = append(all, string(member))
	}
	slices.Sort(all)
	return fmt.Sprintf("%q", all)
}

func (m *setsModel) Check(t *rapid.T) {
	for _, key := range setKeys {
		it, found := m.n.call.DB.Peek([]byte(key), m.n.now())
		if found != (m.sets[key] != nil) {
			t.Fatalf("%s is there: %v, want %d members", key, found, len(m.sets[key]))
		}
		if !found {
			continue
		}
		if got, want := m.stateOf(it), fmt.Sprintf("%q", slices.Sorted(maps.Keys(m.sets[key]))); got != want {
			t.Fatalf("%s has %s, want %s", key, got, want)
		}
	}
}

// TestSetsModel: sets that are combined, moved and copied are what the same does to maps, and snapshots have what was there.
func TestSetsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &setsModel{n: openNode(t, 2), sets: map[string]map[string]bool{}}
		defer m.n.store.Close()
		m.n.call.Limits.Set = sets.Limits{
			Ints: rapid.SampledFrom([]int{0, 8, 512}).Draw(t, "ints"), Packed: rapid.SampledFrom([]int{0, 8, 128}).Draw(t, "packed"), Value: rapid.SampledFrom([]int{8, 64}).Draw(t, "value"),
		}
		m.watch = snapshots.Watch{Store: m.n.store, States: m.states, Reader: func() func(it store.Item) string { return m.stateOf }}
		snapshot := m.watch.Step
		t.Repeat(map[string]func(*rapid.T){
			"": m.Check, "add": m.Add, "add more": m.Add, "remove": m.Remove, "move": m.Move, "combine": m.Combine, "combine more": m.Combine, "copy": m.Copy,
			"snapshot": snapshot, "snapshot more": snapshot, "snapshot still": snapshot,
		})
		m.watch.End(t)
	})
}

// FuzzRestoreSet gives RESTORE what claims to be a set: what is taken has each member once, in the form that its members have, and can be dumped and read.
func FuzzRestoreSet(f *testing.F) {
	f.Add(byte(rdb.TypeSet), []byte("\x02\x01a\x01b"))
	f.Add(byte(rdb.TypeSet), []byte("\x02\x01a\x01a"))
	f.Add(byte(rdb.TypeSet), []byte("\x02\xc0\x05\x0205"))
	f.Add(byte(rdb.TypeSet), []byte("\x01\xc3\x09\x40\x40\x01vv\xe0\x34\x00\x01vv"))
	f.Add(byte(rdb.TypeSetIntset), []byte("\x0c\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00\x02\x00"))
	f.Add(byte(rdb.TypeSetIntset), []byte("\x0c\x02\x00\x00\x00\x02\x00\x00\x00\x02\x00\x01\x00"))
	f.Add(byte(rdb.TypeSetListpack), []byte("\x0d\x0d\x00\x00\x00\x02\x00\x81a\x02\x07\x01\xff"))
	f.Add(byte(rdb.TypeSetListpack), []byte("\x0d\x0d\x00\x00\x00\x02\x00\x81a\x02\x81a\x02\xff"))
	f.Fuzz(func(t *testing.T, kind byte, value []byte) {
		switch rdb.Type(kind) {
		case rdb.TypeSet, rdb.TypeSetIntset, rdb.TypeSetListpack:
		default:
			return
		}
		n := newNode(t, 2)
		n.call.BulkMax = 1 << 20
		if n.do("RESTORE", "k", "0", string(rdb.AppendFooter(append([]byte{kind}, value...), 0))) != "+OK\r\n" {
			if n.do("DBSIZE") != ":0\r\n" {
				t.Fatal("refused, and a key is there")
			}
			return
		}
		members := func(key string) []string {
			var all []string
			it := resp.Elements([]byte(n.do("SMEMBERS", key)))
			for e, ok := it.Next(); ok; e, ok = it.Next() {
				text, _ := resp.Value(e).Bytes()
				all = append(all, string(text))
			}
			slices.Sort(all)
			return all
		}
		all := members("k")
		if len(all) == 0 || len(slices.Compact(slices.Clone(all))) != len(all) || n.do("SCARD", "k") != fmt.Sprintf(":%d\r\n", len(all)) {
			t.Fatalf("members %q", all)
		}
		numbers := !slices.ContainsFunc(all, func(member string) bool {
			i, err := strconv.ParseInt(member, 10, 64)
			return err != nil || strconv.FormatInt(i, 10) != member
		})
		if strings.Contains(n.do("OBJECT", "ENCODING", "k"), "intset") && !numbers {
			t.Fatalf("an intset of %q", all)
		}
		for _, member := range all {
			if n.do("SISMEMBER", "k", member) != ":1\r\n" {
				t.Fatalf("%q is not found among %q", member, all)
			}
		}
		if got := n.do("RESTORE", "again", "0", textOf(n.do("DUMP", "k"))); got != "+OK\r\n" || !slices.Equal(all, members("again")) {
			t.Fatalf("dumped and read again %q: %q", got, members("again"))
		}
	})
}
