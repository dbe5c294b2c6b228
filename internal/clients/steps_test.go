package clients_test

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"larder/internal/clients"
	"larder/internal/fleet"
	"larder/internal/peers"
	"larder/protocol/resp"
	"larder/proxy"
)

// scissors cut a connection from a gateway to a node at one command of a job: before the node gets it, or before the gateway gets the reply.
type scissors struct {
	mu    sync.Mutex
	at    int  // which command; 0 = none
	reply bool // the node runs it
	seen  int
	cut   bool
	kill  func(node string) // called at the cut with the node's address; nil: nobody dies
}

// strike kills who is to die at the cut.
func (s *scissors) strike(node string) {
	s.mu.Lock()
	kill := s.kill
	s.mu.Unlock()
	if kill != nil {
		kill(node)
	}
}

func (s *scissors) arm(at int, reply bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at, s.reply, s.seen, s.cut = at, reply, 0, false
}

// fall says whether this command is the one.
func (s *scissors) fall(name string) (cut, reply bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains([]string{"hello", "larder", "select", "auth", "config", "client", "script", "function", "ping", "info"}, strings.ToLower(name)) {
		return false, false // what gateway and node say when they meet
	}
	s.seen++
	if s.cut || s.seen != s.at {
		return false, false
	}
	s.cut = true
	return true, s.reply
}

func (s *scissors) fell() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cut
}

// relay passes on what goes between gateways and a node, past the scissors, and gives the address to come to.
func relay(t *testing.T, node string, s *scissors) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() {
		listener.Close()
		all.Wait()
	})
	all.Go(func() {
		for {
			gateway, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { relayOne(gateway, node, s) })
		}
	})
	return listener.Addr().String()
}

func relayOne(gateway net.Conn, addr string, s *scissors) {
	node, err := net.Dial("tcp", addr)
	if err != nil {
		gateway.Close()
		return
	}
	var mu sync.Mutex
	dropping := false
	end := func() { gateway.Close(); node.Close() }
	var back sync.WaitGroup
	back.Go(func() {
		defer end()
		buf := make([]byte, 64<<10)
		for {
			n, err := node.Read(buf)
			mu.Lock()
			drop := dropping
			mu.Unlock()
			if drop && err == nil {
				s.strike(addr)
			}
			if err != nil || drop {
				return
			}
			if _, err := gateway.Write(buf[:n]); err != nil {
				return
			}
		}
	})
	defer back.Wait()
	defer end()
	var requests resp.Requests
	requests.Reset(resp.DefaultLimits())
	var in []byte
	buf := make([]byte, 64<<10)
	for {
		req, n, st := requests.Next(in)
		if st != resp.Done {
			in = in[n:]
			got, err := gateway.Read(buf)
			if err != nil || st == resp.Failed {
				return
			}
			in = append(in, buf[:got]...)
			continue
		}
		cut, reply := s.fall(string(req.Args[0]))
		if cut && !reply {
			s.strike(addr)
			return
		}
		if cut {
			mu.Lock()
			dropping = true
			mu.Unlock()
		}
		if _, err := node.Write(req.Raw); err != nil {
			return
		}
		in = in[n:]
	}
}

// cutCommand is a command in steps over the shards of foo, bar and k0. States are the replies of look, joined.
type cutCommand struct {
	name    string
	prepare []string
	command string
	reply   string
	look    []string
	before  string
	after   string
	between []string // what may be left when it was not done to its end
}

var cutCommands = []cutCommand{
	{
		"RENAME",
		[]string{"SET foo v", "SET bar old"},
		"RENAME foo bar", "+OK",
		[]string{"GET foo", "GET bar"},
		"$1 v|$3 old", "$-1|$1 v",
		[]string{"$1 v|$1 v"},
	},
	{
		"RENAME of a set with an expiry",
		[]string{"SADD foo v", "PEXPIREAT foo 99999999999000"},
		"RENAME foo bar", "+OK",
		[]string{"SMEMBERS foo", "SMEMBERS bar", "PERSIST foo", "PERSIST bar"},
		"*1 $1 v|*0|:1|:0", "*0|*1 $1 v|:0|:1",
		[]string{"*1 $1 v|*1 $1 v|:1|:1"},
	},
	{
		"RENAMENX",
		[]string{"SET foo v"},
		"RENAMENX foo bar", ":1",
		[]string{"GET foo", "GET bar"},
		"$1 v|$-1", "$-1|$1 v",
		[]string{"$1 v|$1 v"},
	},
	{
		"COPY",
		[]string{"SET foo v"},
		"COPY foo bar", ":1",
		[]string{"GET foo", "GET bar"},
		"$1 v|$-1", "$1 v|$1 v", nil,
	},
	{
		"SMOVE",
		[]string{"SADD foo m"},
		"SMOVE foo bar m", ":1",
		[]string{"SMEMBERS foo", "SMEMBERS bar"},
		"*1 $1 m|*0", "*0|*1 $1 m",
		[]string{"*1 $1 m|*1 $1 m"},
	},
	{
		"LMOVE",
		[]string{"RPUSH foo a b", "RPUSH bar x"},
		"LMOVE foo bar RIGHT LEFT", "$1 b",
		[]string{"LRANGE foo 0 -1", "LRANGE bar 0 -1"},
		"*2 $1 a $1 b|*1 $1 x", "*1 $1 a|*2 $1 b $1 x",
		[]string{"*2 $1 a $1 b|*2 $1 b $1 x"},
	},
	{
		"RPOPLPUSH of the last",
		[]string{"RPUSH foo a"},
		"RPOPLPUSH foo bar", "$1 a",
		[]string{"LRANGE foo 0 -1", "LRANGE bar 0 -1"},
		"*1 $1 a|*0", "*0|*1 $1 a",
		[]string{"*1 $1 a|*1 $1 a"},
	},
	{
		"SINTERSTORE",
		[]string{"SADD foo a b", "SADD k0 b c", "SET bar old"},
		"SINTERSTORE bar foo k0", ":1",
		[]string{"TYPE bar", "SCARD foo", "SCARD k0"},
		"+string|:2|:2", "+set|:2|:2", nil,
	},
	{
		"SDIFFSTORE of nothing",
		[]string{"SADD foo a", "SADD k0 a", "SET bar old"},
		"SDIFFSTORE bar foo k0", ":0",
		[]string{"GET bar"},
		"$3 old", "$-1", nil,
	},
	{
		"ZUNIONSTORE",
		[]string{"ZADD foo 1 a", "ZADD k0 2 a 3 b"},
		"ZUNIONSTORE bar 2 foo k0", ":2",
		[]string{"ZRANGE bar 0 -1 WITHSCORES"},
		"*0", "*4 $1 a $1 3 $1 b $1 3", nil,
	},
	{
		"ZRANGESTORE",
		[]string{"ZADD foo 1 a 2 b"},
		"ZRANGESTORE bar foo 1 1", ":1",
		[]string{"ZRANGE bar 0 -1 WITHSCORES"},
		"*0", "*2 $1 b $1 2", nil,
	},
	{
		"ZRANGESTORE by names",
		[]string{"ZADD foo 1 a 1 b"},
		"ZRANGESTORE bar foo [b + BYLEX", ":1",
		[]string{"ZRANGE bar 0 -1 WITHSCORES"},
		"*0", "*2 $1 b $1 1", nil,
	},
	{
		"BITOP",
		[]string{"SET foo a", "SET k0 b"},
		"BITOP OR bar foo k0", ":1",
		[]string{"GET bar"},
		"$-1", "$1 c", nil,
	},
	{
		"PFMERGE",
		[]string{"PFADD foo a", "PFADD k0 b", "PFADD bar c"},
		"PFMERGE bar foo k0", "+OK",
		[]string{"PFCOUNT bar", "PFCOUNT foo", "DBSIZE"},
		":1|:1|:3", ":3|:1|:3", nil,
	},
	{
		"SORT",
		[]string{"RPUSH foo 2 1"},
		"SORT foo STORE bar", ":2",
		[]string{"LRANGE bar 0 -1"},
		"*0", "*2 $1 1 $1 2", nil,
	},
}

// TestStepsCut cuts the connection to the node at each step of each command that is done in steps, before the node runs it and behind: nothing is ever
// lost, and what the client is told is true.
func TestStepsCut(t *testing.T) {
	kinds := []struct {
		name  string
		nodes func(t *testing.T) []string
	}{
		{"larder nodes", func(t *testing.T) []string { return fleet.Nodes(t, 3) }},
		{"redis-servers", func(t *testing.T) []string {
			return []string{peers.StartRedis(t), peers.StartRedis(t), peers.StartRedis(t)}
		}},
	}
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			var s scissors
			var relays []string
			for _, node := range kind.nodes(t) {
				relays = append(relays, relay(t, node, &s))
			}
			gateway := fleet.Gateway(t, relays, func(o *proxy.Options) { o.CrossSlot = "allow" })
			for _, c := range cutCommands {
				t.Run(c.name, func(t *testing.T) {
					for _, reply := range []bool{false, true} {
						at := 1
						for c.run(t, gateway, &s, at, reply) {
							at++
						}
						if at < 3 {
							t.Errorf("it has only %d steps", at-1)
						}
					}
				})
			}
		})
	}
}

// run says whether the scissors fell.
func (c *cutCommand) run(t *testing.T, gateway string, s *scissors, at int, reply bool) bool {
	t.Helper()
	s.arm(0, false)
	w := open(t, gateway)
	defer w.Close()
	say := func(line string) string { return strings.Join(strings.Fields(ask(t, w, strings.Fields(line)...)), " ") }
	if got := say("FLUSHALL"); got != "+OK" {
		t.Fatalf("FLUSHALL: %q", got)
	}
	for _, line := range c.prepare {
		if got := say(line); got[0] == '-' {
			t.Fatalf("%s: %q", line, got)
		}
	}
	s.arm(at, reply)
	got := say(c.command)
	cut := s.fell()
	s.arm(0, false)
	var states []string
	for _, line := range c.look {
		states = append(states, say(line))
	}
	state := strings.Join(states, "|")
	where := fmt.Sprintf("cut at %d, the node runs it: %v: replied %q, then %q", at, reply, got, state)
	c.judge(t, where, got, state, cut)
	return cut
}

// judge holds what the client was told against what is there then.
func (c *cutCommand) judge(t *testing.T, where, got, state string, failed bool) {
	t.Helper()
	switch {
	case got == c.reply:
		if state != c.after {
			t.Errorf("%s, want %q", where, c.after)
		}
	case !failed:
		t.Errorf("%s, want %q", where, c.reply)
	case strings.HasPrefix(got, "-UNKNOWN "):
		if state != c.before && state != c.after && !slices.Contains(c.between, state) {
			t.Errorf("%s: something is lost", where)
		}
	case strings.HasPrefix(got, "-CLUSTERDOWN ") || strings.HasPrefix(got, "-TRYAGAIN "):
		if state != c.before {
			t.Errorf("%s: it was told that nothing was done", where)
		}
	default:
		t.Errorf("%s", where)
	}
}

// TestStepsTogether: many clients move elements between lists of two shards, and a value is renamed while others change it. Without failures nothing is lost
// and nothing comes twice.
func TestStepsTogether(t *testing.T) {
	gateway := fleet.Gateway(t, fleet.Nodes(t, 3), func(o *proxy.Options) { o.CrossSlot = "allow" })
	w := open(t, gateway)
	const elements, workers = 200, 4
	all := make([]string, elements)
	for i := range all {
		all[i] = fmt.Sprint("e", i)
	}
	ask(t, w, append([]string{"RPUSH", "foo"}, all...)...)
	var moved [workers][]string
	var group errgroup.Group
	for i := range workers {
		group.Go(func() error {
			return eachOwn(gateway, func(own *clients.Wire) (more bool, err error) {
				reply, err := own.Do("LMOVE", "foo", "bar", "LEFT", "RIGHT")
				if err != nil || resp.Value(reply).IsNull() {
					return false, err
				}
				if text, ok := resp.BulkOf(reply); ok {
					moved[i] = append(moved[i], string(text))
				} else if !strings.HasPrefix(string(reply), "-TRYAGAIN ") {
					return false, fmt.Errorf("LMOVE: %q", reply)
				}
				return true, nil
			})
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	told := slices.Concat(moved[:]...)
	var there []string
	for it := resp.Elements([]byte(ask(t, w, "LRANGE", "bar", "0", "-1"))); it.Left() > 0; {
		e, _ := it.Next()
		text, _ := resp.BulkOf(e)
		there = append(there, string(text))
	}
	slices.Sort(all)
	slices.Sort(told)
	slices.Sort(there)
	if !slices.Equal(all, told) || !slices.Equal(all, there) {
		t.Errorf("%d elements, %d are told to have been moved, %d are there", len(all), len(told), len(there))
	}
	if got := ask(t, w, "LLEN", "foo"); got != ":0\r\n" {
		t.Errorf("left: %q", got)
	}
}

// eachOwn calls do with a connection of its own for as long as it wants more.
func eachOwn(addr string, do func(*clients.Wire) (more bool, err error)) error {
	w, err := clients.Open(addr)
	if err != nil {
		return err
	}
	defer w.Close()
	for {
		if more, err := do(w); !more || err != nil {
			return err
		}
	}
}

// TestRenameUnderWrites: a counter is renamed again and again while others count: no count is lost.
func TestRenameUnderWrites(t *testing.T) {
	gateway := fleet.Gateway(t, fleet.Nodes(t, 3), func(o *proxy.Options) { o.CrossSlot = "allow" })
	const counts, workers = 1500, 4
	var group errgroup.Group
	for range workers {
		group.Go(func() error {
			left := counts
			return eachOwn(gateway, func(w *clients.Wire) (bool, error) {
				reply, err := w.Do("INCR", "foo")
				if err == nil && reply[0] != ':' {
					err = fmt.Errorf("INCR: %q", reply)
				}
				left--
				return left > 0, err
			})
		})
	}
	renamed := int64(0)
	stop := make(chan struct{})
	var renamer errgroup.Group
	renamer.Go(func() error {
		return eachOwn(gateway, func(w *clients.Wire) (bool, error) {
			reply, err := w.Do("RENAME", "foo", "bar")
			switch {
			case err != nil:
				return false, err
			case string(reply) == "+OK\r\n":
			case strings.HasPrefix(string(reply), "-ERR no such key"), strings.HasPrefix(string(reply), "-UNKNOWN 'rename'"):
			default:
				return false, fmt.Errorf("RENAME: %q", reply)
			}
			if string(reply) == "+OK\r\n" {
				got, err := w.Do("GETDEL", "bar")
				if err != nil {
					return false, err
				}
				text, _ := resp.BulkOf(got)
				n, _ := strconv.ParseInt(string(text), 10, 64)
				renamed += n
			}
			select {
			case <-stop:
				return false, nil
			default:
				return true, nil
			}
		})
	})
	err := group.Wait()
	close(stop)
	if err := errors.Join(err, renamer.Wait()); err != nil {
		t.Fatal(err)
	}
	w := open(t, gateway)
	left, _ := strconv.ParseInt(strings.Trim(strings.Join(strings.Fields(ask(t, w, "INCRBY", "foo", "0")), ""), ":"), 10, 64)
	if renamed+left != counts*workers {
		t.Errorf("%d counts, %d were renamed and %d are left", counts*workers, renamed, left)
	}
}
