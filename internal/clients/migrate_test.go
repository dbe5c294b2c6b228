package clients_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"larder/control/migrate"
	"larder/internal/peers"
)

// quickCopy has a redis-server not wait for other replicas before it sends its data.
var quickCopy = []string{"--repl-diskless-sync-delay", "0"}

// migratable starts dev, and a client of it.
func migratable(t *testing.T, shards int) (*moving, *redis.Client) {
	t.Helper()
	m := &moving{t: t, bin: larder, dir: t.TempDir()}
	p := m.bin.Dev(t, m.dir, "--shards", strconv.Itoa(shards))
	c := redis.NewClient(&redis.Options{Addr: p.Addr})
	t.Cleanup(func() { c.Close() })
	return m, c
}

// begin starts dev and a migration into it.
func begin(t *testing.T, from string, shards int, args ...string) (*moving, *redis.Client) {
	t.Helper()
	m, c := migratable(t, shards)
	m.from = from
	m.must("has begun", append([]string{"start", "--from", from}, args...)...)
	return m, c
}

// cutOver does it amid the changes, and compares both sides. What the clients say meanwhile waits at the paused source; stop ends it.
func (m *moving) cutOver(stop func()) {
	m.t.Helper()
	m.follows()
	m.must("were stopped for", "cutover", "--timeout", "20s", "--hold", "60s")
	m.equal()
	if got := m.status(); got.State != migrate.Done || got.Cut.Stopped > 20*time.Second {
		m.t.Errorf("%+v", got)
	} else {
		m.t.Logf("writes were stopped for %s, %d keys in that time", got.Cut.Stopped, got.Cut.Keys)
	}
	m.must("cut over", "abort") // the source may write again
	stop()
	m.refused("the migration is done", "cutover")
}

// TestMigrate fills clusters of one and of three shards from a redis-server that many clients change all the time, by everything that concerns keys of several
// shards, and cuts over amid that: nothing is lost, nothing is more.
func TestMigrate(t *testing.T) {
	for _, shards := range []int{1, 3} {
		t.Run(strconv.Itoa(shards), func(t *testing.T) {
			server := peers.StartRedis(t, quickCopy...)
			connect := func() redis.UniversalClient {
				return redis.NewClient(&redis.Options{Addr: server, PoolSize: 1, ReadTimeout: -1, MaxRetries: -1, ContextTimeoutEnabled: true})
			}
			source := connect()
			defer source.Close()
			for i := range 20_000 { // so that the copy takes its time
				source.Set(t.Context(), fmt.Sprintf("still%d", i), strings.Repeat("v", i%100), 0)
				if i%1000 == 0 {
					source.RPush(t.Context(), "big", i)
				}
			}
			stop := churn(t, uint64(shards), 6, false, connect)
			m, c := begin(t, "redis://"+server, shards)
			m.follows()
			m.changes(5000)
			m.refused("is under way", "start", "--from", "redis://"+server)
			m.cutOver(stop)
			if n, err := c.DBSize(t.Context()).Result(); err != nil || n < 1 {
				t.Error(n, err)
			}
		})
	}
}

// TestMigrateCluster is TestMigrate with a Redis Cluster of three primaries, into two shards.
func TestMigrateCluster(t *testing.T) {
	nodes := peers.StartRedisCluster(t, 3, quickCopy...)
	connect := func() redis.UniversalClient {
		return redis.NewClusterClient(&redis.ClusterOptions{Addrs: nodes, PoolSize: 1, ReadTimeout: -1, MaxRetries: -1, ContextTimeoutEnabled: true})
	}
	source := connect()
	for i := range 5000 {
		source.Set(t.Context(), fmt.Sprintf("still%d", i), i, 0)
	}
	source.Close()
	stop := churn(t, 7, 4, true, connect)
	m, _ := begin(t, "redis+cluster://"+nodes[1], 2)
	m.follows()
	m.changes(2000)
	m.cutOver(stop)
}

// TestMigrateTLS: the source speaks TLS only with those whose certificate it knows.
func TestMigrateTLS(t *testing.T) {
	authority := peers.NewAuthority(t, "authority")
	authority.Issue("source")
	authority.Issue("larder")
	port := strconv.Itoa(peers.FreePort(t))
	server := peers.StartRedis(t, append([]string{
		"--tls-port", port, "--tls-ca-cert-file", authority.File("ca.pem"), "--tls-cert-file", authority.File("source.pem"),
		"--tls-key-file", authority.File("source.key"),
	}, quickCopy...)...)
	connect := func() redis.UniversalClient {
		return redis.NewClient(&redis.Options{Addr: server, PoolSize: 1, ReadTimeout: -1, MaxRetries: -1, ContextTimeoutEnabled: true})
	}
	stop := churn(t, 13, 4, false, connect)
	from := "rediss://127.0.0.1:" + port + "?server-name=source&ca=" + authority.File("ca.pem")
	m, _ := migratable(t, 2)
	m.refused("certificate", "start", "--from", from)
	m.from = from + "&cert=" + authority.File("larder.pem") + "&key=" + authority.File("larder.key")
	m.must("has begun", "start", "--from", m.from)
	m.follows()
	m.changes(2000)
	m.cutOver(stop)
}

// TestMigrateLinks: the link to the source breaks again and again amid the changes, and the server behind the address becomes another one with the same data,
// which a sentinel tells.
func TestMigrateLinks(t *testing.T) {
	server := peers.StartRedis(t, quickCopy...)
	link := peers.StartToxiproxy(t).Link(server)
	connect := func() redis.UniversalClient {
		return redis.NewClient(&redis.Options{Addr: server, PoolSize: 1, ReadTimeout: -1, MaxRetries: -1, ContextTimeoutEnabled: true})
	}
	stop := churn(t, 11, 4, false, connect)
	m, _ := begin(t, "redis://"+link.Addr, 3)
	m.follows()
	for range 4 {
		link.Cut()
		m.follows()
	}
	link.Open(false)
	m.await("broken", func(got migrate.Migration) bool { return got.Status.Phase == migrate.Broken && got.Status.Error != "" })
	m.refused("nothing was stopped", "cutover")
	link.Open(true)
	m.cutOver(stop)
}

// TestMigrateFailover: the source's primary dies and a sentinel names its replica, which is followed from then on.
func TestMigrateFailover(t *testing.T) {
	first := peers.StartRedis(t, quickCopy...)
	second := peers.StartRedis(t, quickCopy...)
	one, two := redis.NewClient(&redis.Options{Addr: first}), redis.NewClient(&redis.Options{Addr: second})
	defer one.Close()
	defer two.Close()
	sentinel := peers.StartSentinel(t, "main", first)
	m, c := begin(t, "redis+sentinel://"+sentinel+"/main", 2)
	m.follows()
	one.Set(t.Context(), "before", 1, 0)
	host, port, _ := strings.Cut(first, ":")
	two.Do(t.Context(), "REPLICAOF", host, port)
	watch := redis.NewClient(&redis.Options{Addr: sentinel})
	defer watch.Close()
	m.await("the sentinel fails over", func(migrate.Migration) bool {
		if two.Get(t.Context(), "before").Val() != "1" {
			return false
		}
		watch.Do(t.Context(), "SENTINEL", "FAILOVER", "main")
		return strings.Contains(two.Info(t.Context(), "replication").Val(), "role:master")
	})
	two.Set(t.Context(), "after", 2, 0)
	m.await("the new primary is followed", func(got migrate.Migration) bool {
		return got.Status.Phase == migrate.Following && c.Get(t.Context(), "after").Val() == "2"
	})
	m.from = "redis://" + second
	m.cutOver(func() {})
}

// TestMigrateRefuses: what cannot be is told with what to do, and the source's data stay where they are.
func TestMigrateRefuses(t *testing.T) {
	server := peers.StartRedis(t, append([]string{"--requirepass", "hush", "--user", "reader", "on", ">see", "~*", "+@all", "-psync", "-sync"}, quickCopy...)...)
	source := redis.NewClient(&redis.Options{Addr: server, Password: "hush"})
	defer source.Close()
	if err := source.Set(t.Context(), "k", strings.Repeat("v", 1000), 0).Err(); err != nil {
		t.Fatal(err)
	}
	m, c := migratable(t, 2)
	m.refused("no such migration", "status")
	m.refused("say which server", "start")
	m.refused("is no HOST:PORT", "start", "--from", "redis://a:b")
	m.refused("no such host", "start", "--from", "redis://nowhere.invalid")
	m.refused("connection refused", "start", "--from", "redis://127.0.0.1:1")
	m.refused("NOAUTH", "start", "--from", "redis://"+server)
	m.refused("WRONGPASS", "start", "--from", "redis://:wrong@"+server)
	m.refused("--by scan", "start", "--from", "redis://reader:see@"+server)
	m.refused("is no way", "start", "--by", "pigeon", "--from", "redis://:hush@"+server)
	m.refused("brings all databases", "start", "--from", "redis://:hush@"+server+"/3")
	c.Set(t.Context(), "mine", 1, 0)
	m.refused("--replace", "start", "--from", "redis://:hush@"+server)
	if c.Get(t.Context(), "mine").Val() != "1" {
		t.Error("a refused migration has deleted a key")
	}
	m.must("has begun", "start", "--replace", "--from", "redis://:hush@"+server)
	m.follows()
	if code, text := m.says("status", "--json"); code != 0 || strings.Contains(text, "hush") {
		t.Error(text)
	}
	c.ConfigSet(t.Context(), "maxmemory", "1mb")
	for i := range 3000 {
		source.Set(t.Context(), "k"+strconv.Itoa(i), strings.Repeat("v", 3000), 0)
	}
	m.await("out of memory", func(got migrate.Migration) bool { return strings.Contains(got.Status.Error, "out of memory") })
	m.refused("nothing was stopped", "cutover")
	c.ConfigSet(t.Context(), "maxmemory", "0")
	m.follows()
	m.from = "redis://:hush@" + server
	m.await("all is there", func(migrate.Migration) bool { return c.DBSize(t.Context()).Val() == 3001 })
	m.must("aborted", "abort")
	m.equal()
}
