package fleet_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"larder/control/controller"
	"larder/engine/shard"
	"larder/router"
)

// TestDeadHoldNobodyUp: who lives is asked each second, however many there are that do not answer.
func TestDeadHoldNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		living, dead := w.hosts["h1"], w.hosts["h2"]
		dead.deaf = true
		const nodes = 40 // more than are asked at once
		for i := range nodes {
			id := fmt.Sprintf("n%d", i)
			dead.nodes[id] = &node{
				Node: shard.New(router.Run{Node: id, ID: "r"}, true), cluster: "gone", addr: fmt.Sprintf("h2:%d", i), Assignment: controller.Assignment{Node: id},
			}
		}
		w.control("one", 0, nil)
		asked := func() uint64 {
			w.mu.Lock()
			defer w.mu.Unlock()
			return living.number
		}
		time.Sleep(5 * time.Second) // after which it is known who is dead
		for range 10 {
			before := asked()
			time.Sleep(1200 * time.Millisecond) // a second, and until it is looked whose turn it is
			if asked() == before {
				t.Fatal("a host that lives was not asked within a second")
			}
		}
		if len(dead.nodes) != nodes {
			t.Errorf("the dead host has %d nodes left", len(dead.nodes))
		}
	})
}

// TestNobodyListens: where a node is known to be no more at once, it is asked again soon, but not without a rest.
func TestNobodyListens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		l, _ := w.control("one", 0, nil)
		w.eventually("it knows the hosts", func() bool { return len(l.View().Hosts) == 2 })
		w.put(controller.SpecKey("c"), spec(2, 0))
		w.eventually("it is there", func() bool { return w.whole("c", 2, 0) })
		if asked := w.askedIn("h2", 3*time.Second, func(m *machine) { m.ended = true }); asked < 10 || asked > 100 {
			t.Errorf("it was asked %d times within three seconds", asked)
		}
	})
}

// TestHangsForEver: a node that never answers is shown its record again and again, and the others of its cluster are asked as seldom as ever.
func TestHangsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		w.hosts["h2"].deaf = true
		l, _ := w.control("one", 0, nil)
		w.eventually("it knows the hosts", func() bool { return len(l.View().Hosts) == 2 })
		w.put(controller.SpecKey("c"), spec(2, 0))
		w.eventually("it is there", func() bool { return w.whole("c", 2, 0) })
		time.Sleep(10 * time.Second)
		if asked := w.askedIn("h1", 10*time.Second, func(*machine) {}); asked < 5 || asked > 20 {
			t.Errorf("one that answers was asked %d times within ten seconds", asked)
		}
	})
}

// askedIn is how often the nodes of a host are asked while time passes, once something has been done to it.
func (w *world) askedIn(host string, long time.Duration, do func(*machine)) int {
	w.mu.Lock()
	m := w.hosts[host]
	do(m)
	before := m.asked
	w.mu.Unlock()
	time.Sleep(long)
	w.mu.Lock()
	defer w.mu.Unlock()
	return m.asked - before
}
