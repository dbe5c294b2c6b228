package clients_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"larder/control"
	"larder/internal/clients"
	"larder/internal/peers"
	"larder/protocol/resp"
)

// TestKilledWhileRestoring: a restore with --replace leaves alone what is not selected, though that is written meanwhile; killed or canceled midway, it comes to
// the same end when it is run again.
func TestKilledWhileRestoring(t *testing.T) {
	t.Parallel()
	const keys = 60_000
	dir := t.TempDir()
	d := larder.Dev(t, dir, "--shards", "2", "--replicas", "1", "--set", "engine.appendonly=yes")
	noise(t, d.Addr, keys)
	larder.Done(t, "snapshot", "create", "one", "--dir", dir)
	want := noiseOf(t, d.Addr, keys)
	restore := []string{"snapshot", "restore", "one", "--replace", "--prefix", "noise:", "--dir", dir, "--json"}

	spoil(t, d.Addr)
	others := incrementing(t, d.Addr)
	larder.Done(t, restore...)
	count, longest := others()
	t.Logf("%d INCRs of another key meanwhile, the longest took %v", count, longest)
	c := peers.Dial(t, d.Addr, 2)
	if got := string(c.Do("GET", "other")); count == 0 || got != fmt.Sprintf("$%d\r\n%d\r\n", len(fmt.Sprint(count)), count) {
		t.Errorf("of %d INCRs there are %q", count, got)
	}
	if got := string(c.Do("DBSIZE")); got != fmt.Sprintf(":%d\r\n", keys+1) {
		t.Errorf("DBSIZE: %q", got)
	}
	if got := noiseOf(t, d.Addr, keys); got != want {
		t.Error("values differ")
	}

	for name, end := range map[string]func(task control.Task){
		"killed":   func(control.Task) { d.Kill(); d.Start(t) },
		"canceled": func(task control.Task) { larder.Done(t, "snapshot", "cancel", task.ID, "--dir", dir) },
	} {
		amid := false
		for round := 0; round < 8 && !amid; round++ {
			spoil(t, d.Addr)
			ended := make(chan string, 1)
			go func() { _, wrong, _ := larder.Run(t, restore...); ended <- wrong }()
			eventually(t, "the restore is amid its second pass", func() bool {
				task, there := taskOf(t, dir, "snapshot one")
				select {
				case wrong := <-ended: // it was quicker than the looking
					ended <- wrong
					return true
				default:
				}
				return there && task.State == control.TaskRunning && task.Total > 0 && task.Done > task.Total/2
			})
			task, _ := taskOf(t, dir, "snapshot one")
			end(task)
			<-ended
			eventually(t, "the nodes have loaded what they have", func() bool {
				return string(peers.Dial(t, d.Addr, 2).Do("DBSIZE"))[0] == ':'
			})
			task, _ = taskOf(t, dir, "snapshot one")
			if amid = task.State != control.TaskDone; amid && !strings.Contains(task.Error, "--replace") {
				t.Errorf("%s: %+v", name, task)
			}
		}
		if !amid {
			t.Errorf("%s: never was one amid", name)
		}
		var task control.Task
		if err := json.Unmarshal([]byte(larder.Done(t, restore...)), &task); err != nil || task.State != control.TaskDone {
			t.Fatal(task, err)
		}
		if got := noiseOf(t, d.Addr, keys); got != want {
			t.Errorf("%s: values differ", name)
		}
	}
}

// noiseOf is a sum of what noise has set, in the order of its keys.
func noiseOf(t *testing.T, addr string, keys int) string {
	t.Helper()
	c, sum := peers.Dial(t, addr, 2), sha256.New()
	const batch = 500
	for i := 0; i < keys; i += batch {
		var out []byte
		for k := range batch {
			out = resp.AppendCommandStrings(out, "GET", fmt.Sprint("noise:", i+k))
		}
		c.Send(out)
		for range batch {
			sum.Write(c.Reply())
		}
	}
	return string(sum.Sum(nil))
}

// spoil changes, removes and adds some of noise's keys.
func spoil(t *testing.T, addr string) {
	t.Helper()
	c := peers.Dial(t, addr, 2)
	for i := range 300 {
		c.Do("SET", fmt.Sprint("noise:", i), "changed")
		c.Do("DEL", fmt.Sprint("noise:", 1000+i))
		c.Do("SET", fmt.Sprint("noise:added:", i), "added")
	}
}

// incrementing increments a key over and over; stop gives how often that was answered, and the longest wait.
func incrementing(t *testing.T, addr string) (stop func() (int, time.Duration)) {
	t.Helper()
	w, err := clients.Open(addr)
	if err != nil {
		t.Fatal(err)
	}
	halt, halted := make(chan struct{}), make(chan struct{})
	n, longest := 0, time.Duration(0)
	go func() {
		defer close(halted)
		defer w.Close()
		for {
			select {
			case <-halt:
				return
			default:
			}
			began := time.Now()
			if got, err := w.Do("INCR", "other"); err != nil || got[0] != ':' {
				t.Errorf("INCR: %q, %v", got, err)
				return
			}
			n++
			longest = max(longest, time.Since(began))
		}
	}()
	stop = sync.OnceValues(func() (int, time.Duration) {
		close(halt)
		<-halted
		return n, longest
	})
	t.Cleanup(func() { stop() }) // also where the test ends amid it
	return stop
}
