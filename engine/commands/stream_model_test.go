package commands_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"larder/engine/store"
	"larder/engine/streams"
	"larder/internal/snapshots"
	"larder/protocol/encoding/rdb"

	"pgregory.net/rapid"
)

// streamModel is a stream whose groups and consumers work, while snapshots are to have it as it was when they began. What each consumer must have pending is
// kept beside it.
type streamModel struct {
	n       *node
	last    int            // the first half of the newest ID
	there   map[int]bool   // entries
	read    map[string]int // the last one that a group was given
	pending map[string]map[int]string
	watch   snapshots.Watch
}

var (
	groupNames    = []string{"g", "h"}
	consumerNames = []string{"alice", "bob", "carol"}
)

func (m *streamModel) expect(t *rapid.T, want string, args ...string) {
	if got := m.n.do(args...); got != want {
		t.Fatalf("%q: %q, want %q", args, got, want)
	}
}

func (m *streamModel) Add(t *rapid.T) {
	for range rapid.SampledFrom([]int{1, 5, 60}).Draw(t, "many") {
		m.last++
		m.there[m.last] = true
		id := strconv.Itoa(m.last) + "-0"
		m.expect(t, fmt.Sprintf("$%d\r\n%s\r\n", len(id), id), "XADD", "s", id, "field", "value")
	}
}

func (m *streamModel) names(t *rapid.T) (group, consumer string) {
	return rapid.SampledFrom(groupNames).Draw(t, "group"), rapid.SampledFrom(consumerNames).Draw(t, "consumer")
}

// Read gives a consumer entries that none of its group was given.
func (m *streamModel) Read(t *rapid.T) {
	group, consumer := m.names(t)
	count := rapid.IntRange(1, 20).Draw(t, "count")
	m.n.do("XREADGROUP", "GROUP", group, consumer, "COUNT", strconv.Itoa(count), "STREAMS", "s", ">")
	for id := m.read[group] + 1; id <= m.last && count > 0; id++ {
		if m.there[id] {
			m.pending[group][id] = consumer
			m.read[group] = id
			count--
		}
	}
}

func (m *streamModel) id(t *rapid.T) int { return rapid.IntRange(1, m.last+1).Draw(t, "id") }

func (m *streamModel) Ack(t *rapid.T) {
	group, _ := m.names(t)
	args, n := []string{"XACK", "s", group}, 0
	for range rapid.IntRange(1, 10).Draw(t, "acks") {
		id := m.id(t)
		args = append(args, strconv.Itoa(id))
		if _, had := m.pending[group][id]; had {
			n++
			delete(m.pending[group], id)
		}
	}
	m.expect(t, fmt.Sprintf(":%d\r\n", n), args...)
}

// Claim gives entries to another consumer; one that is deleted is no longer pending, and with FORCE one that is there becomes it.
func (m *streamModel) Claim(t *rapid.T) {
	group, consumer := m.names(t)
	id, force := m.id(t), rapid.Bool().Draw(t, "force")
	args := []string{"XCLAIM", "s", group, consumer, "0", strconv.Itoa(id), "JUSTID"}
	if force {
		args = append(args, "FORCE")
	}
	m.n.do(args...)
	_, had := m.pending[group][id]
	switch {
	case m.there[id] && (had || force):
		m.pending[group][id] = consumer
	case !m.there[id]:
		delete(m.pending[group], id)
	}
}

func (m *streamModel) AutoClaim(t *rapid.T) {
	group, consumer := m.names(t)
	from := m.id(t)
	m.n.do("XAUTOCLAIM", "s", group, consumer, "0", strconv.Itoa(from), "COUNT", "1000")
	for id := range m.pending[group] {
		switch {
		case id < from:
		case m.there[id]:
			m.pending[group][id] = consumer
		default:
			delete(m.pending[group], id)
		}
	}
}

func (m *streamModel) Delete(t *rapid.T) {
	id, n := m.id(t), 0
	if m.there[id] {
		n = 1
	}
	delete(m.there, id)
	m.expect(t, fmt.Sprintf(":%d\r\n", n), "XDEL", "s", strconv.Itoa(id))
}

func (m *streamModel) Trim(t *rapid.T) {
	from, n := m.id(t), 0
	for id := range m.there {
		if id < from {
			delete(m.there, id)
			n++
		}
	}
	m.expect(t, fmt.Sprintf(":%d\r\n", n), "XTRIM", "s", "MINID", strconv.Itoa(from))
}

// Leave takes a consumer away, or a group, which begins anew behind all entries.
func (m *streamModel) Leave(t *rapid.T) {
	group, consumer := m.names(t)
	if rapid.IntRange(0, 3).Draw(t, "all") == 0 {
		m.expect(t, ":1\r\n", "XGROUP", "DESTROY", "s", group)
		m.expect(t, "+OK\r\n", "XGROUP", "CREATE", "s", group, "$")
		m.pending[group], m.read[group] = map[int]string{}, m.last
		return
	}
	n := 0
	for id, of := range m.pending[group] {
		if of == consumer {
			delete(m.pending[group], id)
			n++
		}
	}
	m.expect(t, fmt.Sprintf(":%d\r\n", n), "XGROUP", "DELCONSUMER", "s", group, consumer)
}

// Check looks at the length and at what is pending, of each group and of each consumer.
func (m *streamModel) Check(t *rapid.T) {
	m.expect(t, fmt.Sprintf(":%d\r\n", len(m.there)), "XLEN", "s")
	for _, group := range groupNames {
		of := map[string]int{}
		for _, consumer := range m.pending[group] {
			of[consumer]++
		}
		for _, consumer := range consumerNames {
			got := m.n.do("XPENDING", "s", group, "-", "+", "10000", consumer)
			if !strings.HasPrefix(got, fmt.Sprintf("*%d\r\n", of[consumer])) {
				t.Fatalf("%s of %s has %.100q pending, want %d", consumer, group, got, of[consumer])
			}
		}
		if got := m.n.do("XPENDING", "s", group); !strings.HasPrefix(got, fmt.Sprintf("*4\r\n:%d\r\n", len(m.pending[group]))) {
			t.Fatalf("%s: %q, want %d", group, got, len(m.pending[group]))
		}
	}
}

func streamText(it store.Item) string {
	var buf []byte
	var p rdb.Pen
	streams.Of(it.Object(), &buf).Write(&p)
	return string(p.Out)
}

func (m *streamModel) states() map[string]string {
	it, found := m.n.call.DB.Peek([]byte("s"), m.n.now())
	if !found {
		return nil
	}
	return map[string]string{"s": streamText(it)}
}

// TestGroupsModel: what consumers have pending is what they were given and did not acknowledge, and snapshots have groups and consumers as they were.
func TestGroupsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &streamModel{n: openNode(t, 2), there: map[int]bool{}, read: map[string]int{}, pending: map[string]map[int]string{}}
		defer m.n.store.Close()
		m.n.call.Limits.Stream.NodeMaxEntries = rapid.SampledFrom([]int{1, 4, 100}).Draw(t, "block")
		for _, group := range groupNames {
			m.pending[group] = map[int]string{}
			m.expect(t, "+OK\r\n", "XGROUP", "CREATE", "s", group, "0", "MKSTREAM")
		}
		m.watch = snapshots.Watch{Store: m.n.store, States: m.states, Reader: func() func(it store.Item) string { return streamText }}
		snapshot := m.watch.Step
		t.Repeat(map[string]func(*rapid.T){
			"": m.Check, "add": m.Add, "read": m.Read, "read more": m.Read, "ack": m.Ack, "claim": m.Claim, "autoclaim": m.AutoClaim, "delete": m.Delete, "trim": m.Trim,
			"leave": m.Leave, "snapshot": snapshot, "snapshot more": snapshot, "snapshot still": snapshot,
		})
		m.watch.End(t)
	})
}
