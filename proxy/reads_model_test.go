package proxy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/protocol/resp"
)

// readsModel are clients of a readsWorld that note what they were told, and judge it by what a level promises.
type readsModel struct {
	*readsWorld
	level   string
	clients []*readsClient
	acked   map[string][]string // by key: values of writes that any client was told of
	value   int
	from    map[string]int // who answered reads: "primary", "replica"
	wrong   []string
}

// readsClient is one connection.
type readsClient struct {
	*readsConn
	asked []readsAsked
	done  int
	own   map[string][]string // by key: values that it has been told that it has written
	shown map[string]string   // by key: what it was shown last
}

// readsAsked is a command under way. A read may show none of the values that the client wrote behind it, and nothing that is older than any of must.
type readsAsked struct {
	key, value string // of a write the value
	multi      bool   // which is a transaction
	keys       []string
	must       map[string][]string
	at         int // its place among the client's commands
}

// TestReadsModel: at no level but eventual a read shows less than its level promises, whatever replicas lag, die, refuse and begin anew, and primaries are
// replaced; at every level a session's own commands are in order, and no read fails.
func TestReadsModel(t *testing.T) {
	for _, level := range ReadLevels() {
		t.Run(level, func(t *testing.T) {
			away := 0
			eachSeed(t, 45, func(t *testing.T, seed uint64) {
				m := newReadsModel(t, seed, level, level)
				m.play()
				for _, wrong := range m.wrong {
					t.Error(wrong)
				}
				away += m.from["replica"]
			})
			if away == 0 {
				t.Error("no read went to a replica")
			}
		})
	}
}

// TestReadsModelSees: a level that promises less is found out by the judgement of one that promises more.
func TestReadsModelSees(t *testing.T) {
	for _, c := range []struct{ level, judged string }{{"eventual", "session"}, {"eventual", "gateway"}, {"session", "gateway"}} {
		found := false
		for seed := uint64(1); seed < 200 && !found; seed++ {
			m := newReadsModel(t, seed, c.level, c.judged)
			m.play()
			found = len(m.wrong) > 0
		}
		if !found {
			t.Errorf("level %s was never found to be less than %s", c.level, c.judged)
		}
	}
}

func newReadsModel(t *testing.T, seed uint64, level, judged string) *readsModel {
	from := ReadFroms()[1+seed%4]
	w := newReadsWorld(t, seed, 1+int(seed%2), 2, func(o *Options) { o.ReadFrom, o.ReadLevel, o.ReadMaxLag = from, level, time.Second })
	m := &readsModel{readsWorld: w, level: judged, acked: map[string][]string{}, from: map[string]int{}}
	w.steady = seed%3 != 0
	w.read = func(n *fakeNode) {
		if w.leads(n) {
			m.from["primary"]++
		} else {
			m.from["replica"]++
		}
	}
	for i := range 2 + int(seed%3) {
		m.clients = append(m.clients, &readsClient{readsConn: w.open(i), own: map[string][]string{}, shown: map[string]string{}})
	}
	return m
}

func (m *readsModel) play() {
	r := m.rand
	for range 300 {
		c := m.clients[r.IntN(len(m.clients))]
		if c.done == len(c.asked) || r.IntN(4) == 0 {
			for range 1 + r.IntN(4) {
				m.send(c, r)
			}
		}
		for range 1 + r.IntN(30) {
			m.step()
		}
		for _, c := range m.clients {
			m.hear(c)
		}
	}
	m.settleReads(func() bool {
		left := 0
		for _, c := range m.clients {
			m.hear(c)
			left += len(c.asked) - c.done
		}
		return left == 0
	})
	for i, c := range m.clients {
		if c.done < len(c.asked) {
			m.wrong = append(m.wrong, fmt.Sprintf("client %d: %d of %d commands are answered", i, c.done, len(c.asked)))
		}
	}
}

func (m *readsModel) send(c *readsClient, r *rand.Rand) {
	key := func() string { return "k" + strconv.Itoa(r.IntN(6)) }
	a := readsAsked{at: len(c.asked)}
	var words []string
	switch r.IntN(6) {
	case 0, 1:
		m.value++
		a.key, a.value = key(), "v"+strconv.Itoa(m.value)
		words = []string{"SET", a.key, a.value}
		if a.multi = r.IntN(3) == 0; a.multi {
			c.conn.Feed([]byte("*1\r\n$5\r\nMULTI\r\n"))
		}
	case 2:
		a.keys = []string{key(), key(), key()}
		words = append([]string{"MGET"}, a.keys...)
	default:
		a.keys = []string{key()}
		words = []string{"GET", a.keys[0]}
	}
	a.must = map[string][]string{}
	for _, k := range a.keys {
		a.must[k] = m.owed(c, k)
	}
	c.asked = append(c.asked, a)
	var raw [][]byte
	for _, word := range words {
		raw = append(raw, []byte(word))
	}
	c.conn.Feed(resp.AppendCommand(nil, raw...))
	if a.multi {
		c.conn.Feed([]byte("*1\r\n$4\r\nEXEC\r\n"))
	}
}

// owed is what a read of a key that is sent now must not show less than.
func (m *readsModel) owed(c *readsClient, key string) (values []string) {
	switch m.level {
	case "eventual":
		return nil
	case "gateway":
		values = append(values, m.acked[key]...)
	}
	values = append(values, c.own[key]...)
	if v := c.shown[key]; v != "" {
		values = append(values, v)
	}
	for _, a := range c.asked[c.done:] {
		if a.key == key {
			values = append(values, a.value) // sent before, by the same client
		}
	}
	return values
}

// hear takes what a client was told.
func (m *readsModel) hear(c *readsClient) {
	for _, reply := range c.replies() {
		a := &c.asked[c.done]
		if a.multi && (reply == "+OK\r\n" || reply == "+QUEUED\r\n") {
			continue
		}
		c.done++
		switch {
		case !m.steady && strings.HasPrefix(reply, "-CLUSTERDOWN "): // its primary has died
		case a.value != "" && (reply[0] == '+' || a.multi && reply[0] == '*'):
			c.own[a.key] = append(c.own[a.key], a.value)
			m.acked[a.key] = append(m.acked[a.key], a.value)
		case a.value != "":
			if !strings.HasPrefix(reply, "-UNKNOWN ") {
				m.wrong = append(m.wrong, fmt.Sprintf("a write was answered %q", reply))
			}
		case reply[0] == '-':
			m.wrong = append(m.wrong, fmt.Sprintf("a read was answered %q", reply))
		default:
			m.judge(c, a, reply)
		}
	}
}

func (m *readsModel) judge(c *readsClient, a *readsAsked, reply string) {
	var got []string
	if it := resp.Elements([]byte(reply)); it.Left() > 0 {
		for e, ok := it.Next(); ok; e, ok = it.Next() {
			v, _ := resp.BulkOf(e)
			got = append(got, string(v))
		}
	} else {
		v, _ := resp.BulkOf([]byte(reply))
		got = []string{string(v)}
	}
	for i, key := range a.keys {
		v := got[i]
		for _, later := range c.asked[a.at:] {
			if later.value == v && v != "" {
				m.wrong = append(m.wrong, fmt.Sprintf("a read of %s showed %s, which its client wrote behind it", key, v))
			}
		}
		for _, must := range a.must[key] {
			if m.older(key, v, must) {
				m.wrong = append(m.wrong, fmt.Sprintf("a read of %s showed %q, and %q is newer", key, v, must))
				break
			}
		}
		if m.level != "eventual" && c.shown[key] != "" && m.older(key, v, c.shown[key]) {
			m.wrong = append(m.wrong, fmt.Sprintf("a read of %s showed %q behind %q", key, v, c.shown[key]))
		}
		c.shown[key] = v
	}
}

// older tells whether a value was written before another one that has not been lost.
func (m *readsModel) older(key, value, than string) bool {
	log := m.logOf(key)
	place := func(v string) int {
		return slices.IndexFunc(log, func(w readsWrite) bool { return w.key == key && w.value == v })
	}
	to := place(than)
	return to >= 0 && (value == "" || !m.lost[value]) && place(value) < to
}
