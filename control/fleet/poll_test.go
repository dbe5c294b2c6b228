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
