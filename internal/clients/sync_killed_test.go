package clients_test

import (
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"larder/internal/clients"
	"larder/internal/peers"
)

// unfinished are the temporary files that a node has left in its folder.
func unfinished(t *testing.T, dir string) []string {
	t.Helper()
	names := temporaries(t, dir)
	for _, pattern := range []string{"temp-*", "appendonlydir/temp-*", "appendonlydir/*.tmp"} {
		more, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, more...)
	}
	return names
}

// loaded waits until a node has its data, and gives a connection to it.
func loaded(t *testing.T, node *clients.Process) *peers.Conn {
	t.Helper()
	c := peers.Dial(t, node.Addr, 2)
	eventually(t, "the journal is loaded", func() bool { return info(t, c, "loading") == "0" || info(t, c, "master_sync_in_progress") == "1" })
	return c
}

// TestKilledWhileCopying kills a primary that sends all its data, the replica that receives them, or both, at moments that are drawn, under writes of all types:
// the primary, with appendfsync always, misses nothing that it acknowledged; the replica has in the end what the primary has; neither leaves temporary files.
func TestKilledWhileCopying(t *testing.T) {
	t.Parallel()
	rng := dice(t)
	dirs := []string{t.TempDir(), t.TempDir()}
	primary := larder.Engine(t, "--dir", dirs[0], "--appendonly", "yes", "--appendfsync", "always", "--enable-debug-command", "yes")
	host, port, _ := net.SplitHostPort(primary.Addr)
	replica := larder.Engine(t, "--dir", dirs[1], "--appendonly", "yes", "--replicaof", host+" "+port, "--enable-debug-command", "yes")
	fillKeys(t, peers.Dial(t, primary.Addr, 2), 60_000, "before ")
	writers := make([]*writer, 4)
	for i := range writers {
		writers[i] = &writer{id: strconv.Itoa(i)}
	}
	var all sync.WaitGroup
	amid, total := 0, 0
	for round := range 12 {
		p, r := loaded(t, primary), loaded(t, replica)
		linked(t, r)
		for _, w := range writers {
			all.Go(func() { w.run(primary.Addr) })
		}
		want(t, p, "+OK\r\n", "CONFIG", "SET", "repl-diskless-sync", []string{"yes", "no"}[rng.IntN(2)])
		want(t, r, "+OK\r\n", "REPLICAOF", "NO", "ONE")
		want(t, r, "+OK\r\n", "DEBUG", "CHANGE-REPL-ID") // so that nothing but a copy will do
		want(t, r, "+OK\r\n", "REPLICAOF", host, port)
		eventually(t, "the copy is on its way", func() bool { return info(t, r, "master_sync_in_progress") == "1" })
		time.Sleep(time.Duration(rng.IntN(150_000)) * time.Microsecond) // the moment is what is drawn
		if info(t, r, "master_sync_in_progress") == "1" {
			amid++
		}
		both := rng.IntN(3)
		if both != 0 {
			replica.Kill()
		}
		if both == 1 { // its writers end with the primary; that is what is judged
			replica.Start(t)
			time.Sleep(time.Duration(rng.IntN(100_000)) * time.Microsecond)
		}
		primary.Kill()
		all.Wait()
		primary.Start(t)
		p = loaded(t, primary)
		for _, w := range writers {
			if w.refused != "" {
				t.Fatalf("round %d: %s", round, w.refused)
			}
			total += w.acked
			w.judge(t, p, "round "+strconv.Itoa(round)+", writer "+w.id)
		}
		if both == 2 {
			replica.Start(t)
		}
		r = loaded(t, replica)
		linked(t, r)
		for _, dir := range dirs {
			eventually(t, "no temporary file is left", func() bool {
				return info(t, r, "aof_rewrite_in_progress") == "1" || info(t, p, "aof_rewrite_in_progress") == "1" || len(unfinished(t, dir)) == 0
			})
		}
		aofIsWhole(t, dirs[0])
	}
	p, r := peers.Dial(t, primary.Addr, 2), peers.Dial(t, replica.Addr, 2)
	level(t, p, r)
	eventually(t, "no temporary file is left", func() bool { return len(unfinished(t, dirs[0])) == 0 && len(unfinished(t, dirs[1])) == 0 })
	t.Logf("%d rounds were killed amid a copy, %d batches were acknowledged", amid, total)
	if amid == 0 || total == 0 {
		t.Error("no copy was cut off, or nothing was acknowledged")
	}
}
