//go:build soak

package clients_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"larder/control/controller"
	"larder/internal/clients"
	"larder/internal/failures"
	"larder/internal/peers"
)

var (
	tableFile  = flag.String("table", "", "the page into which TestFailuresAll writes its table")
	onlyFaults = flag.String("faults", "", "a pattern of the faults that TestFailuresAll has happen; empty: all")
)

// alone are faults of one part, together are faults of two at once.
var (
	alone = []fault{
		primaryKilled, primaryKilled, primaryKilled, primaryFrozen, primaryFrozen, replicaKilled, replicaFrozen, replicasKilled, replicasFrozen,
		hostKilled, hostOnlyKilled, hostCutOff, hostSlow, hostLossy, lateReplicas,
		gatewayKilled, gatewayFrozen, gatewayFromNodes, gatewayFromRegistry,
		controllerKilled, controllerFrozen, consulLeaderKilled, agentKilled, hostAgentKilled,
		plannedSwitch, plannedSwitch, nodeReplaced, gatewayTold,
	}
	together = []fault{
		primaryAndAsleep, // first: who has just deposed a controller has patience with the next
		primaryAndController, primaryAndAgent, primaryAndConsul, primaryAndReplica, primaryAndFrozen, primaryUnknownGateway, frozenUnknownGateway, primaryAndGateway,
		cutOffAndConsul, frozenAndController, leaderFromRegistry, primaryUnknownLeader,
	}
	// asyncFaults are those in which durability matters.
	asyncFaults = []fault{primaryKilled, primaryKilled, primaryFrozen, hostKilled, hostCutOff, replicasFrozen, primaryAndController, primaryAndReplica, lateReplicas, lateReplicas, plannedSwitch}
)

// TestFailuresAll has each fault happen to a cluster of either durability, measures the same of Redis Sentinel, and prints a table of it.
func TestFailuresAll(t *testing.T) {
	var text strings.Builder
	fmt.Fprintf(&text, "Measured %s on %s.\n\n", time.Now().UTC().Format("2006-01-02"), machineIs(t))
	add := func(title string, rows []failures.Row) {
		text.WriteString(failures.Table(title, rows) + "\n")
	}
	t.Run("sentinel", func(t *testing.T) { add("Redis Sentinel, down-after-milliseconds 1000", sentinelRows(t)) })
	t.Run(controller.Replicated, func(t *testing.T) {
		w := startWard(t, controller.Replicated, func() string { return smallDisk(t) })
		defer func() { add("durability: replicated", w.rows) }()
		w.all(slices.Concat(together, alone))
		w.fillsUp()
	})
	t.Run(controller.Async, func(t *testing.T) {
		w := startWard(t, controller.Async, t.TempDir)
		defer func() { add("durability: async", w.rows) }()
		w.all(asyncFaults)
	})
	t.Log("\n" + text.String())
	if *tableFile == "" {
		return
	}
	page, err := os.ReadFile(*tableFile)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := failures.Between(string(page), "<!-- make test-failures writes from here -->", "<!-- to here -->", "\n"+text.String())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(*tableFile, []byte(fresh), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestSoakFailures has two faults drawn happen at once, to different parts, again and again.
func TestSoakFailures(t *testing.T) {
	w := startWard(t, controller.Replicated, t.TempDir)
	parts := [][]fault{
		{primaryKilled, primaryFrozen, hostKilled, hostOnlyKilled, hostCutOff, hostSlow, hostLossy},
		{replicaKilled, replicaFrozen, replicasKilled, replicasFrozen},
		{gatewayKilled, gatewayFrozen, gatewayFromNodes, gatewayFromRegistry},
		{controllerKilled, consulLeaderKilled, agentKilled, hostAgentKilled},
	}
	draw := func(part int) fault { return parts[part][w.chance.IntN(len(parts[part]))] }
	for begun := time.Now(); time.Since(begun) < 15*time.Minute && !t.Failed(); {
		two := w.chance.Perm(len(parts))[:2]
		slices.Sort(two)
		slices.Reverse(two) // who is named first has to be there when it is looked for
		a, b := draw(two[0]), draw(two[1])
		w.suffers(both(a.what+", and "+b.what, a, b), w.chance.IntN(wardShards))
	}
}

// all has faults happen one after the other, to the shards in turn.
func (w *ward) all(faults []fault) {
	only := regexp.MustCompile(*onlyFaults)
	for i, f := range faults {
		if only.MatchString(f.what) {
			w.suffers(f, i%wardShards)
		}
	}
}

// fillsUp has the disk of the primary's host be full for a while, when nodes keep journals.
func (w *ward) fillsUp() {
	w.t.Helper()
	if *onlyFaults != "" {
		return
	}
	w.sure("parameters", "set", "journal", "appendonly=yes")
	w.sure("cluster", "modify", "orders", "--parameters", "journal")
	w.suffers(fault{"the disk of the primary's host: full for 5 s (nodes keep journals)", longer, false, false, func(w *ward, shard int) func() {
		dir := w.folders[hostNames[w.host(w.primary(shard))]]
		return fillDisk(w.t, dir)
	}}, 0)
}

// smallDisk is a folder that is a file system of its own, in memory.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("larder", dir, "tmpfs", 0, "size=384m"); err != nil {
		t.Fatalf("mount: %v (it needs root)", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fillDisk fills what is left where a folder lies, which is no more than a test may take.
func fillDisk(t *testing.T, dir string) (end func()) {
	t.Helper()
	var at syscall.Statfs_t
	if err := syscall.Statfs(dir, &at); err != nil {
		t.Fatal(err)
	}
	const most = 1 << 30
	free := int64(at.Bavail) * at.Bsize
	if free > most {
		t.Fatalf("%s has %d bytes free: it is no disk of the test's own", dir, free)
	}
	path := filepath.Join(dir, "filler")
	filler, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer filler.Close()
	block := make([]byte, 64<<10)
	for size := len(block); size > 0; {
		if _, err := filler.Write(block[:size]); err != nil {
			size /= 2
		}
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}

func machineIs(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Fatal(err)
	}
	model := "an unknown processor"
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
		}
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s, %d processors, at a load of %s when it began", model, runtime.NumCPU(), strings.Fields(string(load))[0])
}

// sentinelRows measures a redis-server with a replica and three sentinels, and go-redis' client for them, as our clusters are measured.
func sentinelRows(t *testing.T) (rows []failures.Row) {
	t.Helper()
	if *onlyFaults != "" {
		return nil
	}
	for _, kill := range []bool{true, true, true, false} {
		rows = append(rows, sentinelRow(t, kill))
	}
	return rows
}

func sentinelRow(t *testing.T, kill bool) failures.Row {
	t.Helper()
	primary := clients.Redis(t)
	host, port, _ := strings.Cut(primary.Addr, ":")
	replica := clients.Redis(t, "--replicaof", host+" "+port)
	var sentinels []string
	for range 3 {
		sentinels = append(sentinels, peers.StartSentinel(t, "main", primary.Addr,
			"sentinel down-after-milliseconds main 1000", "sentinel failover-timeout main 10000", "sentinel parallel-syncs main 1"))
	}
	for _, addr := range sentinels {
		c := peers.Dial(t, addr, 0)
		peers.Await(t, "a sentinel knows the others and the replica", func() bool {
			said := string(c.Do("SENTINEL", "MASTER", "main"))
			return strings.Contains(said, "num-other-sentinels\r\n$1\r\n2") && strings.Contains(said, "num-slaves\r\n$1\r\n1")
		})
		c.Do("SENTINEL", "SET", "main", "quorum", "2")
	}
	eventually(t, "the replica follows", func() bool {
		return strings.Contains(ask(t, open(t, replica.Addr), "INFO", "replication"), "master_link_status:up")
	})
	s := clients.SteadyGo(t, "go-redis", sentinels[:1], []string{"{a}go", "{b}go"}, func(string) redis.UniversalClient {
		return redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "main", SentinelAddrs: sentinels, MaxRetries: -1, PoolSize: 1, ReadTimeout: 3 * time.Second})
	})
	w := &ward{estate: &estate{appliance: &appliance{t: t}}, doors: []string{replica.Addr}}
	const enough = 40
	w.flows([]*clients.Steady{s}, time.Now(), enough)
	calm := time.Now()
	w.flows([]*clients.Steady{s}, calm, enough)
	begun, what := time.Now(), "primary: kill -9"
	if kill {
		primary.Kill()
	} else {
		what = "primary: SIGSTOP (clients wait 3 s for a reply)"
		primary.Freeze(t)
	}
	time.Sleep(moment)
	eventually(t, "the replica is the primary", func() bool { return strings.Contains(ask(t, open(t, replica.Addr), "ROLE"), "master") })
	w.flows([]*clients.Steady{s}, time.Now(), enough)
	ended := time.Now()
	s.Stop()
	deeds, every := s.Deeds(), func(string) bool { return true }
	return failures.Row{
		Fault: what, Gap: failures.Gap(deeds, every, begun, ended), Noise: failures.Gap(deeds, every, calm, begun), Verdict: failures.Judge(deeds, w.final(replica.Addr, deeds)),
	}
}
