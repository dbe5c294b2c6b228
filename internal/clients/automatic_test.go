package clients_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"larder/backends/registry/embedded"
	"larder/internal/clients"
	"larder/internal/peers"
)

// around is a window of a day that begins and ends at times from now.
func around(from, to time.Duration) string {
	now := time.Now().UTC()
	return now.Add(from).Format("15:04") + "-" + now.Add(to).Format("15:04")
}

// lastWindow has the appliance of a folder, which does not run, believe that its last snapshot is of a window so long ago.
func lastWindow(t *testing.T, dir string, ago time.Duration) {
	t.Helper()
	reg, err := embedded.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]time.Time{"window": time.Now().Add(-ago)})
	if err := errors.Join(err, reg.Put(t.Context(), "larder/clusters/main/snapshots/schedule", text), reg.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestAutomaticSnapshots: one is taken in its window; a window in which nothing ran is reported and made up for; as many stay as are to be kept, and manual ones,
// and the last good one while others fail.
func TestAutomaticSnapshots(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	dir, disk := t.TempDir(), t.TempDir()
	snapshots := filepath.Join(disk, "snapshots")
	run := func(window string) *clients.Process {
		return larder.Dev(t, dir, "--shards", "1", "--snapshots", snapshots, "--set", "snapshots.retain=1", "--set", "snapshots.window="+window)
	}
	stop := func(d *clients.Process) {
		t.Helper()
		if err := d.Terminate(); err != nil {
			t.Fatal(err)
		}
		if code := d.Wait(t); code != 0 {
			t.Fatal("dev ends with code", code)
		}
	}
	automatic := func() (names []string) {
		for _, s := range listed(t, dir) {
			if s.Automatic {
				names = append(names, s.Name)
			}
		}
		return names
	}
	d := run(around(-30*time.Minute, 40*time.Minute))
	want(t, peers.Dial(t, d.Addr, 2), "+OK\r\n", "SET", "a", "1")
	larder.Done(t, "snapshot", "create", "mine", "--dir", dir)
	stop(d)

	lastWindow(t, dir, day)
	d = run(around(-30*time.Minute, 40*time.Minute))
	eventually(t, "one is taken in its window", func() bool { return len(automatic()) == 1 })
	first := automatic()[0]
	if n := reported(t, dir, "snapshot-missed"); n != 0 {
		t.Error("a window is told as missed that was not")
	}
	stop(d)

	lastWindow(t, dir, day)
	d = run(around(-3*time.Hour, -2*time.Hour))
	eventually(t, "the window that was missed is made up for, and the older one goes", func() bool { all := automatic(); return len(all) == 1 && all[0] != first })
	second := automatic()[0]
	eventually(t, "both are reported", func() bool {
		return reported(t, dir, "snapshot-missed") == 1 && reported(t, dir, "snapshot-pruned") == 1
	})
	stop(d)

	lastWindow(t, dir, day)
	if err := os.Rename(snapshots, snapshots+"-away"); err != nil { // the disk is not there
		t.Fatal(err)
	}
	if err := os.WriteFile(snapshots, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	run(around(-30*time.Minute, 40*time.Minute))
	_, stderr, code := larder.Run(t, "snapshot", "create", "other", "--dir", dir)
	if code != 1 || !strings.Contains(stderr, snapshots) {
		t.Errorf("code %d: %s", code, stderr)
	}
	eventually(t, "that it has failed is reported", func() bool { return reported(t, dir, "snapshot-failed") == 2 })
	if err := errors.Join(os.Remove(snapshots), os.Rename(snapshots+"-away", snapshots)); err != nil {
		t.Fatal(err)
	}
	eventuallyWithin(t, 3*peers.Patience, "it is taken when the disk is back and a minute has passed", func() bool { all := automatic(); return len(all) == 1 && all[0] != second })
	names := []string{}
	for _, s := range listed(t, dir) {
		names = append(names, s.Name)
		larder.Done(t, "snapshot", "verify", s.Name, "--dir", dir)
	}
	if len(names) != 2 || names[1] != "mine" {
		t.Errorf("there are %q", names)
	}
}
