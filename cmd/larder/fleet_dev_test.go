package main

import (
	"encoding/json"
	"net"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"larder/control/api"
	"larder/control/controller"
)

// TestFleetOnDev: the commands against dev: a cluster is created beside the first, used, changed in size and parameters, has a node replaced, and is deleted; what
// cannot be is refused in words.
func TestFleetOnDev(t *testing.T) {
	dir := t.TempDir()
	_, stop := dev(t, dir, "--shards", "1", "--replicas", "0")
	defer stop()
	addr := freeAddr(t)
	larder := func(wantCode int, words ...string) string {
		t.Helper()
		code, out, err := say(t, append(words, "--dir", dir)...)
		if code != wantCode {
			t.Fatalf("larder %s: exit code %d\n%s%s", strings.Join(words, " "), code, out, err)
		}
		return out + err
	}
	for want, words := range map[string]string{
		"lower-case letters":      "cluster create TWO",
		"no host has 4 TiB free":  "cluster create two --memory 4096gb",
		"there is a cluster main": "cluster create main",
		"no such parameter":       "parameters set small color=red",
	} {
		if got := larder(1, strings.Fields(words)...); !strings.Contains(got, want) {
			t.Errorf("larder %s: %s, want %q", words, got, want)
		}
	}
	larder(0, "parameters", "set", "small", "timeout=77", "reserved-memory-percent=50")
	if got := larder(0, "cluster", "create", "two", "--shards", "2", "--replicas", "0", "--memory", "64mb", "--parameters", "small", "--listen", addr); !strings.Contains(got, "serves at "+addr) {
		t.Error(got)
	}
	c := redis.NewClient(&redis.Options{Addr: addr})
	defer c.Close()
	until(t, func() bool { return c.MSet(t.Context(), "a", 1, "b", 2, "c", 3).Err() == nil })
	settings := func() (memory, timeout string) {
		var list []api.Node
		if err := json.Unmarshal([]byte(larder(0, "node", "list", "--cluster", "two", "--json")), &list); err != nil || len(list) == 0 {
			t.Fatal(list, err)
		}
		node := redis.NewClient(&redis.Options{Addr: list[0].Addr})
		defer node.Close()
		got := node.ConfigGet(t.Context(), "*").Val()
		return got["maxmemory"], got["timeout"]
	}
	until(t, func() bool { memory, timeout := settings(); return memory == "33554400" && timeout == "77" })
	if got := larder(1, "parameters", "delete", "small"); !strings.Contains(got, "cluster two names group small") {
		t.Error(got)
	}
	larder(0, "parameters", "set", "small", "timeout=78", "--unset", "reserved-memory-percent")
	larder(0, "cluster", "modify", "two", "--replicas", "1", "--memory", "128mb")
	if memory, timeout := settings(); memory != "100663275" || timeout != "78" {
		t.Error(memory, timeout)
	}
	larder(0, "node", "replace", "two-0001-001")
	if got := larder(0, "node", "list", "--cluster", "two"); strings.Contains(got, "two-0001-001") || strings.Count(got, "running") != 4 {
		t.Error(got)
	}
	until(t, func() bool { return strings.Join(strs(c.MGet(t.Context(), "a", "b", "c").Val()), " ") == "1 2 3" })
	if got := larder(1, "node", "drain", "two-0002-002"); !strings.Contains(got, "there is no place for another in the stead of node two-0002-002") {
		t.Error(got)
	}
	var list []api.Cluster
	if err := json.Unmarshal([]byte(larder(0, "cluster", "list", "--json")), &list); err != nil || len(list) != 2 || list[1].State != api.Ready || list[1].Members != 4 {
		t.Error(list, err)
	}
	larder(0, "cluster", "delete", "two", "--yes")
	until(t, func() bool { return c.Ping(t.Context()).Err() != nil })
	if got := larder(0, "events", "--cluster", "two"); !strings.Contains(got, "cluster two is gone") {
		t.Error(got)
	}
	var tasks []controller.Task
	if err := json.Unmarshal([]byte(larder(0, "cluster", "tasks", "--json")), &tasks); err != nil || len(tasks) != 4 || tasks[0].Kind != controller.TaskDelete || tasks[0].State != controller.TaskDone {
		t.Error(tasks, err)
	}
}

func strs(values []any) (texts []string) {
	for _, v := range values {
		text, _ := v.(string)
		texts = append(texts, text)
	}
	return texts
}

// freeAddr is one at which nobody listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
