package manage_test

import (
	"testing"
	"time"

	"larder/control/api"
	"larder/control/controller"
	"larder/router"
)

// TestFailover: what cannot be is refused before anything is begun, and what may be lost is said before anything is forced.
func TestFailover(t *testing.T) {
	b := newBed(t, controller.Host{ID: "h1", Memory: gib}, controller.Host{ID: "h2", Memory: gib})
	b.plans = true
	ctx := t.Context()
	if _, err := b.Create(ctx, api.Wish{Name: "one", Memory: 64 * mib, Shards: 2}); err != nil {
		t.Fatal(err)
	}
	b.view()
	shard := func(n int) *int { return &n }
	ask := func(want api.Failover) func() error {
		return func() error { _, err := b.Failover(ctx, "one", want); return err }
	}
	b.refused("a shard that has not begun", ask(api.Failover{Planned: true, All: true}), api.CodeInvalid, "no primary yet")
	runs := map[string]router.Run{}
	b.runs = func(host string) (list []controller.Running) {
		for _, n := range b.known.Nodes("one") {
			if n.Host == host {
				runs[n.ID] = router.Run{Node: n.ID, ID: "r"}
				list = append(list, controller.Running{Cluster: "one", Node: n.ID, Run: "r", Addr: n.ID + ":1", Memory: n.Memory, Settings: n.Settings})
			}
		}
		return list
	}
	b.plans = false // what stands there stays so
	b.view()
	say := func(node string, at int, acked ...controller.Follower) {
		b.happens(controller.NodeSays{Cluster: "one", Node: node, At: b.now.Add(time.Duration(at)), Run: runs[node], Epoch: 2, Loaded: true, Followers: acked})
	}
	for i, pair := range [][2]string{{"one-0001-001", "one-0001-002"}, {"one-0002-004", "one-0002-003"}} {
		r := &router.Record{Epoch: 2, Term: 2, Reign: 2, Primary: runs[pair[0]], Set: []router.Run{runs[pair[0]], runs[pair[1]]}}
		if err := b.reg.Put(ctx, controller.RecordKey("one", i), []byte(r.Line())); err != nil {
			t.Fatal(err)
		}
	}
	b.view()
	for _, node := range []string{"one-0001-001", "one-0001-002", "one-0002-004"} {
		say(node, 1)
	}
	for _, c := range []struct {
		what, code, words string
		want              api.Failover
	}{
		{"neither planned nor forced", api.CodeInvalid, "say either", api.Failover{All: true}},
		{"both", api.CodeInvalid, "say either", api.Failover{Planned: true, Force: true}},
		{"no shard of two", api.CodeInvalid, "has 2 shards", api.Failover{Planned: true}},
		{"a shard that is not there", api.CodeInvalid, "shards 0 to 1", api.Failover{Planned: true, Shard: shard(2)}},
		{"a shard and all", api.CodeInvalid, "one shard, or all", api.Failover{Planned: true, Shard: shard(1), All: true}},
		{"all by force", api.CodeInvalid, "one shard at a time", api.Failover{Force: true, All: true}},
		{"a shard whose replica is silent", api.CodeInvalid, "no other node with all keys", api.Failover{Planned: true, Shard: shard(1)}},
		{"force where the primary answers", api.CodeInvalid, "loses nothing", api.Failover{Force: true, Shard: shard(0), Yes: true}},
	} {
		b.refused(c.what, ask(c.want), c.code, c.words)
	}
	mute := func(node string) {
		b.happens(controller.NodeMute{Cluster: "one", Node: node, At: b.now.Add(2), Until: b.now.Add(3)})
	}
	mute("one-0002-004")
	b.refused("force where nobody answers", ask(api.Failover{Force: true, Shard: shard(1), Yes: true}), api.CodeInvalid, "none of its nodes answers")
	say("one-0002-003", 4)
	b.refused("a primary that is silent", ask(api.Failover{Planned: true, Shard: shard(1)}), api.CodeInvalid, "does not answer")
	b.refused("force without knowing", ask(api.Failover{Force: true, Shard: shard(1)}), api.CodeConfirm, "would be lost for good")
	task, err := b.Failover(ctx, "one", api.Failover{Planned: true, Shard: shard(0)})
	if err != nil || task.Kind != controller.TaskSwitch || task.Subject != "0" || task.From != "0=2" || task.Total != 1 {
		t.Errorf("%+v %v", task, err)
	}
	b.refused("another meanwhile", ask(api.Failover{Planned: true, Shard: shard(0)}), api.CodeBusy, "already")
	if task, err = b.Failover(ctx, "one", api.Failover{Force: true, Shard: shard(1), Yes: true}); err != nil || task.Kind != controller.TaskForce || task.From != "1=2" {
		t.Errorf("%+v %v", task, err)
	}
}
