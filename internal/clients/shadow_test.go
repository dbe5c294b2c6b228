package clients_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"larder/internal/clients"
	"larder/internal/peers"
)

// reads are drawn between a mixture's writes.
var reads = strings.Split(strings.TrimSpace(`
get $k
mget $k $k $k
strlen $k
getrange $k 0 20
get counter:$m
get bits:$m
bitcount bits:$m
lrange $l 0 -1
llen $l
lpos $l $v
smembers $s
sismember $s $m
scard $s
srandmember $s
sinter $s $s
sunion $s $s
hgetall $h
hget $h $m
hkeys $h
hlen $h
zrange $z 0 -1 withscores
zscore $z $m
zrank $z $m
zrangebyscore $z -inf +inf
xlen $x
xrange $x - +
geosearch $g fromlonlat 15 37 byradius 500 km
geopos $g $m
pfcount $p
exists $k $l $s
type $h
ttl $k
pttl $l
object encoding $l
sort $s alpha
dbsize
`), "\n")

// read draws one.
func (m *mixture) read() []string {
	words := strings.Fields(reads[m.rng.IntN(len(reads))])
	for i, w := range words {
		if at := strings.IndexByte(w, '$'); at >= 0 && len(w) == at+2 {
			words[i] = w[:at] + m.word(w[at+1])
		}
	}
	return words
}

// shadowed are n clients that say commands of all types, but one, until stop is set. Errors of commands are as good as other replies.
func shadowed(addr string, seed uint64, n int, but string, stop *atomic.Bool) *errgroup.Group {
	var group errgroup.Group
	for i := range n {
		group.Go(func() error {
			w, err := clients.Open(addr)
			if err != nil {
				return err
			}
			defer w.Close()
			mix := &mixture{rng: rand.New(rand.NewPCG(seed, uint64(i))), keys: 30}
			if i%2 == 1 {
				if _, err := w.Do("HELLO", "3"); err != nil {
					return err
				}
			}
			for !stop.Load() {
				words := mix.next()
				if words[0] == "swapdb" || words[0] == but {
					continue // nothing is known of any key after it, and what is planted would not be found
				}
				if mix.rng.IntN(2) == 0 {
					words = mix.read()
				}
				if reply, err := w.Do(words...); err != nil {
					return fmt.Errorf("client %d: %q: %w", i, words, err)
				} else if bytes.HasPrefix(reply, []byte("-CLUSTERDOWN")) || bytes.HasPrefix(reply, []byte("-UNKNOWN")) {
					return fmt.Errorf("client %d: %q is answered %s", i, words, reply)
				}
			}
			return nil
		})
	}
	return &group
}

// plant changes a key at the shadow behind everybody's back. It gives the command that shows it.
func plant(t *testing.T, here, there *peers.Conn, i int) (key string, shows []string) {
	t.Helper()
	key = "plant:" + strconv.Itoa(i)
	kinds := []struct{ make, change, show []string }{
		{[]string{"SET", key, "right"}, []string{"SET", key, "wrong"}, []string{"GET", key}},
		{[]string{"RPUSH", key, "a", "b"}, []string{"LSET", key, "1", "x"}, []string{"LRANGE", key, "0", "-1"}},
		{[]string{"SET", key, "there"}, []string{"DEL", key}, []string{"STRLEN", key}},
	}
	kind := kinds[i%len(kinds)]
	here.Do(kind.make...)
	deadline := time.Now().Add(peers.Patience)
	for string(there.Do("EXISTS", key)) != ":1\r\n" {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come to the shadow", key)
		}
		time.Sleep(time.Millisecond)
	}
	there.Do(kind.change...)
	return key, kind.show
}

// TestShadowFindsWhatDiffers has clients say commands of all types to a redis-server through a shadow: what is planted at the node that is tried is found, and nothing else.
func TestShadowFindsWhatDiffers(t *testing.T) {
	t.Run("server", func(t *testing.T) { findsWhatDiffers(t, clients.Redis(t).Addr, "5", "") }) // in a database that nobody empties
	t.Run("cluster", func(t *testing.T) {
		findsWhatDiffers(t, "redis+cluster://"+strings.Join(peers.StartRedisCluster(t, 3), ","), "0", "flushdb")
	})
}

func findsWhatDiffers(t *testing.T, source, db, but string) {
	node := larder.Engine(t)
	s := larder.Shadow(t, source, node.Addr, "--loops", "2")
	seed := dice(t).Uint64()
	var stop atomic.Bool
	group := shadowed(s.Addr, seed, 6, but, &stop)
	s.Await(t, "commands are mirrored", func(r clients.ShadowState) bool { return r.Report.Compared > 3000 })
	here, there := peers.Dial(t, s.Addr, 2), peers.Dial(t, node.Addr, 2)
	const planted = 6
	var want []string
	shows := map[string][]string{}
	here.Do("SELECT", db)
	there.Do("SELECT", db)
	for i := range planted {
		key, show := plant(t, here, there, i)
		want = append(want, key)
		shows[key] = show
	}
	s.Await(t, "the planted differences are found", func(r clients.ShadowState) bool {
		for _, key := range want {
			here.Do(shows[key]...)
		}
		return len(r.Report.Found) >= planted
	})
	stop.Store(true)
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	state := s.Await(t, "all is decided", func(r clients.ShadowState) bool { return r.Report.Waiting == 0 && r.Report.InDoubt == 0 })
	var got []string
	for _, d := range state.Report.Found {
		got = append(got, d.Key)
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		text, _ := s.Say("report")
		t.Errorf("differences of %q, want %q:\n%s", got, want, text)
	}
	r := state.Report
	t.Logf("%d mirrored, %d compared, %d differing: %d passing, %d undecided; %d of unknown keys, %d raced", r.Mirrored, r.Compared, r.Differing, r.Passing, r.Undecided, r.Unknown, r.Raced)
	if r.Dropped+r.Missed+r.Refused > 0 {
		t.Errorf("%d dropped, %d missed, %d refused, as %q", r.Dropped, r.Missed, r.Refused, r.Trouble)
	}
}

// TestShadowInTrouble has the shadow frozen, killed and slow: nobody waits for it, and what was not mirrored is counted.
func TestShadowInTrouble(t *testing.T) {
	source, node := clients.Redis(t), larder.Engine(t)
	link := peers.StartToxiproxy(t).Link(node.Addr)
	s := larder.Shadow(t, source.Addr, link.Addr, "--set", "shadow.queue-max=2mb", "--loops", "1")
	var stop atomic.Bool
	group := shadowed(s.Addr, dice(t).Uint64(), 4, "", &stop)
	s.Await(t, "commands are mirrored", func(r clients.ShadowState) bool { return r.Report.Compared > 500 })
	s.ResetPeak(t)
	for _, trouble := range []struct {
		name       string
		begin, end func()
	}{
		{"frozen", func() { node.Freeze(t) }, func() { node.Thaw(t) }},
		{"slow", func() { link.Ail("latency", peers.Down, map[string]int{"latency": 500}) }, link.Heal},
		{"killed", node.Kill, func() { node.Start(t) }},
	} {
		before := s.Report(t).Report
		probe := clients.StartProbe(t, s.Addr, "SET", "probe", strings.Repeat("x", 4096))
		trouble.begin()
		s.Await(t, trouble.name+": commands are not mirrored, and counted", func(r clients.ShadowState) bool {
			return r.Report.Dropped+r.Report.Missed > before.Dropped+before.Missed+1000
		})
		longest, err := probe.Stop()
		if err != nil {
			t.Fatalf("%s: %v", trouble.name, err)
		}
		const most = time.Second // the shadow's own time is two
		if longest > most {
			t.Errorf("%s: a client waited for %v", trouble.name, longest)
		}
		trouble.end()
		mirrored := s.Report(t).Report.Mirrored
		s.Await(t, trouble.name+": it is mirrored again", func(r clients.ShadowState) bool { return r.Report.Mirrored > mirrored+1000 && !r.Report.Away })
	}
	stop.Store(true)
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if peak, most := s.PeakRSS(t), int64(256<<20); peak > most {
		t.Errorf("the shadow's gateway took %d MiB", peak>>20)
	}
	if state := s.Report(t); len(state.Report.Found) > 0 {
		text, _ := s.Say("report")
		t.Errorf("differences where there are none:\n%s", text)
	}
}

func port(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }

// TestShadowSwitch moves clients that write all the time to the cluster that was tried: no error, nothing lost, nothing twice.
func TestShadowSwitch(t *testing.T) {
	source, nodes := clients.Redis(t), []*clients.Process{larder.Engine(t), larder.Engine(t)}
	target := larder.Gateway(t, nodes)
	s := larder.Shadow(t, source.Addr, target.Addr)
	var stop atomic.Bool
	var group errgroup.Group
	const writers = 4
	var last [writers]atomic.Int64
	var wrong atomic.Bool
	for i := range writers {
		group.Go(func() error {
			w, err := clients.Open(s.Addr)
			if err != nil {
				return err
			}
			defer w.Close()
			for n := int64(1); !stop.Load(); n++ {
				reply, err := w.Do("INCR", "counter:"+strconv.Itoa(i))
				if want := fmt.Sprintf(":%d\r\n", n); err != nil || string(reply) != want {
					wrong.Store(true)
					return fmt.Errorf("client %d: INCR is answered %q, want %q: %v", i, reply, want, err)
				}
				last[i].Store(n)
			}
			return nil
		})
	}
	s.Await(t, "commands are mirrored", func(r clients.ShadowState) bool { return r.Report.Compared > 1000 })
	if out, err := s.Say("switch", "--", "false"); err == nil {
		t.Fatalf("switched though what was to be run failed: %s", out)
	}
	at := last[0].Load()
	s.Await(t, "clients go on", func(clients.ShadowState) bool { return wrong.Load() || last[0].Load() > at+100 })
	s.Say("stop")
	if out, err := s.Say("switch"); err == nil {
		t.Fatalf("switched though the cluster lacks what was written meanwhile: %s", out)
	}
	if out, err := s.Say("start"); err != nil {
		t.Fatalf("start: %v: %s", err, out)
	}
	if out, err := s.Say("switch"); err == nil {
		t.Fatalf("switched though the cluster lacks what was written before: %s", out)
	}
	fill := "for i in 0 1 2 3; do redis-cli -p " + port(target.Addr) + " set counter:$i $(redis-cli -p " + port(source.Addr) + " get counter:$i); done"
	if out, err := s.Say("start", "--", "sh", "-c", fill); err != nil {
		t.Fatalf("start filled: %v: %s", err, out)
	}
	at = last[0].Load()
	s.Await(t, "clients go on", func(clients.ShadowState) bool { return wrong.Load() || last[0].Load() > at+100 })
	if out, err := s.Say("switch"); err != nil {
		t.Fatalf("switch: %v: %s", err, out)
	}
	at = last[0].Load()
	s.Await(t, "clients go on", func(clients.ShadowState) bool { return wrong.Load() || last[0].Load() > at+100 })
	stop.Store(true)
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	w := peers.Dial(t, target.Addr, 2)
	for i := range writers {
		n := strconv.FormatInt(last[i].Load(), 10)
		if got, want := string(w.Do("GET", "counter:"+strconv.Itoa(i))), fmt.Sprintf("$%d\r\n%s\r\n", len(n), n); got != want {
			t.Errorf("counter %d is %q at the cluster, want %q", i, got, want)
		}
	}
	s.Kill()
	s.Start(t) // it does not take them back
	if got := string(peers.Dial(t, s.Addr, 2).Do("INCR", "counter:0")); got != fmt.Sprintf(":%d\r\n", last[0].Load()+1) {
		t.Errorf("after a start anew INCR is answered %q", got)
	}
}

// TestShadowSwitchPassword: clients are moved if both sides know the login that the gateway says to its nodes, however it was given; else nothing is.
func TestShadowSwitchPassword(t *testing.T) {
	source, same, other := peers.StartRedis(t, "--requirepass", "hush"), peers.StartRedis(t, "--requirepass", "hush"), peers.StartRedis(t, "--requirepass", "loud")
	for _, c := range []struct {
		from, to string
		args     []string
		moved    bool
	}{
		{"redis://:hush@" + source, ":hush@" + same, nil, true},
		{source, ":hush@" + same, []string{"--set", "gateway.upstream.password=hush"}, true},
		{source, ":loud@" + other, []string{"--set", "gateway.upstream.password=hush"}, false},
		{"redis://:hush@" + source, ":loud@" + other, nil, false},
	} {
		s := larder.Shadow(t, c.from, c.to, c.args...)
		if out, err := s.Say("switch", "--anyway"); (err == nil) != c.moved {
			t.Errorf("from %s to %s %v: switch: %v: %s", c.from, c.to, c.args, err, out)
		}
		if got := string(peers.Dial(t, s.Addr, 2).Do("SET", "k", "v")); got != "+OK\r\n" {
			t.Errorf("from %s to %s %v: SET is answered %q", c.from, c.to, c.args, got)
		}
	}
}
