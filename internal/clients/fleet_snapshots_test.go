package clients_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"larder/control"
	"larder/control/api"
	"larder/control/migrate"
	"larder/internal/clients"
	"larder/internal/peers"
)

// archive is a fleet whose snapshots go to an S3 service.
type archive struct {
	*appliance
	place place
}

func startArchive(t *testing.T, hosts int, of ...string) *archive {
	t.Helper()
	v := peers.StartVersitygw(t)
	p := servicePlace(t, v, v.Addr, "")
	return &archive{startAppliance(t, 2, hosts, append(of, p.args...)...), p}
}

// snapshots are those that a cluster's agent tells of.
func (a *archive) snapshots(cluster string) (names []string) {
	a.t.Helper()
	var list api.Snapshots
	if err := json.Unmarshal([]byte(a.larder(1, "snapshot", "list", "--json", "--cluster", cluster)), &list); err != nil {
		a.t.Fatal(err)
	}
	for _, s := range list.Snapshots {
		names = append(names, s.Name)
	}
	return names
}

func (a *archive) snapshot(cluster, name string) (s api.Snapshot) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.larder(1, "snapshot", "show", name, "--json", "--cluster", cluster)), &s); err != nil {
		a.t.Fatal(err)
	}
	return s
}

// gateway starts one of a cluster's.
func (a *archive) gateway(cluster string) *peers.Conn {
	a.t.Helper()
	return peers.Dial(a.t, larder.Gateway(a.t, nil, "--consul", a.consul.Addr, "--cluster", cluster).Addr, 2)
}

// counting writes a number to one key and then to another of the same shard, on and on, until stop: at any moment the first is as much, or one more.
func (a *archive) counting(addr string) (stop func()) {
	a.t.Helper()
	w, err := clients.Open(addr)
	if err != nil {
		a.t.Fatal(err)
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		defer w.Close()
		for i := 0; ; i++ {
			select {
			case <-end:
				return
			default:
			}
			for _, key := range []string{"{count}first", "{count}second"} {
				if _, err := w.DoWithin(peers.Patience, "SET", key, strconv.Itoa(i)); err != nil {
					return
				}
			}
		}
	}()
	return sync.OnceFunc(func() { close(end); <-ended })
}

// TestFleetSnapshots: a fleet's controllers take a snapshot of a cluster under writes, from its replicas; a new cluster of another shape is filled with it; a window that is
// moved brings an automatic one; a redis-server's keys move into a cluster; a last one is taken of a cluster that is deleted. All is asked of the controller that does
// not lead. The store's keys stand nowhere.
func TestFleetSnapshots(t *testing.T) {
	t.Parallel()
	a := startArchive(t, 2)
	a.known(2)
	standby := 1 - a.leads()
	say := func(args ...string) string { t.Helper(); return a.larder(standby, args...) }
	say("cluster", "create", "one", "--shards", "2", "--replicas", "1", "--memory", "64mb")
	front := larder.Gateway(t, nil, "--consul", a.consul.Addr, "--cluster", "one")
	c := peers.Dial(t, front.Addr, 2)
	const keys = 2000
	for i := range keys {
		want(t, c, "+OK\r\n", "SET", "key:"+strconv.Itoa(i), strconv.Itoa(i))
	}
	stop := a.counting(front.Addr)
	say("snapshot", "create", "first", "--cluster", "one")
	stop()
	taken := a.snapshot("one", "first")
	if n, _, _ := taken.Totals(); n != keys+2 || taken.Cluster != "one" || len(taken.Shards) != 2 {
		t.Errorf("%+v", taken.Manifest)
	}
	for _, shard := range taken.Shards {
		if !shard.Replica {
			t.Errorf("%s was taken by a primary: %+v", shard.Object, shard)
		}
	}
	if got := say("snapshot", "verify", "first", "--cluster", "one"); !strings.Contains(got, "is right") {
		t.Error(got)
	}

	if _, said, code := larder.Run(t, "cluster", "create", "no", "--restore", "none", "--api", a.apis[standby], "--api-key-file", a.keys["api"]); code == 0 || !strings.Contains(said, "none") {
		t.Errorf("code %d: %s", code, said)
	}
	say("cluster", "create", "two", "--restore", "first", "--shards", "3", "--replicas", "0", "--memory", "64mb")
	second := a.gateway("two")
	want(t, second, fmt.Sprintf(":%d\r\n", keys+2), "DBSIZE")
	want(t, second, "$4\r\n1999\r\n", "GET", "key:1999")
	first, last := countAt(t, second, "{count}first"), countAt(t, second, "{count}second")
	if first != last && first != last+1 {
		t.Errorf("the snapshot shows no moment: %d and %d", first, last)
	}

	a.automatic(say)
	a.migrates(say)

	say("cluster", "delete", "two", "--yes", "--final-snapshot=last-two")
	if all := a.snapshots("one"); !slices.Contains(all, "last-two") {
		t.Errorf("there are %q", all)
	}
	if got := say("cluster", "list"); strings.Contains(got, "two") {
		t.Error(got)
	}
	a.place.nothingLeft(t)
	a.keepsSecrets(peers.VersitygwSecretKey)
}

func countAt(t *testing.T, c *peers.Conn, key string) int {
	t.Helper()
	words := strings.Fields(string(c.Do("GET", key)))
	n, err := strconv.Atoi(words[len(words)-1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// automatic has one taken of cluster two by moving its window.
func (a *archive) automatic(say func(args ...string) string) {
	a.t.Helper()
	say("cluster", "modify", "two", "--snapshot-retain", "1", "--snapshot-window", around(-3*time.Hour, -2*time.Hour))
	eventually(a.t, "the window is known", func() bool { // the first one is taken in the next
		return strings.Contains(a.consul.Ask("GET", "/v1/kv/larder/clusters/two/snapshots/schedule?raw", "", "", nil), "window")
	})
	say("cluster", "modify", "two", "--snapshot-window", around(-time.Minute, 70*time.Minute))
	eventually(a.t, "one is taken", func() bool {
		return slices.ContainsFunc(a.snapshots("two"), func(name string) bool { return strings.HasPrefix(name, "auto-two-") })
	})
}

// migrates brings a redis-server's keys into cluster two.
func (a *archive) migrates(say func(args ...string) string) {
	a.t.Helper()
	source := peers.StartRedis(a.t, quickCopy...)
	c := peers.Dial(a.t, source, 2)
	c.Do("MSET", "moved", "1", "also", "2")
	say("migrate", "start", "--cluster", "two", "--from", "redis://"+source, "--replace")
	var m migrate.Migration
	eventually(a.t, "it follows", func() bool {
		text := say("migrate", "status", "--json", "--cluster", "two")
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			a.t.Fatal(err, text)
		}
		return m.Status.Phase == migrate.Following
	})
	c.Do("RENAME", "also", "renamed")
	say("migrate", "cutover", "--cluster", "two", "--timeout", "20s")
	two := a.gateway("two")
	want(a.t, two, ":2\r\n", "DBSIZE")
	want(a.t, two, "$1\r\n2\r\n", "GET", "renamed")
}

// keepsSecrets wants a text in no entry of the registry, no log and no command line but those that a test has given it in.
func (a *archive) keepsSecrets(secret string) {
	a.t.Helper()
	var entries []struct {
		Key   string
		Value []byte
	}
	if err := json.Unmarshal([]byte(a.consul.Ask("GET", "/v1/kv/?recurse=true", "", "", nil)), &entries); err != nil {
		a.t.Fatal(err)
	}
	for _, e := range entries {
		if strings.Contains(string(e.Value), secret) {
			a.t.Errorf("it stands in the registry under %s", e.Key)
		}
	}
	for _, p := range append(slices.Clone(a.controls), a.hosts...) {
		if strings.Contains(p.Says(a.t, `(?s)^(.*)$`), secret) {
			a.t.Error("it stands in a log")
		}
	}
	for _, pid := range clients.Running(a.t, os.TempDir()) {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if words := strings.Split(string(line), "\x00"); len(words) > 1 && words[1] == "engine" && strings.Contains(string(line), secret) {
			a.t.Errorf("it stands in the command line of a node: %q", words)
		}
	}
}

// TestLeaderKilledWhileTakingASnapshot: who leads next says that it has failed, nothing of it is left in the store, and the next one comes to its end.
func TestLeaderKilledWhileTakingASnapshot(t *testing.T) {
	t.Parallel()
	a := startArchive(t, 1, "--set", "snapshots.bytes-per-second=256kb")
	a.known(1)
	leader := a.leads()
	standby := 1 - leader
	a.larder(standby, "cluster", "create", "one", "--shards", "1", "--replicas", "0", "--memory", "64mb")
	front := larder.Gateway(t, nil, "--consul", a.consul.Addr, "--cluster", "one")
	noise(t, front.Addr, 1500)
	told := make(chan string, 1)
	go func() {
		out, said, code := larder.Run(t, "snapshot", "create", "cut", "--cluster", "one", "--api", a.apis[standby], "--api-key-file", a.keys["api"])
		told <- fmt.Sprintf("code %d: %s%s", code, out, said)
	}()
	tasks := func() (list []control.Task) {
		t.Helper()
		out, _, code := larder.Run(t, "snapshot", "tasks", "--json", "--cluster", "one", "--api", a.apis[standby], "--api-key-file", a.keys["api"])
		if code == 0 && json.Unmarshal([]byte(out), &list) != nil {
			t.Fatal(out)
		}
		return list
	}
	eventually(t, "it is under way", func() bool {
		list := tasks()
		return len(list) == 1 && list[0].State == control.TaskRunning && list[0].Done > 0
	})
	a.takenOver(leader)
	eventually(t, "it is told as failed", func() bool {
		list := tasks()
		return len(list) == 1 && list[0].State == control.TaskFailed && list[0].Folder == ""
	})
	a.place.nothingLeft(t)
	if said := <-told; !strings.HasPrefix(said, "code 1: ") || !strings.Contains(said, "the process that did it ended") {
		t.Errorf("who waited for it is told: %s", said)
	}
	a.larder(standby, "snapshot", "create", "whole", "--cluster", "one")
	a.larder(standby, "snapshot", "verify", "whole", "--cluster", "one")

	a.controls[leader].Start(t)
	a.larder(leader, "cluster", "delete", "one", "--yes", "--final-snapshot=last", "--no-wait")
	eventually(t, "the last one is under way", func() bool {
		list := tasks()
		return len(list) > 0 && list[0].Subject == "last" && list[0].State == control.TaskRunning && list[0].Done > 0
	})
	a.takenOver(standby)
	eventuallyWithin(t, 2*peers.Patience, "it is taken, and the cluster is gone", func() bool {
		return strings.Contains(a.larder(leader, "cluster", "list"), "there are no clusters")
	})
	if got := a.larder(leader, "snapshot", "list"); !strings.Contains(got, "last") {
		t.Error(got)
	}
	if got := a.larder(leader, "snapshot", "show", "last"); !strings.Contains(got, "1500 keys") {
		t.Error(got)
	}
	a.place.nothingLeft(t)
}
