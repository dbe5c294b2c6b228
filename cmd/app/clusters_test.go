package app_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"larder/cmd/app"
	"larder/configs"
	"larder/control"
	"larder/control/api"
	operator "larder/control/api/client"
	"larder/control/controller"
)

// operate is the management API of a dev.
func operate(t *testing.T, dir string) *operator.Client {
	t.Helper()
	c, err := operator.FromFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// over waits until a task of the fleet is, well.
func over(t *testing.T, c *operator.Client, task controller.Task, err error) {
	t.Helper()
	for end := time.Now().Add(patience); err == nil && task.State == controller.TaskRunning && time.Now().Before(end); {
		task, err = c.FleetTask(t.Context(), task.ID, time.Second)
	}
	if err != nil || task.State != controller.TaskDone {
		t.Fatalf("%+v: %v", task, err)
	}
}

func wish(name, listen string, shards, replicas int) api.Wish {
	return api.Wish{Name: name, Listen: listen, Shards: shards, Replicas: &replicas, Memory: 64 << 20}
}

// TestDevClusters: clusters come and go beside dev's own, each with an endpoint, metrics and snapshots of its own; their keys are there again at the next start;
// one that is deleted leaves nothing. An endpoint whose address is taken is served as soon as that is free, and holds nobody up.
func TestDevClusters(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	occupied, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	late := occupied.Addr().String()
	r := start(t, app.Dev, config(t, configs.RoleDev, "--dir", dir, "--shards", "1", "--replicas", "0"))
	r.find(t, r.out, `(Ctrl-C)`)
	c := operate(t, dir)
	begin := func(w api.Wish) {
		t.Helper()
		task, err := c.CreateCluster(ctx, w)
		over(t, c, task, err)
	}
	begin(wish("late", late, 1, 0))
	begin(wish("two", "", 2, 1))
	told, err := c.Cluster(ctx, "two")
	if err != nil || told.Endpoint == "" || told.State != api.Ready {
		t.Fatalf("%+v: %v", told, err)
	}
	two := client(t, told.Endpoint)
	for i := range 100 {
		if err := two.Set(ctx, fmt.Sprint("key-", i), i, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := two.MGet(ctx, "key-1", "key-2", "key-3").Result(); err != nil || fmt.Sprint(got) != "[1 2 3]" {
		t.Errorf("MGET: %v %v", got, err)
	}
	if main := client(t, r.endpoint(t)); main.DBSize(ctx).Val() != 0 {
		t.Error("the first cluster has keys of the second")
	}
	base := "http://" + r.metrics(t)
	_, body := get(t, base+"/metrics")
	for _, want := range []string{`larder_gateway_clients{cluster="two"} `, `larder_engine_clients{cluster="two",node="two-0001-001"}`, `larder_snapshot_running{cluster="two"}`, `larder_fleet_leads 1`} {
		if !strings.Contains(body, "\n"+want) {
			t.Errorf("metrics lack %q", want)
		}
	}
	task, err := c.CreateSnapshot(ctx, "two", "all")
	if err == nil {
		task, err = c.Task(ctx, "two", task.ID, time.Minute)
	}
	if err != nil || task.State != control.TaskDone {
		t.Errorf("snapshot: %+v, %v", task, err)
	}
	eventually(t, "the cluster whose address is taken is told of", func() bool {
		events, err := c.AllEvents(ctx, time.Time{})
		return err == nil && strings.Contains(fmt.Sprint(events), "endpoint-failed") && strings.Contains(fmt.Sprint(events), late)
	})
	_ = occupied.Close()
	eventually(t, "it is served", func() bool { return connects(late) })
	if err := client(t, late).Set(ctx, "a", 1, 0).Err(); err != nil {
		t.Error(err)
	}

	r.stop()
	if err := r.wait(t); err != nil {
		t.Fatal(err)
	}
	r = start(t, app.Dev, config(t, configs.RoleDev, "--dir", dir, "--shards", "1", "--replicas", "0"))
	r.find(t, r.out, `(Ctrl-C)`)
	c = operate(t, dir)
	eventually(t, "the second cluster's keys are there again", func() bool {
		told, err := c.Cluster(ctx, "two")
		return err == nil && told.Endpoint != "" && client(t, told.Endpoint).DBSize(ctx).Val() == 100
	})
	gone(t, r, c, dir)
}

func connects(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

// gone deletes a cluster and looks for what is left of it.
func gone(t *testing.T, r *role, c *operator.Client, dir string) {
	t.Helper()
	told, err := c.Cluster(t.Context(), "two")
	if err != nil {
		t.Fatal(err)
	}
	task, err := c.DeleteCluster(t.Context(), "two", "")
	over(t, c, task, err)
	if connects(told.Endpoint) {
		t.Error("the endpoint of a deleted cluster still takes connections")
	}
	if _, body := get(t, "http://"+r.metrics(t)+"/metrics"); strings.Contains(body, `cluster="two"`) {
		t.Error("metrics tell of a deleted cluster")
	}
	if left, err := filepath.Glob(filepath.Join(dir, "nodes", "two-*")); err != nil || len(left) > 0 {
		t.Errorf("folders of its nodes are left: %v %v", left, err)
	}
	if names, err := c.Clusters(t.Context()); err != nil || fmt.Sprint(names) != "[late main]" {
		t.Errorf("clusters: %v %v", names, err)
	}
	if status, body := get(t, "http://"+r.metrics(t)+"/readyz"); status != 200 {
		t.Errorf("not ready: %s", body)
	}
}

// TestDevNodeEnds: a node that ends is started again with what it has saved; its replica follows it again.
func TestDevNodeEnds(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	r := start(t, app.Dev, config(t, configs.RoleDev, "--dir", dir, "--metrics", "off", "--shards", "1"))
	c := client(t, r.find(t, r.out, `cluster of 1 shards at (\S+)(?s:.*)Ctrl-C`))
	if err := c.Set(ctx, "key", "value", 0).Err(); err != nil {
		t.Fatal(err)
	}
	node := redis.NewClient(&redis.Options{Addr: r.find(t, r.log, `node serves" node=n0 addr=(\S+)`), MaxRetries: -1})
	defer node.Close()
	node.ShutdownSave(ctx)
	eventually(t, "the node serves again with its data", func() bool { return c.Get(ctx, "key").Val() == "value" && c.Set(ctx, "other", 1, 0).Err() == nil })
	op := operate(t, dir)
	eventually(t, "all are members", func() bool {
		told, err := op.Cluster(ctx, "main")
		return err == nil && told.State == api.Ready && told.Members == 2
	})
	if _, err := os.Stat(filepath.Join(dir, "nodes", "n0", "dump.rdb")); err != nil {
		t.Error(err)
	}
}
