package app_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"larder/cmd/app"
	"larder/configs"
	"larder/internal/peers"
)

func client(t *testing.T, addr string) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: addr})
	t.Cleanup(func() { c.Close() })
	return c
}

func TestDevServes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	r := start(t, app.Dev, config(t, configs.RoleDev, "--dir", dir))
	endpoint := r.find(t, r.out, `serves one cluster of 3 shards at (\S+)`)
	c, ctx := client(t, endpoint), context.Background()
	const keys = 300
	for i := range keys {
		key := fmt.Sprintf("key-%d", i)
		if err := c.Set(ctx, key, i, 0).Err(); err != nil {
			t.Fatal(err)
		}
		if got, err := c.Get(ctx, key).Int(); err != nil || got != i {
			t.Fatalf("%s: got %d %v", key, got, err)
		}
	}
	if got, err := c.MGet(ctx, "key-1", "key-2", "none", "key-3").Result(); err != nil || fmt.Sprint(got) != "[1 2 <nil> 3]" {
		t.Errorf("MGET: %v %v", got, err)
	}
	if n, err := c.DBSize(ctx).Result(); err != nil || n != keys {
		t.Errorf("DBSIZE: %d %v", n, err)
	}
	for _, shard := range regexp.MustCompile(`shard \d+ +(\S+) +slots`).FindAllStringSubmatch(r.out.String(), -1) {
		if n, err := client(t, shard[1]).DBSize(ctx).Result(); err != nil || n < keys/6 {
			t.Errorf("node %s has %d keys, want about %d: %v", shard[1], n, keys/3, err)
		}
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("data folder: %v %v", info, err)
	}
	r.stop()
	if err := r.wait(t); err != nil {
		t.Error(err)
	}
}

func TestDevWelcome(t *testing.T) {
	c := config(t, configs.RoleDev, "--shards", "2", "--allow", "127.0.0.1,10.0.0.0/8", "--set", "gateway.password=x", "--dir", t.TempDir())
	r := start(t, app.Dev, c)
	endpoint := r.find(t, r.out, `shards at (\S+)(?s:.*)Ctrl-C`)
	_, port, _ := strings.Cut(endpoint, ":")
	for _, want := range []string{
		"2 shards", "slots 0-8191", "slots 8192-16383", "redis-cli -p " + port + " -a PASSWORD SET greeting hello", "CLUSTER SHARDS",
		"Files     " + c.Data.Dir, "Metrics   http://" + r.metrics(t) + "/metrics", "Allowed   127.0.0.1, 10.0.0.0/8",
	} {
		if !strings.Contains(r.out.String(), want) {
			t.Errorf("does not say %q:\n%s", want, r.out)
		}
	}
	if strings.Contains(r.out.String(), "level=") {
		t.Error("logs are among the output")
	}
}

// Nodes with a password, and a gateway with another.
func TestDevPasswords(t *testing.T) {
	r := start(t, app.Dev, config(t, configs.RoleDev, "--set", "engine.password=inner", "--set", "gateway.password=outer", "--dir", t.TempDir()))
	conn := peers.Dial(t, r.find(t, r.log, `msg="gateway serves" addr=(\S+)`), 0)
	for _, test := range []struct{ want, command string }{
		{"-NOAUTH", "SET k v"}, {"-WRONGPASS", "AUTH inner"}, {"+OK", "AUTH outer"}, {"+OK", "SET k v"},
	} {
		if got := string(conn.Do(strings.Fields(test.command)...)); !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: got %q, want %s", test.command, got, test.want)
		}
	}
}

func TestDevMetrics(t *testing.T) {
	r := start(t, app.Dev, config(t, configs.RoleDev, "--dir", t.TempDir(), "--pprof"))
	r.find(t, r.out, `(serves)`)
	base := "http://" + r.metrics(t)
	status, body := get(t, base+"/metrics")
	if status != http.StatusOK {
		t.Errorf("metrics: %d", status)
	}
	for _, want := range []string{"larder_build_info{", "go_goroutines ", "go_cpu_classes_gc_total_cpu_seconds_total ", "process_open_fds ", `larder_engine_clients{cluster="main",node="n0"}`, `larder_engine_clients{cluster="main",node="n2r1"}`, `larder_gateway_clients{cluster="main"} `} {
		if !strings.Contains(body, "\n"+want) {
			t.Errorf("metrics lack %q", want)
		}
	}
	for path, want := range map[string]string{"/healthz": "200 ok", "/readyz": "200 ready", "/debug/pprof/cmdline": "200 ", "/": "404 "} {
		if status, body := get(t, base+path); !strings.HasPrefix(fmt.Sprint(status, " ", body), want) {
			t.Errorf("%s: got %d %q, want %s", path, status, body, want)
		}
	}
}

func TestTurnedOff(t *testing.T) {
	r := start(t, app.Dev, config(t, configs.RoleDev, "--dir", t.TempDir()))
	r.find(t, r.out, `(serves)`)
	if status, _ := get(t, "http://"+r.metrics(t)+"/debug/pprof/"); status != http.StatusNotFound {
		t.Errorf("profiles are served without --pprof: %d", status)
	}
	r = start(t, app.Dev, config(t, configs.RoleDev, "--dir", t.TempDir(), "--metrics", "off"))
	r.find(t, r.out, `(serves)`)
	if strings.Contains(r.log.String()+r.out.String(), "etrics") {
		t.Errorf("off, and yet:\n%s\n%s", r.log, r.out)
	}
}

// One folder, one process; the next one has a greater epoch.
func TestDevFolder(t *testing.T) {
	dir := t.TempDir()
	first := start(t, app.Dev, config(t, configs.RoleDev, "--dir", dir))
	first.find(t, first.out, `(serves)`)
	second := start(t, app.Dev, config(t, configs.RoleDev, "--dir", dir))
	mustSay(t, second.wait(t), dir+" is in use by another larder", fmt.Sprintf("process %d", os.Getpid()), "--dir")
	first.stop()
	if err := first.wait(t); err != nil {
		t.Fatal(err)
	}
	third := start(t, app.Dev, config(t, configs.RoleDev, "--dir", dir))
	third.find(t, third.out, `(serves)`)
	before, after := last(first.log), last(third.log)
	if after <= before {
		t.Errorf("the second start in the folder has epoch %d, the first had %d", after, before)
	}
}

// last is the newest epoch that a log tells of.
func last(log *peers.Output) (epoch int) {
	for _, found := range regexp.MustCompile(`"new epoch"=(\d+)`).FindAllStringSubmatch(log.String(), -1) {
		n, _ := strconv.Atoi(found[1])
		epoch = max(epoch, n)
	}
	return epoch
}

func TestDevDefaultFolder(t *testing.T) {
	home := t.TempDir()
	for _, test := range []struct{ xdg, want string }{{filepath.Join(home, "data"), "data/larder"}, {"", ".local/share/larder"}, {"relative", ".local/share/larder"}} {
		t.Setenv("HOME", home)
		t.Setenv("XDG_DATA_HOME", test.xdg)
		r := start(t, app.Dev, config(t, configs.RoleDev))
		if got := r.find(t, r.out, `Files +(\S+)`); got != filepath.Join(home, test.want) {
			t.Errorf("got %s, want %s", got, test.want)
		}
		r.stop()
		_ = r.wait(t)
	}
	t.Setenv("HOME", "")
	t.Setenv("XDG_DATA_HOME", "")
	mustSay(t, start(t, app.Dev, config(t, configs.RoleDev)).wait(t), "find a folder for data", "--dir")
}

func TestDevDamagedFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "registry.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustSay(t, start(t, app.Dev, config(t, configs.RoleDev, "--dir", dir)).wait(t), "registry.json is damaged")
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	mustSay(t, start(t, app.Dev, config(t, configs.RoleDev, "--dir", file)).wait(t), "data folder", file)
}

// A port that is taken is one plain line with what to do, and nothing is left running.
func TestTaken(t *testing.T) {
	addr, dir := taken(t), t.TempDir()
	r := start(t, app.Dev, config(t, configs.RoleDev, "--listen", addr, "--dir", dir))
	mustSay(t, r.wait(t), "listen on "+addr, "taken by another process", "--listen")
	r = start(t, app.Dev, config(t, configs.RoleDev, "--metrics", addr, "--dir", dir))
	mustSay(t, r.wait(t), "metrics: listen on "+addr, "taken by another process", "--metrics")
	// By another Larder, whose loops could share a port silently.
	first := start(t, app.Dev, config(t, configs.RoleDev, "--dir", dir))
	endpoint := first.find(t, first.out, `shards at (\S+)`)
	r = start(t, app.Dev, config(t, configs.RoleDev, "--listen", endpoint, "--dir", t.TempDir()))
	mustSay(t, r.wait(t), "listen on "+endpoint, "taken by another process", "--listen")
	r = start(t, app.Engine, config(t, configs.RoleEngine, "--listen", endpoint))
	mustSay(t, r.wait(t), "listen on "+endpoint, "taken by another process", "--listen")
}

// TestDevKeeps: keys are there again in the same folder, and a folder with the keys of another number of shards is refused.
func TestDevKeeps(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	run := func(args ...string) (*redis.Client, *role) {
		r := start(t, app.Dev, config(t, configs.RoleDev, append([]string{"--dir", dir, "--metrics", "off"}, args...)...))
		return client(t, r.find(t, r.out, `shards at (\S+)`)), r
	}
	stop := func(r *role) {
		r.stop()
		if err := r.wait(t); err != nil {
			t.Fatal(err)
		}
	}
	c, r := run()
	for i := range 100 {
		if err := c.Set(ctx, fmt.Sprint("key-", i), i, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	stop(r)
	mustSay(t, start(t, app.Dev, config(t, configs.RoleDev, "--dir", dir, "--metrics", "off", "--shards", "2")).wait(t), dir+" has the keys of 3 shards", "--shards 3", "--dir")
	c, r = run("--keep=false")
	for i := range 100 {
		if got, err := c.Get(ctx, fmt.Sprint("key-", i)).Int(); err != nil || got != i {
			t.Fatalf("key-%d: %d %v", i, got, err)
		}
	}
	if err := c.Set(ctx, "key-new", 1, 0).Err(); err != nil {
		t.Fatal(err)
	}
	stop(r)
	c, r = run()
	if n, err := c.DBSize(ctx).Result(); err != nil || n != 100 {
		t.Errorf("behind a run that keeps nothing: %d keys, %v", n, err)
	}
	stop(r)
}

// TestDevReplicas: each shard has replicas, which the topology names and which have what its node has; one is no shard of its own.
func TestDevReplicas(t *testing.T) {
	ctx := context.Background()
	r := start(t, app.Dev, config(t, configs.RoleDev, "--dir", t.TempDir(), "--metrics", "off", "--shards", "2", "--replicas", "2", "--set", "engine.password=inner"))
	c := client(t, r.find(t, r.out, `cluster of 2 shards at (\S+)`))
	found := regexp.MustCompile(`(?:shard \d+|replica) +(127\S+)`).FindAllStringSubmatch(r.out.String(), -1)
	if len(found) != 6 {
		t.Fatalf("%d nodes are shown:\n%s", len(found), r.out)
	}
	for i := range 200 {
		if err := c.Set(ctx, fmt.Sprint("key-", i), i, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	total := int64(0)
	for i := range 2 {
		primary := redis.NewClient(&redis.Options{Addr: found[3*i][1], Password: "inner"})
		defer primary.Close()
		if n, err := primary.Wait(ctx, 2, time.Minute).Result(); err != nil || n != 2 {
			t.Fatalf("shard %d has %d replicas in step: %v", i, n, err)
		}
		keys := primary.DBSize(ctx).Val()
		total += keys
		for j := range 2 {
			replica := redis.NewClient(&redis.Options{Addr: found[3*i+1+j][1], Password: "inner"})
			defer replica.Close()
			if n, err := replica.DBSize(ctx).Result(); err != nil || n != keys {
				t.Errorf("replica %d of shard %d has %d keys, not %d: %v", j, i, n, keys, err)
			}
			if err := replica.Set(ctx, "key-0", "x", 0).Err(); err == nil || !strings.HasPrefix(err.Error(), "READONLY") {
				t.Errorf("a write to a replica: %v", err)
			}
		}
	}
	if total != 200 {
		t.Errorf("%d keys, not 200", total)
	}
	r.stop()
	if err := r.wait(t); err != nil {
		t.Error(err)
	}
}
