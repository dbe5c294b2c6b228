package proxy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"larder/loop"
	"larder/protocol/resp"
)

// heldModel is nodes that lose what was not committed when another takes their place, and clients that note what they were shown.
type heldModel struct {
	*heldWorld
	logs  map[*fakeNode][]heldWrite
	lost  map[string]bool     // writes that a node had and its successor has not
	shown map[string]bool     // writes that clients know of
	safe  map[*fakeNode]int64 // up to where any of a shard's nodes has what was committed
}

type heldWrite struct {
	end        int64
	key, value string
}

type heldClient struct {
	number int
	conn   *loop.MemConn
	asked  []heldAsked
	done   int
	parse  resp.Replies
	in     []byte
}

type heldAsked struct{ write, key, value string }

// TestHeldModel: whatever dies, and whoever takes its place, no client has been shown a write that is lost, each command has one reply, in order, and nothing
// is left behind.
func TestHeldModel(t *testing.T) {
	eachSeed(t, 200, testHeldModel)
}

func testHeldModel(t *testing.T, seed uint64) {
	m := &heldModel{logs: map[*fakeNode][]heldWrite{}, lost: map[string]bool{}, shown: map[string]bool{}, safe: map[*fakeNode]int64{}}
	m.heldWorld = newHeldWorldOf(t, seed, 1+int(seed%3), func(o *Options) { o.Upstream.HoldTime = 300 * time.Millisecond })
	m.runs = m.run
	var clients []*heldClient
	for i := range 1 + int(seed%4) {
		clients = append(clients, &heldClient{number: i, conn: m.client(i)})
	}
	r := m.rand
	for range 400 {
		c := clients[r.IntN(len(clients))]
		for range r.IntN(4) {
			m.send(c)
		}
		m.step()
		m.commitSome()
		m.read(c)
		if n := m.nodes[m.order[r.IntN(len(m.order))]]; r.IntN(10+int(seed%40)) == 0 {
			m.failOver(n)
		}
	}
	m.calm = true
	for range 200 {
		left := 0
		for _, c := range clients {
			m.read(c)
			left += len(c.asked) - c.done
		}
		if left == 0 {
			break
		}
		for _, n := range m.nodes {
			n.dead = false
			n.commit(n.stream.executed, n.stream.executed)
		}
		m.flow()
		m.m.Advance(50 * time.Millisecond)
	}
	for i, c := range clients {
		if c.done < len(c.asked) {
			t.Errorf("client %d: %d of %d commands are answered", i, c.done, len(c.asked))
		}
	}
	m.flow()
	if len(m.p.holds) != 0 || m.p.bufs.held != 0 {
		t.Errorf("%d holds, %d bytes are left", len(m.p.holds), m.p.bufs.held)
	}
}

// step has connections carry something, break, and come again.
func (m *heldModel) step() {
	r := m.rand
	m.dialled()
	n := m.nodes[m.order[r.IntN(len(m.order))]]
	for _, fc := range n.conns {
		switch r.IntN(4) {
		case 0:
			fc.work(1 + r.IntN(20))
		case 1:
			fc.work(1 + r.IntN(20))
			fc.answer(1 + r.IntN(400))
		default:
			fc.answer(1 + r.IntN(1000))
		}
	}
	switch {
	case r.IntN(60) == 0:
		n.die()
		n.dead = r.IntN(2) == 0
	case r.IntN(10) == 0:
		n.dead = false
	}
	if r.IntN(3) == 0 {
		m.m.EndTurn()
	}
	if r.IntN(20) == 0 {
		m.m.Advance(time.Duration(r.IntN(100)) * time.Millisecond)
	}
}

func (m *heldModel) send(c *heldClient) {
	r := m.rand
	key, id := fmt.Sprintf("k%d", r.IntN(8)), fmt.Sprintf("%d:%d", c.number, len(c.asked))
	switch r.IntN(3) {
	case 0:
		c.asked = append(c.asked, heldAsked{"SET", key, id})
		c.conn.Feed(resp.AppendCommandStrings(nil, "SET", key, id))
	case 1:
		c.asked = append(c.asked, heldAsked{"GET", key, ""})
		c.conn.Feed(resp.AppendCommandStrings(nil, "GET", key))
	default:
		c.asked = append(c.asked, heldAsked{"MGET", key, ""})
		c.conn.Feed(resp.AppendCommandStrings(nil, "MGET", key, "k1", "k2"))
	}
}

// run notes what nodes are written.
func (m *heldModel) run(fc *fakeConn, name string, args [][]byte) bool {
	if name == "SET" {
		m.logs[fc.n] = append(m.logs[fc.n], heldWrite{fc.n.stream.executed + 10, string(args[1]), string(args[2])})
	}
	return m.execute(fc, name, args)
}

func (m *heldModel) commitSome() {
	n := m.nodes[m.order[m.rand.IntN(len(m.order))]]
	st := n.stream
	if st.executed == 0 || m.rand.IntN(3) == 0 {
		return
	}
	committed := max(st.committed, st.committed+m.rand.Int64N(st.executed-st.committed+1))
	confirmed := committed
	if m.rand.IntN(4) == 0 {
		confirmed = st.confirmed
	}
	n.commit(committed, max(st.confirmed, confirmed))
}

// failOver puts another node in one's place, which has what was committed, and perhaps more.
func (m *heldModel) failOver(n *fakeNode) {
	old := n.stream
	m.safe[n] = max(m.safe[n], old.committed)
	has := m.safe[n] + m.rand.Int64N(old.executed-m.safe[n]+1)
	n.die()
	n.stream = &fakeStream{
		history: fmt.Sprintf("%040d", m.rand.Uint32()), reign: old.reign + 1, executed: has, shared: map[string]int64{old.history: has},
	}
	kept := m.logs[n][:0:0]
	for _, w := range m.logs[n] {
		if w.end <= has {
			kept = append(kept, w)
			continue
		}
		m.lost[w.value] = true
		if m.shown[w.value] {
			m.t.Errorf("write %s was shown and is lost", w.value)
		}
		delete(m.values, w.key)
	}
	m.logs[n] = kept
	for _, w := range kept {
		m.values[w.key] = w.value
	}
}

func (m *heldModel) read(c *heldClient) {
	c.in = append(c.in, c.conn.Written()...)
	for {
		n, _, st := c.parse.Next(c.in)
		if st != resp.Done {
			return
		}
		reply := string(c.in[:n])
		c.in = c.in[n:]
		if c.done == len(c.asked) {
			m.t.Fatalf("%q was not asked for", reply)
		}
		a := c.asked[c.done]
		c.done++
		switch {
		case strings.HasPrefix(reply, "-UNKNOWN ") && a.write == "SET", strings.HasPrefix(reply, "-CLUSTERDOWN "):
		case a.write == "SET" && reply == "+OK\r\n":
			m.sees(a.value)
		case a.write == "GET":
			value, _ := resp.BulkOf([]byte(reply))
			m.sees(string(value))
		case a.write == "MGET":
			for it := resp.Elements([]byte(reply)); ; {
				e, ok := it.Next()
				if !ok {
					break
				}
				value, _ := resp.BulkOf(e)
				m.sees(string(value))
			}
		default:
			m.t.Errorf("%s %s: %q", a.write, a.key, reply)
		}
	}
}

func (m *heldModel) sees(value string) {
	if value == "" {
		return
	}
	if m.lost[value] {
		m.t.Errorf("write %s is shown and was lost", value)
	}
	m.shown[value] = true
}
