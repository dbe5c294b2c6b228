package proxy

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"larder/loop"
	"larder/protocol/resp"
)

// record is what all clients did and heard, for the judgement at the end.
type record struct {
	clients       []*mixClient
	subscriptions []*subscription
	monitors      []*mixMonitor
	writes        []*mixWrite
	jobs          map[string]*mixJob
	news          map[string]*publication
	counters      map[string]*mixCounter
	lists         map[string][]string // what lies, and lay, in lists: by node's life, database and key
	lives         int                 // nodes that are no more
	lostPops      int                 // blocking pops whose reply nobody heard
}

func newRecord() record {
	return record{jobs: map[string]*mixJob{}, news: map[string]*publication{}, counters: map[string]*mixCounter{}, lists: map[string][]string{}}
}

// mixWrite is an element that a client pushes to a list: where it ends up says when it ran, and how often.
type mixWrite struct {
	c       *mixClient
	id, key string
	db      int
	sent    int  // by the world's clock
	done    int  // likewise; 0 = not yet
	length  int  // of the list, as the reply says; 0 = no such reply
	mayRun  bool // it is unknown whether it ran
	told    bool // its client was told something
}

// newWrite names a write of the client.
func (c *mixClient) newWrite(key string) *mixWrite {
	c.sent++
	w := &mixWrite{c: c, id: fmt.Sprintf("%d.%d", c.number, c.sent), key: key, db: c.db, sent: c.w.now, mayRun: true}
	c.w.writes = append(c.w.writes, w)
	return w
}

// replied takes a reply that says how long the list is now.
func (x *mixWrite) replied(reply string) string {
	n, err := strconv.Atoi(strings.Trim(reply, ":\r\n"))
	if err != nil || n < 1 {
		return "want a length"
	}
	x.length, x.told, x.mayRun, x.done = n, true, false, x.c.w.now
	return ""
}

func (x *mixWrite) failed(ran bool) { x.told, x.mayRun = true, ran }

// mixJob is an element of a queue that one client may pop.
type mixJob struct {
	pushed bool // its client was told so
	popped int
}

// mixCounter is a number that clients count up with WATCH.
type mixCounter struct{ done, unknown int }

// publication is a message.
type publication struct {
	channel, from string
	number        int
	sent, done    int  // by the world's clock; done 0 = its reply was not heard
	refused       bool // its publisher was told that it did not run
}

// subscription is one of a client's, from when it was confirmed.
type subscription struct {
	c        *mixClient
	kind     string
	pattern  string
	from, to int  // by the world's clock; 0 = not yet
	left     bool // the client was gone before it ended: what was on its way to it then it did not read
	heard    []*publication
	got      map[string]bool
}

func (s *subscription) ends(now int) {
	if s.to == 0 {
		s.to = now
	}
}

// message is one that a client got for a subscription: at most once.
func (c *mixClient) message(name, channel, text string) {
	t := c.w.t
	s, p := c.subs[name], c.w.news[text]
	switch {
	case s == nil || p == nil || p.channel != channel:
		t.Errorf("client %d got %q on %q for %q, which is not its own", c.number, text, channel, name)
		return
	case s.got[text]:
		t.Errorf("client %d got %q on %q twice", c.number, text, channel)
	}
	s.got[text] = true
	s.heard = append(s.heard, p)
}

// inOrder checks that messages of one publisher on one channel came in the order in which it sent them, but those of which it was told that nobody knows.
func (s *subscription) inOrder() {
	last := map[string]int{}
	for _, p := range s.heard {
		of := p.from + " on " + p.channel
		if p.refused {
			s.c.w.t.Errorf("client %d got number %d of %s, which was refused", s.c.number, p.number, of)
		}
		if p.done > 0 && p.number < last[of] {
			s.c.w.t.Errorf("client %d got number %d of %s after number %d", s.c.number, p.number, of, last[of])
		}
		if p.done > 0 {
			last[of] = p.number
		}
	}
}

// heardAll checks that a subscription got all that was published while it surely was there.
func (s *subscription) heardAll(text string, p *publication) bool {
	matches := s.pattern == p.channel || strings.HasSuffix(s.pattern, "*") && strings.HasPrefix(p.channel, strings.TrimSuffix(s.pattern, "*"))
	surely := s.from > 0 && s.from < p.sent && p.done > 0 && (s.to == 0 || p.done < s.to)
	sharded := strings.HasPrefix(p.channel, "shard")
	return s.left || !matches || !surely || sharded != (s.kind == "ssubscribe") || s.got[text]
}

var mixAdmin = netip.MustParseAddrPort("127.0.0.1:9")

// remember notes the lists of a node as they are now.
func (w *mixWorld) remember(n *mixNode) {
	w.lives++
	c := n.m.Open(mixAdmin)
	ask := func(args ...string) []string { return elements(n.tell(c, args...)) }
	for db := range mixDatabases {
		ask("SELECT", strconv.Itoa(db))
		for _, key := range slices.Concat(ask("KEYS", "log:*"), ask("KEYS", "queue:*")) {
			w.lists[fmt.Sprintf("%s#%d/%d/%s", n.addr, w.lives, db, key)] = ask("LRANGE", key, "0", "-1")
		}
	}
	c.Hangup(nil)
}

// value asks the node of a key for what lies there.
func (w *mixWorld) value(key string) string {
	n := w.nodes[w.order[w.topo.ShardOf([]byte(key))]]
	c := n.m.Open(mixAdmin)
	defer c.Hangup(nil)
	return n.tell(c, "GET", key)
}

func (n *mixNode) tell(c *loop.MemConn, args ...string) string {
	c.Feed(resp.AppendCommandStrings(nil, args...))
	n.m.EndTurn()
	return string(c.Written())
}

// judge holds what clients were told against what is there.
func (w *mixWorld) judge() {
	for _, addr := range w.order {
		w.remember(w.nodes[addr])
	}
	places := map[string][]place{}
	for list, ids := range w.lists {
		for i, id := range ids {
			id, _, _ = strings.Cut(id, "/")
			places[id] = append(places[id], place{list, i})
		}
	}
	w.judgeWrites(places)
	w.judgeJobs(places)
	for _, s := range w.subscriptions {
		s.inOrder()
		for text, p := range w.news {
			if w.whole && !s.heardAll(text, p) {
				w.t.Errorf("client %d did not get %q, which was published on %q while it had %s %s", s.c.number, text, p.channel, s.kind, s.pattern)
			}
		}
	}
	for key, n := range w.counters {
		value, _ := strconv.Atoi(bulkText(w.value(key)))
		if !w.moves && !w.blanks && (value < n.done || value > n.done+n.unknown) {
			w.t.Errorf("%s is %d; %d transactions are acknowledged, %d more may have run", key, value, n.done, n.unknown)
		}
	}
}

type place struct {
	list string
	at   int
}

func (w *mixWorld) judgeWrites(places map[string][]place) {
	last := map[string]*mixWrite{} // by client and list: its latest write there that was acknowledged
	at := map[string]int{}
	for _, x := range w.writes {
		ran := places[x.id]
		switch {
		case len(ran) > 1:
			w.t.Errorf("write %s to %s ran %d times: %v", x.id, x.key, len(ran), ran)
		case len(ran) == 0 && x.length > 0:
			w.t.Errorf("write %s to %s was acknowledged and is nowhere", x.id, x.key)
		case len(ran) == 1 && !x.mayRun && x.length == 0:
			w.t.Errorf("write %s to %s was refused, and ran", x.id, x.key)
		}
		if len(ran) != 1 {
			continue
		}
		if !strings.HasSuffix(ran[0].list, fmt.Sprintf("/%d/%s", x.db, x.key)) {
			w.t.Errorf("write %s was for %s of database %d and is in %s", x.id, x.key, x.db, ran[0].list)
		}
		if x.length == 0 {
			continue
		}
		if x.length != ran[0].at+1 {
			w.t.Errorf("write %s was told length %d and lies at %d: the reply was another's", x.id, x.length, ran[0].at)
		}
		of := fmt.Sprint(x.c.number, ran[0].list)
		if before := last[of]; before != nil && at[of] > ran[0].at {
			w.t.Errorf("write %s ran before %s, which its client sent earlier", x.id, before.id)
		}
		last[of], at[of] = x, ran[0].at
	}
}

// judgeJobs: none is popped twice, or popped and still there; in a world without losses none is lost but those popped for a client that left.
func (w *mixWorld) judgeJobs(places map[string][]place) {
	lost := 0
	for id, job := range w.jobs {
		if n := job.popped + len(places[id]); n > 1 {
			w.t.Errorf("job %s was popped %d times and lies at %v", id, job.popped, places[id])
		} else if n == 0 && job.pushed {
			lost++
		}
	}
	if lost > w.lostPops && !w.blanks {
		w.t.Errorf("%d jobs are lost, and %d pops may have had a reply that nobody heard", lost, w.lostPops)
	}
}
