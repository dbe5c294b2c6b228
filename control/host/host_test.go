package host

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"larder/control/controller"
)

const mib = 1 << 20

// TestLife: an order has nodes started and set, a later one sets them to something else, and the last one takes them away with what they kept.
func TestLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, 100*mib)
		defer b.end()
		b.must(b.obey(3, map[string]string{"maxmemory-policy": "allkeys-lru"}, assign("c-1", 40*mib, 0), assign("c-2", 40*mib, 0)))
		if got := b.says(); got.Obeyed["c"] != 3 || got.Host != "a" || got.Session != "session1" || len(got.Nodes) != 2 {
			t.Errorf("told: %+v", got)
		}
		b.settle()
		one := b.node("c-1")
		b.want("c-1", controller.Running{Run: one.Run, Addr: one.Addr, Memory: 40 * mib})
		p := b.m.procs["c-1"]
		if one.Run != p.run || one.Addr != p.addr || p.memory != 30*mib || p.set["maxmemory-policy"] != "allkeys-lru" {
			t.Errorf("it runs as %+v, and is told as %+v", p, one)
		}
		b.must(b.obey(4, map[string]string{"maxmemory-policy": "noeviction"}, assign("c-1", 20*mib, 7), assign("c-2", 40*mib, 7)))
		b.settle()
		b.want("c-1", controller.Running{Run: one.Run, Addr: one.Addr, Memory: 20 * mib, Settings: 7})
		if p.memory != 15*mib || p.set["maxmemory-policy"] != "noeviction" || b.m.starts["c-1"] != 1 {
			t.Errorf("it is set to %+v", p)
		}
		b.must(b.obey(5, nil, stop("c-1"))) // and c-2 is not named at all
		b.settle()
		if got := b.says(); len(got.Nodes) != 0 || got.Obeyed["c"] != 5 || len(b.m.procs)+len(b.m.disk) != 0 {
			t.Errorf("left: %+v, %v, %v", got, b.m.procs, b.m.disk)
		}
	})
}

// TestStartedAgain: what ends is started again, and its last run is told as ended; so is a run that a node has let go of with its data.
func TestStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, 100*mib)
		defer b.end()
		b.must(b.obey(1, nil, assign("c-1", 40*mib, 1)))
		b.settle()
		first := b.node("c-1")
		b.m.kill("c-1", "signal: killed")
		b.settle()
		second := b.node("c-1")
		if second.Run == "" || second.Run == first.Run || second.Exited != first.Run || second.Addr != first.Addr || second.Failed != "" {
			t.Errorf("before %+v, after %+v", first, second)
		}
		b.m.mu.Lock()
		b.m.procs["c-1"].run = "dropped"
		b.m.mu.Unlock()
		b.settle()
		b.want("c-1", controller.Running{Run: "dropped", Exited: second.Run, Addr: second.Addr, Memory: 40 * mib, Settings: 1})
	})
}

// TestSilent: a run is not told before the node tells it and is set, and goes on being told while the node does not answer.
func TestSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, 100*mib)
		defer b.end()
		b.must(b.obey(1, nil, assign("c-1", 40*mib, 1)))
		b.settle()
		run := b.node("c-1").Run
		b.m.mu.Lock()
		b.m.procs["c-1"].mute = true
		b.m.mu.Unlock()
		time.Sleep(time.Minute)
		if got := b.node("c-1"); got.Run != run || b.m.starts["c-1"] != 1 {
			t.Errorf("told %+v after %d starts", got, b.m.starts["c-1"])
		}
		b.end()
		b.start() // the next process cannot know which run it has now
		if got := b.node("c-1"); got.Run != "" || got.Exited != "" || got.Addr == "" || b.m.starts["c-1"] != 1 {
			t.Errorf("told %+v after %d starts", got, b.m.starts["c-1"])
		}
		b.m.mu.Lock()
		b.m.procs["c-1"].mute = false
		b.m.mu.Unlock()
		b.settle()
		if got := b.node("c-1"); got.Run != run || got.Exited != "" || got.Settings != 1 {
			t.Errorf("told %+v", got)
		}
	})
}

// TestFails: what ends as soon as it is started is tried less and less often, and told of as failed, until it runs.
func TestFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, 100*mib)
		defer b.end()
		b.m.fails["c-1"] = "no such binary"
		b.must(b.obey(1, nil, assign("c-1", 40*mib, 1)))
		b.settle()
		if got := b.node("c-1"); got.Failed != "" || got.Run != "" {
			t.Errorf("after two seconds: %+v", got)
		}
		time.Sleep(20 * time.Second)
		if got := b.node("c-1"); !strings.Contains(got.Failed, " times in a row") || !strings.Contains(got.Failed, "no such binary") {
			t.Errorf("after twenty: %+v", got)
		}
		time.Sleep(10 * time.Minute)
		b.m.mu.Lock()
		starts := b.m.starts["c-1"]
		delete(b.m.fails, "c-1")
		b.m.mu.Unlock()
		if starts < 15 || starts > 40 {
			t.Errorf("%d starts in ten minutes", starts)
		}
		time.Sleep(waitMax)
		b.settle()
		if got := b.node("c-1"); got.Failed != "" || got.Run == "" {
			t.Errorf("when the reason has gone: %+v", got)
		}
		for range failedAfter { // it answers each time, and ends a little later
			b.m.kill("c-1", "exit status 2")
			time.Sleep(waitMax + steadyAfter)
			b.settle()
		}
		b.m.kill("c-1", "exit status 2")
		synctest.Wait()
		if got := b.node("c-1"); got.Failed != "" {
			t.Errorf("it has lived for half a minute each time: %+v", got)
		}
	})
}

// TestNextProcess: another process takes nodes over as they are, and starts what has ended meanwhile; what was obeyed stays so.
func TestNextProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, 100*mib)
		b.must(b.obey(7, nil, assign("c-1", 40*mib, 1), assign("c-2", 40*mib, 1)))
		b.settle()
		one, two := b.node("c-1"), b.node("c-2")
		b.end()
		b.m.kill("c-2", "signal: killed")
		b.start()
		defer b.end()
		says := b.says()
		if says.Session != "session2" || says.Obeyed["c"] != 7 || b.node("c-1") != one || b.m.starts["c-1"] != 1 {
			t.Errorf("told %+v, before %+v", says, one)
		}
		if got := b.node("c-2"); got.Exited != two.Run || got.Run == two.Run || got.Run == "" || b.m.starts["c-2"] != 2 {
			t.Errorf("told %+v, before %+v", got, two)
		}
		if err := b.obey(6, nil); !errors.Is(err, ErrLate) || len(b.says().Nodes) != 2 {
			t.Errorf("a late order: %v", err)
		}
		b.must(b.obey(7, nil, assign("c-1", 40*mib, 1), assign("c-2", 40*mib, 1)))
	})
}

// TestUnclear: as long as it cannot be told whether a node runs, it is not started, and whoever orders it is told why.
func TestUnclear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, 100*mib)
		defer b.end()
		b.m.hidden["c-1"] = errors.New("the lock cannot be read")
		b.must(b.obey(1, nil, assign("c-1", 40*mib, 1)))
		time.Sleep(time.Minute)
		if err := b.obey(1, nil, assign("c-1", 40*mib, 1)); err == nil || !strings.Contains(err.Error(), "the lock cannot be read") || b.m.starts["c-1"] != 0 {
			t.Errorf("%v, after %d starts", err, b.m.starts["c-1"])
		}
		b.m.mu.Lock()
		delete(b.m.hidden, "c-1")
		b.m.mu.Unlock()
		b.settle()
		if b.node("c-1").Run == "" {
			t.Error("it does not run though it can be told now")
		}
	})
}

// TestStuck: what a node has kept and cannot be removed is said once, is told to whoever orders it at any time, and is removed when it can be.
func TestStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, log := newBed(t, 100*mib), &said{}
		b.end()
		b.log = slog.NewTextHandler(log, nil)
		b.start()
		defer b.end()
		b.must(b.obey(1, nil, assign("c-1", 40*mib, 1)))
		b.settle()
		b.m.stuck["c-1"] = errors.New("it is mounted")
		b.must(b.obey(2, nil, stop("c-1")))
		b.settle()
		for range 100 {
			time.Sleep(waitMax / 100)
			if err := b.obey(2, nil, stop("c-1")); err == nil || !strings.Contains(err.Error(), "it is mounted") {
				t.Fatalf("it is no more told: %v", err)
			}
		}
		if n := strings.Count(log.String(), "it is mounted"); n != 1 {
			t.Errorf("it was said %d times:\n%s", n, log)
		}
		b.m.mu.Lock()
		delete(b.m.stuck, "c-1")
		b.m.mu.Unlock()
		time.Sleep(waitMax)
		if got := b.says(); len(got.Nodes)+len(b.m.disk) != 0 {
			t.Errorf("left: %+v, %v", got, b.m.disk)
		}
	})
}

// TestRefusedParameter: a parameter that a node does not take is told to whoever orders it, and the rest is set; one for the start is no error.
func TestRefusedParameter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, log := newBed(t, 100*mib), &said{}
		b.end()
		b.log = slog.NewTextHandler(log, nil)
		b.start()
		defer b.end()
		b.m.unfit["hz"], b.m.unfit["databases"] = errors.New("ERR no such thing"), ErrAtStart
		wrong := map[string]string{"hz": "1", "databases": "3", "maxmemory-policy": "allkeys-lru"}
		b.must(b.obey(1, wrong, assign("c-1", 40*mib, 1)))
		b.settle()
		err := b.obey(1, wrong, assign("c-1", 40*mib, 1))
		if got := b.node("c-1"); err == nil || !strings.Contains(err.Error(), "hz: ERR no such thing") || strings.Contains(err.Error(), "databases") || got.Run == "" || got.Settings == 1 {
			t.Errorf("%v; told %+v", err, got)
		}
		time.Sleep(time.Minute)
		for _, once := range []string{"a parameter of a node is for its next start", "a node does not take a parameter"} {
			if n := strings.Count(log.String(), once); n != 1 {
				t.Errorf("%q was said %d times:\n%s", once, n, log)
			}
		}
		right := map[string]string{"databases": "3", "maxmemory-policy": "allkeys-lru"}
		b.must(b.obey(2, right, assign("c-1", 40*mib, 2)))
		b.settle()
		b.must(b.obey(2, right, assign("c-1", 40*mib, 2)))
		if got := b.node("c-1"); got.Settings != 2 || b.m.procs["c-1"].set["maxmemory-policy"] != "allkeys-lru" {
			t.Errorf("told %+v", got)
		}
	})
}

// TestRest: a host that is to end its nodes asks each once, waits for them, and its next process starts them again.
func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, 100*mib)
		b.must(b.obey(1, nil, assign("c-1", 40*mib, 1), assign("c-2", 40*mib, 1)))
		b.settle()
		b.m.mu.Lock()
		slow, run := b.m.procs["c-2"], b.m.procs["c-1"].run
		slow.stubborn = true
		b.m.mu.Unlock()
		rested := make(chan error, 1)
		go func() { rested <- b.h.Rest(t.Context()) }()
		time.Sleep(time.Minute)
		if got := b.node("c-1"); got.Run != "" || got.Exited != run || len(rested) != 0 || slow.asked != 1 {
			t.Errorf("told %+v; the slow one was asked %d times", got, slow.asked)
		}
		b.m.kill("c-2", "stopped")
		b.must(<-rested)
		b.end()
		b.start()
		defer b.end()
		if len(b.m.procs) != 2 || b.m.starts["c-1"] != 2 || b.m.starts["c-2"] != 2 {
			t.Errorf("%d run, after %v starts", len(b.m.procs), b.m.starts)
		}
	})
}

// TestForgetful: what cannot be remembered is not obeyed; a memory that cannot be read is not begun anew.
func TestForgetful(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, 100*mib)
		dir := b.o.Dir
		b.must(os.Mkdir(filepath.Join(dir, memoryWriting), 0o700)) // where it is to be written
		if err := b.obey(1, nil, assign("c-1", 40*mib, 1)); err == nil || !strings.Contains(err.Error(), "does not obey") {
			t.Errorf("%v", err)
		}
		b.settle()
		if got := b.says(); len(got.Nodes)+len(got.Obeyed)+len(b.m.procs) != 0 {
			t.Errorf("told %+v", got)
		}
		b.end()
		for _, text := range []string{"", "{", "{}", `{"clusters":{},"nodes":{"x":null}}`, `{"clusters":{},"nodes":{"x":{"node":"x","cluster":"c","memory":2,"max_memory":1}}}`} {
			b.must(os.WriteFile(filepath.Join(dir, memoryName), []byte(text), 0o600))
			if _, err := New(b.o); err == nil || !strings.Contains(err.Error(), memoryName) {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}

// TestAnother: who is asked as another host does nothing.
func TestAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, 100*mib)
		defer b.end()
		if _, err := b.h.Says(t.Context(), controller.Host{ID: "b"}); !errors.Is(err, ErrOther) {
			t.Error(err)
		}
		for _, pair := range [][2]string{{"b", "a"}, {"a", "b"}} {
			o := controller.Order{Host: pair[1], Cluster: "c", Version: 1, Nodes: []controller.Assignment{assign("c-1", 40*mib, 1)}}
			if err := b.h.Obey(t.Context(), controller.Host{ID: pair[0]}, o); !errors.Is(err, ErrOther) {
				t.Error(err)
			}
		}
		if got := b.says(); len(got.Nodes) != 0 {
			t.Errorf("told %+v", got)
		}
	})
}
