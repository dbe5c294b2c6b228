package proxy

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestMix lets several clients do a bit of everything at once, through a gateway over real nodes, where all is late and, in most worlds, lanes break,
// nodes hang, die, come back empty or have other slots than the gateway believes. What must hold: each command has one reply, in order, and its own;
// writes run at most once, in the order in which their client sent them, and what is told of them is true; messages come once and in order; nobody keeps
// a copy of a key that was changed; and when all have left, nothing of them is left.
func TestMix(t *testing.T) {
	mixes(t, 30)
}

// mixes tries so many seeds.
func mixes(t *testing.T, n uint64) {
	eachSeed(t, n, func(t *testing.T, seed uint64) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { testMix(t, seed) })
	})
}

func testMix(t *testing.T, seed uint64) {
	w := newMixWorld(t, seed)
	w.prepare()
	for range 3 + int(seed%6) {
		w.newMixClient()
	}
	for range 600 {
		c := w.clients[w.rand.IntN(len(w.clients))]
		if c.gone {
			if w.rand.IntN(4) == 0 {
				w.newMixClient()
			}
			continue
		}
		for range w.rand.IntN(4) {
			c.act()
		}
		c.push(false)
		w.step()
		c.read()
		if w.rand.IntN(150) == 0 {
			c.depart()
		}
		if t.Failed() {
			return
		}
	}
	if !w.settle(w.quiet) {
		for _, c := range w.clients {
			if !c.gone && c.heard < len(c.deeds) {
				t.Errorf("client %d has no reply to %s", c.number, c.next())
			}
		}
		return
	}
	w.g.Adopt(w.topo) // which it may not have heard of yet
	for range 20 {    // what nobody asked for may still be on its way
		w.advance(100 * time.Millisecond)
		w.settle(w.quiet)
	}
	w.judge()
	w.judgeCopies()
	w.judgeMonitors()
	for _, c := range w.clients {
		c.depart()
	}
	w.settle(w.empty)
	w.nothingLeft()
}

// prepare loads what all clients rely on.
func (w *mixWorld) prepare() {
	c := w.newMixClient()
	for i := range mixKeys {
		key := "s:" + strconv.Itoa(i)
		c.expect("+OK\r\n", "SET", key, key)
	}
	for name, text := range map[string]string{"push": scriptPush, "publish": scriptPublish} {
		c.say(func(reply string) string {
			w.scripts[name] = bulkText(reply)
			return ""
		}, "SCRIPT", "LOAD", text)
	}
	if !w.settle(w.quiet) {
		w.t.Fatalf("no reply to %s", c.next())
	}
	w.calm = false
}

// depart closes the client's connection, whatever is under way.
func (c *mixClient) depart() {
	if !c.gone {
		c.leave()
		c.conn.Hangup(errMixReset)
	}
}

// quiet says whether all clients have all their replies.
func (w *mixWorld) quiet() bool {
	left := 0
	for _, c := range w.clients {
		c.push(true)
		c.read()
		if !c.gone {
			left += len(c.deeds) - c.heard
		}
	}
	return left == 0
}

// judgeCopies: a copy of a key that a client believes in is the key's value.
func (w *mixWorld) judgeCopies() {
	for _, c := range w.clients {
		if c.gone || c.tracks == "" {
			continue
		}
		for key, copied := range c.cache {
			if c.tracks == "NOLOOP" && c.doubts[key] {
				continue
			}
			if value := w.value(key); bulkText(value) != bulkText(copied) {
				w.t.Errorf("client %d, tracking %s, believes %s to be %q; it is %q", c.number, c.tracks, key, copied, value)
			}
		}
	}
}

// empty says whether the gateway has forgotten all clients and has nothing under way.
func (w *mixWorld) empty() bool {
	for _, p := range w.parts {
		if len(p.sessions) > 0 || len(p.retries) > 0 || p.g.flushing.Load() != 0 {
			return false
		}
		for _, all := range p.caches.rounds {
			if len(all.open) > 0 {
				return false
			}
		}
		for _, u := range p.upstreams {
			for _, ln := range u.lanes {
				if ln.queue.len() > 0 || ln.lentTo != nil || ln.state != laneReady {
					return false
				}
			}
		}
	}
	return true
}

// nothingLeft looks at all that the loops keep: maps and lists of clients' things are empty, no lane is lent, no byte is counted. Nodes, too, know of
// nobody who waits, watches or listens.
func (w *mixWorld) nothingLeft() {
	if n := w.g.flushing.Load(); n != 0 {
		w.t.Errorf("%d flushes are under way", n)
	}
	for _, p := range w.parts {
		for _, all := range p.caches.rounds {
			if len(all.open) > 0 {
				w.t.Errorf("%d flushes wait to be told of", len(all.open))
			}
		}
		w.bare("part", reflect.ValueOf(p).Elem(), 0)
		for addr, u := range p.upstreams {
			w.bare("upstream "+addr, reflect.ValueOf(u).Elem(), 0)
			if u.lent != 0 || len(u.lanes) > 2+len(u.idle)+mixOwnLanes {
				w.t.Errorf("upstream %s: %d lanes are lent, %d there, %d idle", addr, u.lent, len(u.lanes), len(u.idle))
			}
			for _, ln := range u.lanes {
				if ln.queue.len() > 0 || len(ln.log) > 0 || len(ln.waiters) > 0 || ln.lentTo != nil {
					w.t.Errorf("lane to %s: %d tickets, %d bytes, %d who wait, lent: %v", addr, ln.queue.len(), len(ln.log), len(ln.waiters), ln.lentTo != nil)
				}
			}
		}
	}
	for _, addr := range w.order {
		n := w.nodes[addr]
		c := n.m.Open(mixAdmin)
		info := n.tell(c, "INFO")
		for _, want := range []string{"blocked_clients:0\r\n", "watching_clients:0\r\n"} {
			if strings.Contains(info, want[:strings.IndexByte(want, ':')+1]) && !strings.Contains(info, want) {
				w.t.Errorf("node %s does not say %q", addr, want)
			}
		}
		c.Hangup(nil)
	}
}

// mixOwnLanes is how many lanes a loop may have to a node for itself.
const mixOwnLanes = 2

// mixKept are what a loop keeps for later, each within a limit of its own, by the names of its fields.
var mixKept = map[string]bool{
	"part.g": true, "part.l": true, "part.topo": true, "part.shards": true, "part.upstreams": true, "part.count": true, "part.lanes": true, "part.keys": true, "part.slots": true, "part.args": true, "part.partLanes": true, "part.replicas": true,
	"part.split": true, "part.again": true, "part.bufs": true, "part.merges": true, "part.txs.free": true, "part.w": true, "part.chance": true, "part.refusals": true, "part.slowLog": true, "part.caches.parser": true,
}

// bare fails for what is not empty below a value.
func (w *mixWorld) bare(name string, v reflect.Value, depth int) {
	if mixKept[name] {
		return
	}
	switch v.Kind() {
	case reflect.Map, reflect.Slice:
		if v.Len() > 0 && !strings.HasPrefix(name, "upstream ") {
			w.t.Errorf("%s has %d entries left", name, v.Len())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			w.bare(name+"."+v.Type().Field(i).Name, v.Field(i), depth+1)
		}
	}
}
