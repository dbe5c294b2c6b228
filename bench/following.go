package main

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"time"
)

// syncMax is how long a replica may take to have all data.
const syncMax = 2 * time.Minute

// Synced is one full synchronization of an empty replica.
type Synced struct {
	Seconds float64 // from REPLICAOF until its link is up
	CPUS    float64 // of the primary's, meanwhile
	Steal   float64
}

// SyncCell compares both, each with a replica of its own kind.
type SyncCell struct {
	Keys         int
	Ours, Theirs []Synced
	Repeats      int
}

func syncedSeconds(s Synced) float64 { return s.Seconds }
func syncedCPU(s Synced) float64     { return s.CPUS }

// Ratio is ours to theirs in time.
func (c *SyncCell) Ratio() float64 {
	return medianRatio(column(c.Ours, syncedSeconds), column(c.Theirs, syncedSeconds))
}

// following measures replication: the first copy, and what it costs to tell each write.
func (r *runner) following() error {
	if err := r.fullSync(); err != nil {
		return err
	}
	return r.tellingWrites()
}

// primaries are twins that do not wait for a second replica before they send a copy.
func (r *runner) primaries(f fill) (ours, theirs *Server, err error) {
	if theirs, err = r.bed.redisNamed("redis", r.bed.serverCore, "--repl-diskless-sync-delay", "0"); err != nil {
		return nil, nil, err
	}
	if ours, err = r.bed.engineNamed("engine", r.bed.serverCore, "--repl-diskless-sync-delay", "0"); err != nil {
		return nil, nil, err
	}
	for _, s := range []*Server{theirs, ours} {
		if err := r.plan.fill(s.Addr, f); err != nil {
			return nil, nil, err
		}
	}
	return ours, theirs, nil
}

// replica starts an empty one, on the generator's core. redis-server's reads the copy from the socket too, as it can where there is nothing to lose.
func (r *runner) replica(ours bool) (*Server, error) {
	if ours {
		return r.bed.engineNamed("engine-replica", r.bed.otherCore)
	}
	return r.bed.redisNamed("redis-replica", r.bed.otherCore, "--repl-diskless-load", "on-empty-db")
}

// follow has a replica follow a primary and waits until it has its data.
func (p plan) follow(replica, primary *Server) error {
	host, prt, err := net.SplitHostPort(primary.Addr)
	if err != nil {
		return err
	}
	if err := replica.tell([][]string{{"REPLICAOF", host, prt}}); err != nil {
		return err
	}
	return replica.awaitInfo(p, "replication", "master_link_status", "up", syncMax)
}

func (r *runner) fullSync() error {
	defer r.bed.stop()
	f := r.large()
	c := SyncCell{Keys: f.keys}
	ours, theirs, err := r.primaries(f)
	if err != nil {
		return err
	}
	for range r.plan.rounds {
		var a, b Synced
		again, err := r.plan.calm(func() (float64, error) {
			var err error
			if a, err = r.syncOnce(ours, true, c.Keys); err != nil {
				return 0, err
			}
			if b, err = r.syncOnce(theirs, false, c.Keys); err != nil {
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
	fmt.Fprintf(r.out, "full synchronization of %s keys of %s: engine / redis-server %.2f / %.2f s = %.2f%s; CPU of the primary %.2f / %.2f s\n", countName(c.Keys), sizeName(largeValue),
		mid(c.Ours, syncedSeconds), mid(c.Theirs, syncedSeconds), c.Ratio(), judged(c.Ratio(), syncTarget), mid(c.Ours, syncedCPU), mid(c.Theirs, syncedCPU))
	r.results.Sync = append(r.results.Sync, c)
	return nil
}

func (r *runner) syncOnce(primary *Server, ours bool, keys int) (out Synced, err error) {
	replica, err := r.replica(ours)
	if err != nil {
		return out, err
	}
	defer r.bed.end(replica)
	host0, err := readHost()
	if err != nil {
		return out, err
	}
	cpu0, err := readCPU(primary.pid())
	if err != nil {
		return out, err
	}
	began := time.Now()
	if err := r.plan.follow(replica, primary); err != nil {
		return out, err
	}
	out.Seconds = time.Since(began).Seconds()
	cpu1, err := readCPU(primary.pid())
	if err != nil {
		return out, err
	}
	out.CPUS = cpu1.since(cpu0).Seconds()
	host1, err := readHost()
	if err != nil {
		return out, err
	}
	out.Steal = host1.stealSince(host0)
	if n, err := replica.alive(); err != nil || n != keys {
		return out, fmt.Errorf("%s has %d keys of %d: %w", replica.Name, n, keys, err)
	}
	return out, nil
}

// TellCell compares what a write costs a primary with nobody who follows it and with one replica.
type TellCell struct{ Alone, Followed Cell }

// extra is what the replica adds to a write, µs.
func (c *TellCell) extra(of func(*Cell) []Sample) float64 {
	return mid(of(&c.Followed), cpuOf) - mid(of(&c.Alone), cpuOf)
}

func oursOf(c *Cell) []Sample   { return c.Ours }
func theirsOf(c *Cell) []Sample { return c.Theirs }

func (r *runner) tellingWrites() error {
	defer r.bed.stop()
	ours, theirs, err := r.primaries(fill{value: 64, keys: r.plan.keys})
	if err != nil {
		return err
	}
	var c TellCell
	w := Workload{Op: "SET", Keys: 1, Value: 64, Depth: 16}
	if c.Alone, err = r.plan.pairs(ours, theirs, w, 0); err != nil {
		return err
	}
	for _, s := range []*Server{ours, theirs} {
		replica, err := r.replica(s == ours)
		if err != nil {
			return err
		}
		if err := r.plan.follow(replica, s); err != nil {
			return err
		}
	}
	if c.Followed, err = r.plan.pairs(ours, theirs, w, tellTarget); err != nil {
		return err
	}
	for _, s := range []*Server{ours, theirs} {
		if err := s.stillFollowed(); err != nil {
			return err
		}
	}
	r.say(&c.Followed, ours, theirs)
	fmt.Fprintf(r.out, "the replica's part of it: engine / redis-server %.3f / %.3f µs\n", c.extra(oursOf), c.extra(theirsOf))
	r.results.Tell = append(r.results.Tell, c)
	return nil
}

// stillFollowed fails a run in which a replica was not fast enough and had to begin anew, or has not what was written.
func (s *Server) stillFollowed() error {
	full, err := s.infoField("stats", "sync_full")
	if err != nil || full != "1" {
		return fmt.Errorf("%s has sent %s full copies, want one: %w", s.Name, full, err)
	}
	reply, err := call(s.Addr, "WAIT", "1", strconv.FormatInt(silenceMax.Milliseconds(), 10))
	if err != nil || reply != ":1" {
		return fmt.Errorf("the replica of %s has not all that was written: %q: %w", s.Name, reply, err)
	}
	return nil
}

func (r *Results) followingTables(w io.Writer) {
	for i := range r.Sync {
		c := &r.Sync[i]
		fmt.Fprintf(w, "\n## Full synchronization\n\n%s keys of %s that do not compress, to an empty replica of the same kind on the generator's core, from REPLICAOF until its link is up; redis-server without its delay, and its replica without a file. Medians of the rounds.\n\n",
			countName(c.Keys), sizeName(largeValue))
		fmt.Fprintf(w, "| | engine | redis-server | ratio | target | |\n|---|---|---|---|---|---|\n")
		fmt.Fprintf(w, "| seconds | %.2f | %.2f | **%.2f** | %s | %s |\n", mid(c.Ours, syncedSeconds), mid(c.Theirs, syncedSeconds), c.Ratio(), atMost(syncTarget), verdict(c.Ratio(), syncTarget))
		fmt.Fprintf(w, "| seconds of the primary's CPU | %.2f | %.2f | %.2f | | |\n", mid(c.Ours, syncedCPU), mid(c.Theirs, syncedCPU), medianRatio(column(c.Ours, syncedCPU), column(c.Theirs, syncedCPU)))
		fmt.Fprintf(w, "\nSteal %s.\n", stealName(most(slices.Concat(c.Ours, c.Theirs), func(s Synced) float64 { return s.Steal }), c.Repeats))
	}
	for i := range r.Tell {
		c := &r.Tell[i]
		fmt.Fprintf(w, "\n## Writes with one replica\n\nThe replica is of the same kind and shares the generator's core; measured is the primary. Of its CPU a write the replica's part is %.3f µs in the engine and %.3f µs in redis-server: that much more than with nobody who follows it.\n\n",
			c.extra(oursOf), c.extra(theirsOf))
		pairsTable(w, "engine", "redis-server", []Cell{c.Followed})
	}
}
