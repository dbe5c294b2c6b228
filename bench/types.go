package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// TypeCell is one command on a collection, ours and theirs in turns. redis-benchmark makes the load, since it can be given any command.
type TypeCell struct {
	Name   string
	Depth  int
	Ours   []Sample
	Theirs []Sample
	Target float64
}

// Ratio is ours to theirs in CPU an operation, the median of the rounds.
func (c *TypeCell) Ratio() float64 { return cpuRatio(c.Ours, c.Theirs) }

// typeLoad is a command as redis-benchmark takes it: __rand_int__ is twelve digits, one of space numbers. before are commands that make what it needs.
type typeLoad struct {
	name   string
	space  int
	args   []string
	before [][]string
	target float64
}

const (
	typeDepth  = 16
	typeTarget = 0.7
	evalTarget = 2.0
	random     = "__rand_int__"
)

// evalScript has ten lines, of the kind that people write: a counter with a limit.
const evalScript = `local key, limit = KEYS[1], tonumber(ARGV[1])
local n = redis.call('INCR', key)
if n == 1 then
  redis.call('EXPIRE', key, 100)
end
if n > limit then
  return {0, n}
else
  return {1, n}
end`

func typeLoads() []typeLoad {
	list := [][]string{append([]string{"RPUSH", "mylist"}, strings.Fields(strings.Repeat("xxxxxxxx ", 500))...)}
	hash, set, zset := []string{"HSET", "small"}, []string{"SADD", "members"}, []string{"ZADD", "scores"}
	for i := range 10 {
		hash = append(hash, fmt.Sprintf("field:%02d", i), "xxxxxxxx")
	}
	for i := range 1000 {
		set = append(set, fmt.Sprintf("%012d", i))
		zset = append(zset, strconv.Itoa(i), fmt.Sprintf("%012d", i))
	}
	return []typeLoad{
		{"LPUSH", 0, []string{"LPUSH", "list", "xxxxxxxx"}, nil, typeTarget},
		{"LRANGE_100", 0, []string{"LRANGE", "mylist", "0", "99"}, list, typeTarget},
		{"HSET", 1_000_000, []string{"HSET", "hash", "element:" + random, "xxxxxxxx"}, nil, typeTarget},
		{"HGETALL", 0, []string{"HGETALL", "small"}, [][]string{hash}, typeTarget},
		{"SADD", 1_000_000, []string{"SADD", "set", "element:" + random}, nil, typeTarget},
		{"SISMEMBER", 1000, []string{"SISMEMBER", "members", random}, [][]string{set}, typeTarget},
		{"ZADD", 1_000_000, []string{"ZADD", "zset", "1", "element:" + random}, nil, typeTarget},
		{"ZRANGEBYSCORE", 900, []string{"ZRANGEBYSCORE", "scores", "500", "550"}, [][]string{zset}, typeTarget},
		{"XADD", 0, []string{"XADD", "stream", "MAXLEN", "~", "100000", "*", "field", "xxxxxxxx"}, nil, typeTarget},
		{"XREAD", 0, []string{"XREAD", "COUNT", "10", "STREAMS", "entries", "0"}, entries(), typeTarget},
		{"INCR", 1_000_000, []string{"INCR", "counter:" + random}, nil, typeTarget},
		{"EVAL", 100_000, []string{"EVAL", evalScript, "1", "limit:" + random, "10"}, nil, evalTarget},
	}
}

func entries() [][]string {
	var all [][]string
	for range 100 {
		all = append(all, []string{"XADD", "entries", "*", "field", "xxxxxxxx"})
	}
	return all
}

// types measures commands on collections, and what collections take.
func (r *runner) types() error {
	if err := r.typeCommands(); err != nil {
		return err
	}
	return r.typeMemory()
}

func (r *runner) typeCommands() error {
	defer r.bed.stop()
	ours, theirs, err := r.twins(fill{})
	if err != nil {
		return err
	}
	for _, load := range typeLoads() {
		if !r.only.MatchString(load.name) {
			continue
		}
		c := TypeCell{Name: load.name, Depth: typeDepth, Target: load.target}
		for _, s := range []*Server{ours, theirs} {
			if err := s.tell(load.before); err != nil {
				return err
			}
		}
		for range r.plan.rounds {
			a, err := r.plan.typed(ours, load)
			if err != nil {
				return err
			}
			b, err := r.plan.typed(theirs, load)
			if err != nil {
				return err
			}
			c.Ours, c.Theirs = append(c.Ours, a), append(c.Theirs, b)
		}
		fmt.Fprintf(r.out, "%s at depth %d: engine to redis-server %.2f%s\n", c.Name, c.Depth, c.Ratio(), judged(c.Ratio(), c.Target))
		r.results.Types = append(r.results.Types, c)
	}
	return nil
}

// typed runs one load against one server.
func (p plan) typed(s *Server, load typeLoad) (Sample, error) {
	if err := p.stopped(); err != nil {
		return Sample{}, err
	}
	host, prt, _ := strings.Cut(s.Addr, ":")
	n := min(p.requests, int(p.run.Seconds()*100_000))
	args := append([]string{"-h", host, "-p", prt, "-c", strconv.Itoa(p.conns), "-P", strconv.Itoa(typeDepth), "-n", strconv.Itoa(n), "-r", strconv.Itoa(max(load.space, 1)), "--csv"}, load.args...)
	out, err := watch(s, func() (int, error) {
		said, err := exec.Command("redis-benchmark", args...).CombinedOutput()
		if err != nil || strings.Contains(string(said), "Error from server") {
			return n, fmt.Errorf("redis-benchmark %s against %s: %w: %.200s", load.name, s.Name, err, said)
		}
		return n, nil
	})
	out.sent = n
	return out, err
}

// tell sends commands and fails on the first error among their replies.
func (s *Server) tell(commands [][]string) error {
	for _, args := range commands {
		if reply, err := call(s.Addr, args...); err != nil || strings.HasPrefix(reply, "-") {
			return fmt.Errorf("prepare %s: %s: %s: %w", s.Name, args[0], reply, err)
		}
	}
	return nil
}

// TypeMemory compares what the same collections take, in bytes of resident memory.
type TypeMemory struct {
	Name         string
	Collections  int
	Elements     int // of each
	Payload      int // bytes of key and elements of each
	Ours, Theirs Footprint
	Target       float64 // bytes beyond the payload a collection; 0 = no more than theirs
}

// Overhead is bytes a collection beyond its key and elements.
func (c *TypeMemory) Overhead(f Footprint) float64 {
	return float64(f.After-f.Before)/float64(c.Collections) - float64(c.Payload)
}

// typeFill makes collections: name of the command, and for element i, another one for each, what follows the key.
type typeFill struct {
	kind    string
	command string
	element func(i int) []string
	bytes   int // of an element's content
}

func typeFills() []typeFill {
	member := func(i int) string { return fmt.Sprintf("%08d", i) }
	return []typeFill{
		{"hash", "HSET", func(i int) []string { return []string{fourBytes(i), "xxxx"} }, 8},
		{"set", "SADD", func(i int) []string { return []string{"m" + member(i)[1:]} }, 8},
		{"zset", "ZADD", func(i int) []string { return []string{strconv.Itoa(i), "m" + member(i)[1:]} }, 8},
		{"list", "RPUSH", func(i int) []string { return []string{"e" + member(i)[1:]} }, 8},
	}
}

// fourBytes gives each number below 36⁴ a text of its own that is no number.
func fourBytes(i int) string {
	const digits, base = "abcdefghijklmnopqrstuvwxyz0123456789", 36
	var b [4]byte
	for at := range b {
		b[at] = digits[i%base]
		i /= base
	}
	return string(b[:])
}

const (
	smallCount, smallElements = 1_000_000, 10
	bigElements               = 1_000_000
	smallTarget               = 50.0
)

func (r *runner) typeMemory() error {
	for _, f := range typeFills() {
		cells := []TypeMemory{
			{Name: f.kind + ", small", Collections: smallCount, Elements: smallElements, Payload: 16 + smallElements*f.bytes, Target: smallTarget},
			{Name: f.kind + ", big", Collections: 1, Elements: bigElements},
		}
		for _, c := range cells {
			if !r.only.MatchString(c.Name) {
				continue
			}
			var err error
			if c.Theirs, err = r.typeFootprint(func() (*Server, error) { return r.bed.redis("redis", r.bed.serverCore) }, f, &c); err != nil {
				return err
			}
			if c.Ours, err = r.typeFootprint(r.bed.engine, f, &c); err != nil {
				return err
			}
			fmt.Fprintf(r.out, "memory of %s: engine %.1f, redis-server %.1f bytes\n", c.Name, c.Overhead(c.Ours), c.Overhead(c.Theirs))
			r.results.TypeMemory = append(r.results.TypeMemory, c)
		}
	}
	return nil
}

func (r *runner) typeFootprint(start func() (*Server, error), f typeFill, c *TypeMemory) (Footprint, error) {
	defer r.bed.stop()
	s, err := start()
	if err != nil {
		return Footprint{}, err
	}
	// What a process takes once, for its first pipelines of such commands, is not what a collection takes: some come before.
	const warming = 5
	var m Footprint
	for i := range warming {
		if err := s.pour(f, fmt.Sprintf("war%d", i), max(c.Collections/50, 1), min(c.Elements, bigElements/10)); err != nil {
			return m, err
		}
	}
	time.Sleep(settle)
	if m.Before, err = readRSS(s.pid()); err != nil {
		return m, err
	}
	if err := s.pour(f, "full", c.Collections, c.Elements); err != nil {
		return m, err
	}
	time.Sleep(settle)
	m.After, err = readRSS(s.pid())
	return m, err
}

// pour makes collections, whose keys begin with four letters, in one pipeline of commands of at most a hundred elements each.
func (s *Server) pour(f typeFill, letters string, collections, elements int) error {
	const together, inFlight = 100, 1000
	conn, err := net.Dial("tcp", s.Addr)
	if err != nil {
		return fmt.Errorf("fill %s: %w", s.Name, err)
	}
	defer conn.Close()
	in, out := bufio.NewReader(conn), bufio.NewWriterSize(conn, 1<<16)
	waiting := 0
	drain := func() error {
		if err := out.Flush(); err != nil {
			return fmt.Errorf("fill %s: %w", s.Name, err)
		}
		for ; waiting > 0; waiting-- {
			if line, err := in.ReadString('\n'); err != nil || line[0] != ':' {
				return fmt.Errorf("fill %s: %q: %w", s.Name, line, err)
			}
		}
		return nil
	}
	for n := range collections {
		for first := 0; first < elements; first += together {
			args := []string{f.command, fmt.Sprintf("%s%012d", letters, n)}
			for i := first; i < min(first+together, elements); i++ {
				args = append(args, f.element(i)...)
			}
			b := append(strconv.AppendInt([]byte("*"), int64(len(args)), 10), "\r\n"...)
			for _, a := range args {
				b = appendBulk(b, []byte(a))
			}
			_, _ = out.Write(b) // Flush tells
			if waiting++; waiting == inFlight {
				if err := drain(); err != nil {
					return err
				}
			}
		}
	}
	return drain()
}

func (r *Results) typesTables(w io.Writer) {
	if len(r.Types) > 0 {
		fmt.Fprintf(w, "\n## Commands on collections, node against redis-server\n\nServer CPU per operation in µs at depth %d, medians; redis-benchmark makes the load.\n\n", typeDepth)
		fmt.Fprintf(w, "| command | engine | redis-server | ratio | target | |\n|---|---|---|---|---|---|\n")
		for i := range r.Types {
			c := &r.Types[i]
			fmt.Fprintf(w, "| %s | %.3f | %.3f | **%.2f** | %s | %s |\n", c.Name, median(column(c.Ours, cpuOf)), median(column(c.Theirs, cpuOf)), c.Ratio(), atMost(c.Target), verdict(c.Ratio(), c.Target))
		}
	}
	if len(r.TypeMemory) > 0 {
		fmt.Fprintf(w, "\n## Memory of collections\n\nSmall: %s collections of %d elements of 8 bytes, bytes of resident memory each beyond key and elements. Big: one of %s elements, all its bytes. Others came before, so that what a process takes once does not count.\n\n", countName(smallCount), smallElements, countName(bigElements))
		fmt.Fprintf(w, "| collection | engine | redis-server | target | |\n|---|---|---|---|---|\n")
		for i := range r.TypeMemory {
			c := &r.TypeMemory[i]
			ours, theirs, target := c.Overhead(c.Ours), c.Overhead(c.Theirs), c.Target
			if target == 0 {
				target = theirs
			}
			fmt.Fprintf(w, "| %s | **%.0f** | %.0f | %s | %s |\n", c.Name, ours, theirs, atMost(target), verdict(ours, target))
		}
	}
}
