package proxy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"larder/loop"
	"larder/protocol/resp"
)

// cacheWorld is a world whose nodes hold values and tell of changes as Redis does. A value is a number that no other value has.
type cacheWorld struct {
	*world
	values  map[string]int
	last    int
	losses  bool // nodes die, slots move
	readers map[*fakeNode]map[string]map[*fakeConn]bool
	told    map[*fakeConn]*listening
}

// listening is how a connection of a node tracks.
type listening struct {
	to       *fakeConn
	prefixes []string // nil: what it reads
	uncached bool     // the next command's keys are not to be remembered
	as       string
}

func newCacheWorld(t testing.TB, seed uint64, shards int, larder bool, change func(*Options)) *cacheWorld {
	w := &cacheWorld{
		world: newWorld(t, seed, shards, larder, change), values: map[string]int{},
		readers: map[*fakeNode]map[string]map[*fakeConn]bool{}, told: map[*fakeConn]*listening{},
	}
	w.g.parts = []*part{w.p}
	w.runs = w.execute
	w.moved = func() {
		for _, n := range w.nodes {
			w.emptied(n)
		}
	}
	return w
}

// execute runs the commands of this test on a node.
func (w *cacheWorld) execute(fc *fakeConn, name string, args [][]byte) bool {
	l := w.told[fc]
	switch name {
	case "LARDER":
		if string(args[1]) == "AS" {
			w.listen(fc).as = string(args[2])
			fc.out = append(fc.out, "+OK\r\n"...)
			return true
		}
		return false
	case "GET", "MGET", "SET", "FLUSHALL":
		if fc.dialect && fc.term != fc.n.topo.Epoch {
			fc.out = append(fc.out, fmt.Sprintf("-STALE %d %s\r\n", fc.n.topo.Epoch, fc.n.topo.Line())...)
			if l != nil {
				l.uncached, l.as = false, ""
			}
			return true
		}
	}
	switch name {
	case "PING":
		fc.out = append(fc.out, "+PONG\r\n"...)
	case "CLIENT":
		w.client(fc, args[1:])
		return true
	case "GET":
		fc.out = resp.AppendBulkString(fc.out, strconv.Itoa(w.values[string(args[1])]))
		w.read(fc, l, args[1:])
	case "MGET":
		fc.out = resp.AppendArray(fc.out, len(args)-1)
		for _, key := range args[1:] {
			fc.out = resp.AppendBulkString(fc.out, strconv.Itoa(w.values[string(key)]))
		}
		w.read(fc, l, args[1:])
	case "SET":
		fc.out = append(fc.out, "+OK\r\n"...)
		as := ""
		if l != nil {
			as = l.as
		}
		w.change(fc.n, string(args[1]), as)
	case "FLUSHALL":
		fc.out = append(fc.out, "+OK\r\n"...)
		for key := range w.values {
			if w.owner(key) == fc.n {
				delete(w.values, key)
			}
		}
		w.emptied(fc.n)
	default:
		return false
	}
	if l != nil {
		l.uncached, l.as = false, ""
	}
	return true
}

func (w *cacheWorld) client(fc *fakeConn, args [][]byte) {
	number := slices.Index(fc.n.conns, fc) + 1
	switch strings.ToUpper(string(args[0])) {
	case "ID":
		fc.out = resp.AppendInt(fc.out, int64(number))
		return
	case "CACHING":
		w.listen(fc).uncached = true
	case "TRACKING":
		l := w.listen(fc)
		l.to = fc
		for i, word := range args {
			switch string(word) {
			case "REDIRECT":
				id, _ := strconv.Atoi(string(args[i+1]))
				l.to = fc.n.conns[id-1]
			case "BCAST":
				if !slices.ContainsFunc(args, func(b []byte) bool { return string(b) == "PREFIX" }) {
					l.prefixes = []string{""}
				}
			case "PREFIX":
				l.prefixes = append(l.prefixes, string(args[i+1]))
			}
		}
	}
	fc.out = append(fc.out, "+OK\r\n"...)
}

func (w *cacheWorld) listen(fc *fakeConn) *listening {
	if w.told[fc] == nil {
		w.told[fc] = &listening{}
	}
	return w.told[fc]
}

func (w *cacheWorld) read(fc *fakeConn, l *listening, keys [][]byte) {
	if l == nil || l.to == nil || l.prefixes != nil || l.uncached {
		return
	}
	for _, key := range keys {
		all := w.readers[fc.n]
		if all == nil {
			all = map[string]map[*fakeConn]bool{}
			w.readers[fc.n] = all
		}
		if all[string(key)] == nil {
			all[string(key)] = map[*fakeConn]bool{}
		}
		all[string(key)][fc] = true
	}
}

func (w *cacheWorld) owner(key string) *fakeNode {
	for _, n := range w.nodes {
		if n.topo.ShardOf([]byte(key)) == n.shard {
			return n
		}
	}
	return nil
}

// change gives a key a new value. as is for whom, "" for another gateway's client.
func (w *cacheWorld) change(n *fakeNode, key, as string) {
	w.last++
	w.values[key] = w.last
	who := w.readers[n][key]
	delete(w.readers[n], key)
	for _, fc := range n.conns {
		l := w.told[fc]
		follows := l != nil && slices.ContainsFunc(l.prefixes, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
		if !follows && !who[fc] || l.to.mc.Closed {
			continue
		}
		push := resp.Writer{Proto: 3, Out: l.to.out}
		if as != "" {
			push.Push(3)
		} else {
			push.Push(2)
		}
		push.Bulk("invalidate")
		push.Array(1)
		push.Bulk(key)
		if as != "" {
			push.Bulk(as)
		}
		l.to.out = push.Out
	}
}

// emptied tells all who track that nothing holds.
func (w *cacheWorld) emptied(n *fakeNode) {
	delete(w.readers, n)
	for _, fc := range n.conns {
		if l := w.told[fc]; l != nil && l.to != nil && !l.to.mc.Closed {
			l.to.out = append(l.to.out, ">2\r\n$10\r\ninvalidate\r\n_\r\n"...)
		}
	}
}

// cacheClient keeps what it reads, as libraries do.
type cacheClient struct {
	w       *cacheWorld
	c       *loop.MemConn
	in      []byte
	replies resp.Replies
	asked   []cacheAsked
	mode    cacheMode
	tells   *cacheClient // the one whose messages are about this one's keys: itself, but for redirections
	cache   map[string]string
	fresh   map[string]bool // keys that it has read since it was told of them last
	twice   int             // messages on keys that it has not read since
	nulls   int
}

type cacheMode struct {
	words                 []string
	proto                 int
	optIn, optOut, noLoop bool
	prefix                string // with bcast
	bcast                 bool
}

type cacheAsked struct {
	keys   []string
	cached bool // the reply's values are kept
	own    bool // keys that it has changed itself and is not told of
}

func (k *cacheClient) send(a cacheAsked, words ...string) {
	k.asked = append(k.asked, a)
	k.c.Feed(resp.AppendCommandStrings(nil, words...))
}

// say lets the client do something.
func (k *cacheClient) say() {
	r := k.w.rand
	key := func() string { return string("ab"[r.IntN(2)]) + strconv.Itoa(r.IntN(4)) }
	cached := !k.mode.bcast && !k.mode.optIn
	switch one := key(); r.IntN(8) {
	case 0, 1:
		k.send(cacheAsked{keys: []string{one}, own: k.mode.noLoop}, "SET", one, "x")
	case 2:
		if k.mode.optIn {
			k.send(cacheAsked{}, "CLIENT", "CACHING", "YES")
			k.send(cacheAsked{keys: []string{one}, cached: true}, "GET", one)
			return
		}
		if k.mode.optOut {
			k.send(cacheAsked{}, "CLIENT", "CACHING", "NO")
			k.send(cacheAsked{keys: []string{one}}, "GET", one)
			return
		}
		k.send(cacheAsked{}, "PING")
	case 3:
		keys := []string{one, key(), key()}
		k.send(cacheAsked{keys: keys, cached: cached || k.mode.bcast && k.follows(keys)}, append([]string{"MGET"}, keys...)...)
	default:
		k.send(cacheAsked{keys: []string{one}, cached: cached || k.mode.bcast && k.follows([]string{one})}, "GET", one)
	}
}

func (k *cacheClient) follows(keys []string) bool {
	return !slices.ContainsFunc(keys, func(key string) bool { return !strings.HasPrefix(key, k.mode.prefix) })
}

// read takes what has come.
func (k *cacheClient) read() {
	k.in = append(k.in, k.c.Written()...)
	for {
		n, kind, st := k.replies.Next(k.in)
		if st != resp.Done {
			if st == resp.Failed {
				k.w.t.Fatalf("%s in %q", k.replies.Err(), k.in)
			}
			return
		}
		reply := slices.Clone(k.in[:n])
		k.in = slices.Clone(k.in[n:])
		if kind.IsPush() {
			k.invalidated(reply)
			continue
		}
		if len(k.asked) == 0 {
			k.w.t.Fatalf("a reply too many: %q", reply)
		}
		k.answered(k.asked[0], reply)
		k.asked = k.asked[1:]
	}
}

func (k *cacheClient) answered(a cacheAsked, reply []byte) {
	switch {
	case a.own:
		for _, key := range a.keys {
			delete(k.cache, key)
		}
	case !a.cached || reply[0] == '-':
	case len(a.keys) == 1:
		value, _ := resp.BulkOf(reply)
		k.keep(a.keys[0], string(value))
	default:
		it := resp.Elements(reply)
		for _, key := range a.keys {
			elem, _ := it.Next()
			value, _ := resp.BulkOf(elem)
			k.keep(key, string(value))
		}
	}
}

func (k *cacheClient) keep(key, value string) {
	k.cache[key], k.fresh[key] = value, true
}

// invalidated takes a message: it is about the keys of the one that told to tell this one.
func (k *cacheClient) invalidated(push []byte) {
	it := resp.Elements(push)
	it.Next()
	list, _ := it.Next()
	of := k.tells
	if isNull(list) {
		of.nulls++
		clear(of.cache)
		clear(of.fresh)
		return
	}
	keys := resp.Elements(list)
	for {
		elem, ok := keys.Next()
		if !ok {
			return
		}
		key, _ := resp.BulkOf(elem)
		if !of.fresh[string(key)] {
			of.twice++
		}
		delete(of.cache, string(key))
		delete(of.fresh, string(key))
	}
}

// check looks whether the cache holds anything that is not so, when all is quiet.
func (k *cacheClient) check(number int) {
	for key, value := range k.cache {
		if want := strconv.Itoa(k.w.values[key]); value != want {
			k.w.t.Errorf("client %d (%v) keeps %s = %s, it is %s", number, k.mode.words, key, value, want)
		}
	}
}

// TestTrackingModel: clients keep what they read until they are told otherwise, while they and others change it, nodes answer late, in pieces, die and change
// places. When all is quiet no client keeps what is not so. Where nothing was lost, nobody was told more than one server tells.
func TestTrackingModel(t *testing.T) {
	eachSeed(t, 250, testTrackingModel)
}

func testTrackingModel(t *testing.T, seed uint64) {
	w := newCacheWorld(t, seed, 1+int(seed%3), seed%2 == 0, func(o *Options) { o.PendingMax = 2 + int(seed%30) })
	w.losses = seed%3 != 0
	var clients, all []*cacheClient
	for i := range 1 + int(seed%5) {
		k := w.cacheClient(i)
		clients, all = append(clients, k), append(all, k) // what is told waits for replies, so those are read first
		if k.tells = k; k.mode.proto == 2 {               // another one is told
			ear := &cacheClient{w: w, c: w.world.client(100 + i), tells: k}
			ear.send(cacheAsked{}, "HELLO", "3")
			ear.send(cacheAsked{}, "CLIENT", "ID")
			w.m.EndTurn()
			id := strings.TrimSpace(string(ear.c.Written()))
			id = id[strings.LastIndexByte(id, ':')+1:]
			ear.asked = nil
			k.mode.words = append(k.mode.words, "REDIRECT", id)
			all = append(all, ear)
		}
		k.send(cacheAsked{}, append([]string{"CLIENT", "TRACKING", "ON"}, k.mode.words...)...)
	}
	for range 4 {
		w.calm = !w.losses
		for range 60 {
			k := clients[w.rand.IntN(len(clients))]
			switch w.rand.IntN(6) {
			case 0:
				w.changeOutside()
			case 1, 2:
				k.say()
			}
			w.step()
			for _, k := range all {
				k.read()
			}
		}
		w.settle(func() bool {
			left := 0
			w.m.EndTurn()
			for _, k := range all {
				k.read()
				left += len(k.asked)
			}
			for _, n := range w.nodes {
				for _, fc := range n.conns {
					if !fc.mc.Closed {
						left += len(fc.out)
					}
				}
			}
			return left == 0 && len(w.p.caches.pings)+len(w.p.caches.rounds[roundReaders].open)+len(w.p.caches.rounds[roundFollowers].open) == 0 && w.listens()
		})
		for i, k := range clients {
			if k.check(i); len(k.asked) > 0 {
				t.Errorf("client %d (%v): %d commands are not answered", i, k.mode.words, len(k.asked))
			}
			if !w.losses && k.mode.proto == 3 && !k.mode.bcast && (k.twice > 0 || k.nulls > 0) {
				t.Errorf("client %d (%v) was told %d times too often, and %d times that nothing holds", i, k.mode.words, k.twice, k.nulls)
			}
		}
	}
	for _, k := range all {
		k.c.Hangup(nil)
	}
	w.settle(func() bool { return false })
	w.checkNothingLeft()
}

// listens says whether the gateway has all lanes that tell it of changes: until then a client may keep what is not so.
func (w *cacheWorld) listens() bool {
	for _, u := range w.p.shards {
		ear := u.shared[lineEar-2]
		if w.p.caches.readers > 0 && u.teller() == nil || len(w.p.caches.follow) > 0 && (ear == nil || ear.state != laneReady || u.fading != nil) {
			return false
		}
	}
	return true
}

// cacheClient is a client with a way of tracking by chance.
func (w *cacheWorld) cacheClient(i int) *cacheClient {
	k := &cacheClient{w: w, c: w.world.client(i), cache: map[string]string{}, fresh: map[string]bool{}}
	m := &k.mode
	m.proto = 2 + min(1, w.rand.IntN(4))
	switch w.rand.IntN(5) {
	case 0:
		m.optIn, m.words = true, []string{"OPTIN"}
	case 1:
		m.optOut, m.words = true, []string{"OPTOUT"}
	case 2:
		m.bcast, m.prefix, m.words = true, "a", []string{"BCAST", "PREFIX", "a"}
	case 3:
		m.bcast, m.words = true, []string{"BCAST"}
	}
	if w.rand.IntN(3) == 0 {
		m.noLoop = true
		m.words = append(m.words, "NOLOOP")
	}
	if m.proto == 3 {
		k.send(cacheAsked{}, "HELLO", "3")
	}
	return k
}

// changeOutside has another gateway's client change a key, or time.
func (w *cacheWorld) changeOutside() {
	key := string("ab"[w.rand.IntN(2)]) + strconv.Itoa(w.rand.IntN(4))
	if n := w.owner(key); n != nil {
		w.change(n, key, "")
	}
}

// checkNothingLeft: when nobody tracks any more, nothing of it is kept.
func (w *cacheWorld) checkNothingLeft() {
	c := &w.p.caches
	if n := len(c.clients) + len(c.follow) + len(c.awaited) + len(c.pings) + len(c.wild) + c.keys + c.items + c.readers; n > 0 {
		w.t.Errorf("kept for nobody: %+v", *c)
	}
	for addr, u := range w.p.upstreams {
		for _, ln := range u.lanes {
			if ln.line >= lineReads2 {
				w.t.Errorf("node %s: a lane of line %d is left", addr, ln.line)
			}
		}
		if len(u.cached) > 0 {
			w.t.Errorf("node %s: %d keys are remembered", addr, len(u.cached))
		}
	}
}

// TestTrackingRedirectLost tells who tracks that the client which is to be told is gone.
func TestTrackingRedirectLost(t *testing.T) {
	w := newCacheWorld(t, 1, 1, true, nil)
	w.calm = true
	ear := w.world.client(1)
	ear.Feed(resp.AppendCommandStrings(nil, "CLIENT", "ID"))
	w.m.EndTurn()
	id := strings.Trim(string(ear.Written()), ":\r\n")
	k := w.world.client(0)
	said := ""
	until := func(want string) {
		t.Helper()
		w.settle(func() bool {
			said += string(k.Written())
			return strings.HasSuffix(said, want)
		})
		if !strings.HasSuffix(said, want) {
			t.Fatalf("said %q, want %q", said, want)
		}
		said = ""
	}
	for _, words := range [][]string{{"HELLO", "3"}, {"CLIENT", "TRACKING", "ON", "REDIRECT", "99999"}, {"CLIENT", "TRACKING", "ON", "REDIRECT", id}, {"GET", "a"}} {
		k.Feed(resp.AppendCommandStrings(nil, words...))
	}
	until("-ERR The client ID you want redirect to does not exist\r\n+OK\r\n$1\r\n0\r\n")
	ear.Hangup(nil)
	w.changeOutsideKey("a")
	until(fmt.Sprintf(">2\r\n$21\r\ntracking-redir-broken\r\n:%s\r\n", id))
}

func (w *cacheWorld) changeOutsideKey(key string) { w.change(w.owner(key), key, "") }
