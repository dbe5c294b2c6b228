package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// loadTarget is the time of the node to redis-server's: one and a half times as fast.
const loadTarget = 0.67

// loadValue is how long the texts in the file are, bytes.
const loadValue = 100

// Loaded is one start with a file.
type Loaded struct {
	WallS float64 // until it serves
	CPUS  float64 // that it used until then
	Steal float64
}

// LoadCell compares how long both need to load the same RDB file.
type LoadCell struct {
	Keys         int
	MiB          float64
	Ours, Theirs []Loaded
	Repeats      int
}

func wallOf(l Loaded) float64 { return l.WallS }

func loadCPU(l Loaded) float64 { return l.CPUS }

// Ratio is ours to theirs in time.
func (c *LoadCell) Ratio() float64 {
	return medianRatio(column(c.Ours, wallOf), column(c.Theirs, wallOf))
}

func (r *runner) loading() error {
	dir := filepath.Join(r.bed.dir, "dump")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the dump's folder: %w", err)
	}
	c := LoadCell{Keys: 2 * r.plan.keys}
	if err := r.makeDump(dir, &c); err != nil {
		return err
	}
	for range r.plan.rounds {
		var a, b Loaded
		again, err := r.plan.calm(func() (float64, error) {
			var err error
			if a, err = r.load(func() (*Server, error) { return r.bed.role(r.bed.serverCore, "engine", "--dir", dir) }); err != nil {
				return 0, err
			}
			if b, err = r.load(func() (*Server, error) { return r.bed.redisIn(dir, r.bed.serverCore) }); err != nil {
				return 0, err
			}
			return max(a.Steal, b.Steal), nil
		})
		if err != nil {
			return err
		}
		c.Repeats += again
		c.Ours, c.Theirs = append(c.Ours, a), append(c.Theirs, b)
	}
	fmt.Fprintf(r.out, "loading %.0f MiB of %s keys: engine %.2f s, redis-server %.2f s = %.2f%s; CPU %.2f / %.2f s\n", c.MiB, countName(c.Keys),
		mid(c.Ours, wallOf), mid(c.Theirs, wallOf), c.Ratio(), judged(c.Ratio(), loadTarget), mid(c.Ours, loadCPU), mid(c.Theirs, loadCPU))
	r.results.Loading = append(r.results.Loading, c)
	return nil
}

// redisIn starts a redis-server that loads what is in a folder.
func (b *bed) redisIn(dir string, core int, more ...string) (*Server, error) {
	addr, err := port()
	if err != nil {
		return nil, err
	}
	_, p, _ := net.SplitHostPort(addr)
	args := append([]string{"--port", p, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", dir}, more...)
	return b.start(&Server{Name: "redis", Addr: addr}, core, "redis-server", args...)
}

// makeDump has redis-server write a file of texts and collections.
func (r *runner) makeDump(dir string, c *LoadCell) error {
	defer r.bed.stop()
	s, err := r.bed.redisIn(dir, r.bed.serverCore)
	if err != nil {
		return err
	}
	if err := r.plan.fill(s.Addr, fill{value: loadValue, keys: c.Keys}); err != nil {
		return err
	}
	made := loadCollections(max(c.Keys/1000, 10))
	if err := s.tell(made); err != nil {
		return err
	}
	c.Keys += len(made)
	if err := s.tell([][]string{{"SAVE"}}); err != nil {
		return err
	}
	info, err := os.Stat(filepath.Join(dir, "dump.rdb"))
	if err != nil {
		return fmt.Errorf("the file that redis-server saved: %w", err)
	}
	c.MiB = float64(info.Size()) / (1 << 20)
	return nil
}

// loadCollections are commands that make as many collections, small ones and large ones of each type.
func loadCollections(n int) [][]string {
	var all [][]string
	for i := range n {
		elements := 20
		if i%20 == 0 {
			elements = 2000
		}
		name := strconv.Itoa(i)
		hash, zset := []string{"HSET", "hash:" + name}, []string{"ZADD", "zset:" + name}
		set, list := []string{"SADD", "set:" + name}, []string{"RPUSH", "list:" + name}
		for e := range elements {
			number := strconv.Itoa((i + 1) * (e + 7919) % 1_000_003)
			hash = append(hash, "field:"+strconv.Itoa(e), "value-"+number)
			zset = append(zset, strconv.FormatFloat(float64(e*7919%1009)/7, 'g', -1, 64), "member:"+strconv.Itoa(e))
			set, list = append(set, "element:"+strconv.Itoa(e)), append(list, "item-"+number)
		}
		all = append(all, [][]string{hash, zset, set, list}[i%4])
	}
	return all
}

// load starts a server, waits until it has loaded its file, and ends it.
func (r *runner) load(start func() (*Server, error)) (Loaded, error) {
	defer r.bed.stop()
	return r.loaded(start)
}

func (r *runner) loaded(start func() (*Server, error)) (out Loaded, err error) {
	host0, err := readHost()
	if err != nil {
		return out, err
	}
	began := time.Now()
	s, err := start()
	if err != nil {
		return out, err
	}
	out.WallS = time.Since(began).Seconds()
	use, err := readCPU(s.pid())
	if err != nil {
		return out, err
	}
	out.CPUS = (use.user + use.sys).Seconds()
	host1, err := readHost()
	out.Steal = host1.stealSince(host0)
	return out, err
}

func (r *Results) loadingTable(w io.Writer) {
	for i := range r.Loading {
		c := &r.Loading[i]
		fmt.Fprintf(w, "\n## Loading an RDB file\n\n%s keys, %.0f MiB as redis-server saved them: texts of %d bytes and collections of all sizes. From the start of the process until it answers; medians of the rounds.\n\n",
			countName(c.Keys), c.MiB, loadValue)
		fmt.Fprintf(w, "| | engine | redis-server | ratio | target | |\n|---|---|---|---|---|---|\n")
		fmt.Fprintf(w, "| seconds | %.2f | %.2f | **%.2f** | %s | %s |\n", mid(c.Ours, wallOf), mid(c.Theirs, wallOf), c.Ratio(), atMost(loadTarget), verdict(c.Ratio(), loadTarget))
		fmt.Fprintf(w, "| seconds of CPU | %.2f | %.2f | %.2f | | |\n", mid(c.Ours, loadCPU), mid(c.Theirs, loadCPU), medianRatio(column(c.Ours, loadCPU), column(c.Theirs, loadCPU)))
	}
}
