package clients_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"larder/control"
	"larder/internal/buckettest"
	"larder/internal/clients"
	"larder/internal/peers"
)

// TestKilledWhileTakingSnapshots kills a larder dev, nodes, gateway and agent, at moments that are drawn while it takes a snapshot. What is listed afterwards is
// whole and right, the task is told as what it was, and what the killed process has left is gone soon after the next start.
func TestKilledWhileTakingSnapshots(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]func(t *testing.T) place{
		"folder":  func(t *testing.T) place { return folderPlace(t, t.TempDir()) },
		"service": func(t *testing.T) place { v := peers.StartVersitygw(t); return servicePlace(t, v, v.Addr, "") },
	} {
		t.Run(name, func(t *testing.T) {
			rng := dice(t)
			dir, store := t.TempDir(), at(t)
			d := larder.Dev(t, dir, append(store.args, "--shards", "2", "--set", "engine.appendonly=yes", "--set", "snapshots.bytes-per-second=12mb")...)
			noise(t, d.Addr, 24_000) // 12 MB a shard: a second, and parts of a service's upload
			whole, amid := 0, 0
			const rounds = 5
			for round := range rounds {
				subject := fmt.Sprint("round", round)
				taking := take(t, dir, subject)
				underWay(t, d, 0)
				if round == 0 { // and once at a moment at which it has surely begun to write
					eventually(t, "something of it lies there", func() bool { return len(store.left()) > 0 })
				} else {
					time.Sleep(time.Duration(rng.IntN(1_700_000)) * time.Microsecond) // the moment is what is drawn
				}
				d.Kill()
				defer func() { <-taking.ended }() // it waits a while for an appliance that may come back, and somebody else may take ports meanwhile
				left := len(store.left())
				d.Start(t)
				eventually(t, "the task is told of", func() bool { task, there := taskOf(t, dir, subject); return there && task.Folder == "" })
				store.nothingLeft(t)
				task, _ := taskOf(t, dir, subject)
				if task.State == control.TaskDone {
					whole++
				} else if left > 0 {
					amid++
				}
				if got := len(listed(t, dir)); got != whole {
					t.Fatalf("round %d, which is %s: %d snapshots are listed, not %d", round, task.State, got, whole)
				}
			}
			if amid == 0 {
				t.Error("never was anything left")
			}
			larder.Done(t, "snapshot", "create", "last", "--dir", dir)
			for _, s := range listed(t, dir) {
				larder.Done(t, "snapshot", "verify", s.Name, "--dir", dir)
			}
			t.Logf("%d were whole, %d were cut off and swept", whole, amid)
		})
	}
}

// TestGatewayKilledWhileTakingSnapshots: snapshots are no matter of the gateways that stand before the nodes.
func TestGatewayKilledWhileTakingSnapshots(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := larder.Dev(t, dir, "--shards", "1", "--set", "snapshots.bytes-per-second=12mb")
	gateway := larder.Gateway(t, []*clients.Process{{Addr: d.Node(t, "n0")}})
	noise(t, gateway.Addr, 12_000)
	taking := take(t, dir, "one")
	underWay(t, d, 0)
	gateway.Kill()
	if <-taking.ended; taking.code != 0 {
		t.Fatal(taking.out)
	}
	larder.Done(t, "snapshot", "verify", "one", "--dir", dir)
}

// TestStoreDiesMeanwhile: a service that is killed and comes back, hangs and goes on, or whose connections break again and again: the snapshot is there in the
// end, and right. Meanwhile the nodes answer as ever.
func TestStoreDiesMeanwhile(t *testing.T) {
	t.Parallel()
	v := peers.StartVersitygw(t)
	proxy := buckettest.NewProxy(t, v.Addr)
	rng := dice(t)
	dir := t.TempDir()
	store := servicePlace(t, v, strings.TrimPrefix(proxy.Server.URL, "http://"), "&stall=10s")
	d := larder.Dev(t, dir, append(store.args, "--shards", "1", "--set", "snapshots.bytes-per-second=16mb")...)
	noise(t, d.Addr, 24_000)
	meets := func() {
		t.Helper()
		proxy.Do(nil)
		eventually(t, "a request meets it", func() bool { return len(proxy.Seen()) > 0 })
	}
	for i, happens := range []func(){
		func() { v.Kill(); meets(); v.Again() },
		func() {
			v.Freeze()
			meets()
			time.Sleep(2 * time.Second) // so long would wait who waits for it
			v.Thaw()
		},
		func() {
			kinds := []buckettest.Fault{{Kind: buckettest.Reset}, {Kind: buckettest.CutBody, Bytes: 1 << 20}, {Kind: buckettest.LoseAnswer}}
			for n := range 5 {
				proxy.Nth(1, kinds[rng.IntN(len(kinds))])
				eventually(t, fmt.Sprint("a request meets fault ", n), func() bool { return len(proxy.Seen()) > 0 })
			}
		},
	} {
		read := metric(t, d, `larder_snapshot_read_bytes_total{cluster="main"}`)
		taking := take(t, dir, fmt.Sprint("s", i))
		underWay(t, d, read)
		probe := clients.StartProbe(t, d.Node(t, "n0"), "PING")
		happens()
		longest, err := probe.Stop()
		if err != nil || longest > time.Second { // a node that waited for the store would have waited for all of that
			t.Errorf("case %d: an answer took %v, %v", i, longest, err)
		}
		if <-taking.ended; taking.code != 0 {
			t.Fatalf("case %d: %s", i, taking.out)
		}
		proxy.Do(nil)
		larder.Done(t, "snapshot", "verify", fmt.Sprint("s", i), "--dir", dir)
	}
	store.nothingLeft(t)
}

// TestStoreTooSlow: a store that is slower than the writes. The node keeps what it may of what is overwritten, and no more, and then gives the snapshot up; it is
// tried again, and reported; in the end it fails with a code of its own and leaves nothing. When the store is fast again all is well.
func TestStoreTooSlow(t *testing.T) {
	t.Parallel()
	v := peers.StartVersitygw(t)
	link := peers.StartToxiproxy(t).Link(v.Addr)
	dir := t.TempDir()
	store := servicePlace(t, v, link.Addr, "")
	d := larder.Dev(t, dir, append(store.args, "--shards", "1", "--set", "engine.maxmemory=100mb", "--set", "engine.snapshot-kept-percent=8")...)
	const keys = 30_000
	noise(t, d.Addr, keys)
	d.ResetPeak(t)
	before := d.RSS(t)
	link.Ail("bandwidth", peers.Up, map[string]int{"rate": 600}) // KB/s
	taking := take(t, dir, "slow")
	probe := clients.StartProbe(t, d.Node(t, "n0"), "PING")
	for over := false; !over; {
		noise(t, d.Addr, keys)
		select {
		case <-taking.ended:
			over = true
		default:
		}
	}
	longest, err := probe.Stop()
	if taking.code != 1 || !strings.Contains(taking.out, "writes were faster than the object store") || err != nil {
		t.Fatalf("code %d: %s; %v", taking.code, taking.out, err)
	}
	if task, _ := taskOf(t, dir, "slow"); task.Code != "too-slow" || reported(t, dir, "snapshot-given-up") != 2 || reported(t, dir, "snapshot-failed") != 1 {
		t.Errorf("%+v", task)
	}
	t.Logf("the longest wait was %v, memory rose from %d to at most %d MiB", longest, before>>20, d.PeakRSS(t)>>20)
	if more := d.PeakRSS(t) - before; more > 60<<20 {
		t.Errorf("%d MiB of memory more", more>>20)
	}
	if longest > time.Second {
		t.Errorf("an answer took %v", longest)
	}
	link.Heal()
	store.nothingLeft(t)
	larder.Done(t, "snapshot", "create", "slow", "--dir", dir)
	larder.Done(t, "snapshot", "verify", "slow", "--dir", dir)
}

// TestSnapshotToFullDisk: a folder without room is said before or when it is met, and nothing is left; with room again it goes.
func TestSnapshotToFullDisk(t *testing.T) {
	t.Parallel()
	disk, dir := t.TempDir(), t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=4m"); err != nil {
		t.Fatalf("mount a file system of the test's own (the tests run as root): %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	store := folderPlace(t, filepath.Join(disk, "snapshots"))
	d := larder.Dev(t, dir, append(store.args, "--shards", "2")...)
	noise(t, d.Addr, 10_000)
	fails(t, "store-full", "full", dir, "one")
	store.nothingLeft(t)
	if got := reported(t, dir, "snapshot-failed"); got != 1 {
		t.Errorf("%d failures were reported", got)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	larder.Done(t, "snapshot", "create", "one", "--dir", dir)
	larder.Done(t, "snapshot", "verify", "one", "--dir", dir)
}

// TestStoreIsWrong sets one thing of the store wrong after the other: the command says what before anything begins, with a code for programs.
func TestStoreIsWrong(t *testing.T) {
	t.Parallel()
	v := peers.StartVersitygw(t)
	proxy := buckettest.NewProxy(t, v.Addr)
	good := servicePlace(t, v, strings.TrimPrefix(proxy.Server.URL, "http://"), "&retry-for=1s")
	for code, wrong := range map[string]struct {
		from, to string // in the arguments
		fault    buckettest.Fault
		says     string
	}{
		"store-bucket":      {from: "s3://" + bucket, to: "s3://another", says: "another"},
		"store-credentials": {from: "access-key=" + peers.VersitygwAccessKey, to: "access-key=nobody", says: "access-key"},
		"store-region":      {from: "region=" + peers.VersitygwRegion, to: "region=mars-1", says: "region"},
		"store-clock":       {fault: buckettest.Fault{Kind: buckettest.Refuse, Status: 403, Code: "RequestTimeTooSkewed"}, says: "clock"},
		"store-denied":      {fault: buckettest.Fault{Kind: buckettest.Refuse, Status: 403, Code: "AccessDenied"}, says: "s3:ListBucket"},
		"store-full":        {fault: buckettest.Fault{Kind: buckettest.Refuse, Status: 507, Code: "XMinioStorageFull"}, says: "full"},
		"store":             {fault: buckettest.Fault{Kind: buckettest.Reset}, says: "unavailable"},
	} {
		t.Run(code, func(t *testing.T) {
			dir := t.TempDir()
			args := []string{"--shards", "1"}
			for _, arg := range good.args {
				if wrong.from != "" {
					arg = strings.Replace(arg, wrong.from, wrong.to, 1)
				}
				args = append(args, arg)
			}
			proxy.Nth(0, buckettest.Fault{})
			if wrong.fault.Kind != buckettest.Pass {
				proxy.Do(func(*http.Request) buckettest.Fault { return wrong.fault })
			}
			larder.Dev(t, dir, args...)
			fails(t, code, wrong.says, dir, "one")
			stdout, stderr, _ := larder.Run(t, "snapshot", "create", "two", "--dir", dir)
			if !strings.Contains(stderr, "was not begun") || strings.Contains(stdout+stderr, peers.VersitygwSecretKey) {
				t.Error(stdout, stderr)
			}
			proxy.Do(nil)
			good.nothingLeft(t)
		})
	}
	dir := t.TempDir()
	secret := append([]string{"--shards", "1"}, good.args...)
	secret[len(secret)-1] = "snapshots.secret-key=not the secret"
	larder.Dev(t, dir, secret...)
	fails(t, "store-credentials", "secret-key", dir, "one")
}
