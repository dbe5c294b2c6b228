package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"

	"larder/persistence/snapshot"
)

const snapshotName = "bench"

// snapshotWatch has a cluster take a snapshot, by the command that users say.
type snapshotWatch struct {
	bed          *bed
	s            *Server
	dir          string // the cluster's folder
	run          *aside
	before, most int64 // resident bytes
	manifest     *snapshot.Manifest
}

func (w *snapshotWatch) quiet() error {
	now, err := residentBytes(w.s.pid())
	w.before = max(w.before, now)
	return err
}

func (w *snapshotWatch) begin() (err error) {
	w.run, err = w.bed.aside(w.bed.otherCore, w.bed.larder, "snapshot", "create", snapshotName, "--json", "--dir", w.dir)
	return err
}

func (w *snapshotWatch) saving() (bool, error) {
	now, err := residentBytes(w.s.pid())
	if err != nil {
		return false, err
	}
	w.most = max(w.most, now)
	return w.run.ended()
}

func (w *snapshotWatch) end() error {
	w.run.stop()
	said, err := os.ReadFile(w.run.said)
	if err != nil {
		return fmt.Errorf("take a snapshot: %w", err)
	}
	var task struct{ Result *snapshot.Manifest }
	if err := json.Unmarshal(said, &task); err != nil || task.Result == nil {
		return fmt.Errorf("what larder snapshot create says cannot be read: %q, %w", said, err)
	}
	w.manifest = task.Result
	return nil
}

func (w *snapshotWatch) extra() int64 { return max(w.most-w.before, 0) }

// drop deletes the snapshot, so that the disk has room and the next one can have its name.
func (w *snapshotWatch) drop() error {
	if out, err := exec.Command(w.bed.larder, "snapshot", "delete", snapshotName, "--dir", w.dir).CombinedOutput(); err != nil {
		return fmt.Errorf("delete the snapshot: %w: %s", err, out)
	}
	return nil
}

func savedWhole(theirs []Saved, zstd []float64) []float64 {
	all := column(theirs, savedSeconds)
	for i := range all {
		all[i] += zstd[i]
	}
	return all
}

// memory and time are ours to theirs, tail is what ours does to its own p99, speed is of starting with it.
func (a *SnapshotCells) memory(c *SnapshotCell) float64 {
	return medianRatio(column(c.Taken, savedExtra), column(a.Theirs, savedExtra))
}

func (a *SnapshotCells) time(c *SnapshotCell) float64 {
	return medianRatio(column(c.Taken, savedSeconds), savedWhole(a.Theirs, a.Zstd))
}

func (c *SnapshotCell) tail() float64 { return mid(c.Taken, savedTail) }

// speed is how many MB of data a second are restored, on the one core.
func (c *SnapshotCell) speed() float64 { return c.MiB * (1 << 20) / 1e6 / mid(c.Restored, wallOf) }

func (a *SnapshotCells) say(w io.Writer, c *SnapshotCell) {
	fmt.Fprintf(w, "snapshot of %s keys, %.0f MiB, to %s under %d writes/s: extra memory %.0f MiB, copied by redis-server %.0f MiB: %.2f%s\n", countName(c.Keys), c.MiB, c.Store, saveASecond,
		mid(c.Taken, savedExtra), mid(a.Theirs, savedExtra), a.memory(c), judged(a.memory(c), saveMemoryTarget))
	fmt.Fprintf(w, "p99 of the writes before → during: %.2f → %.2f ms = %.2f%s, redis-server %.2f → %.2f ms\n", mid(c.Taken, savedQuiet)/1e3, mid(c.Taken, savedP99)/1e3,
		c.tail(), judged(c.tail(), saveTailTarget), mid(a.Theirs, savedQuiet)/1e3, mid(a.Theirs, savedP99)/1e3)
	fmt.Fprintf(w, "time: %.1f s, BGSAVE and zstd -T1 -%d %.1f + %.1f s: %.2f%s\n", mid(c.Taken, savedSeconds), a.Level, mid(a.Theirs, savedSeconds), median(a.Zstd), a.time(c),
		judged(a.time(c), saveTimeTarget))
	fmt.Fprintf(w, "restored at %.0f MB/s a core (≥ %.0f: %s)\n", c.speed(), restoreTarget, strings.Trim(verdict(restoreTarget/c.speed(), 1), "*"))
}

func (r *Results) snapshotsTable(w io.Writer) {
	for i := range r.Snapshots {
		a := &r.Snapshots[i]
		fmt.Fprintf(w, "\n## Snapshots under writes\n\n`larder dev` with one shard, gateway and node on the server's one core, `larder snapshot create`; JSON-like values of %s, no two alike, zstd level %d, %d SETs a second in an open loop. Beside it redis-server's BGSAVE (`rdbcompression no`) and `zstd -T1` of its file, one after the other under the same writes on the same core. Extra memory is of the process's resident memory, the most while it runs beyond the most before, and what redis-server tells of its copy-on-write. Restored is `larder dev --restore`, from the start of the process until it serves all. versitygw shares the generator's core. Medians of the rounds.\n\n",
			sizeName(largeValue), a.Level, saveASecond)
		fmt.Fprintf(w, "| store | keys, data, stored | extra memory, MiB | redis-server | ratio | target | | seconds | BGSAVE + zstd | ratio | target | |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n")
		for i := range a.Cells {
			c := &a.Cells[i]
			fmt.Fprintf(w, "| %s | %s, %.0f MiB, %.0f %% | %.0f | %.0f | **%.2f** | %s | %s | %.1f | %.1f + %.1f | **%.2f** | %s | %s |\n", c.Store, countName(c.Keys), c.MiB, 100*c.Stored,
				mid(c.Taken, savedExtra), mid(a.Theirs, savedExtra), a.memory(c), atMost(saveMemoryTarget), verdict(a.memory(c), saveMemoryTarget),
				mid(c.Taken, savedSeconds), mid(a.Theirs, savedSeconds), median(a.Zstd), a.time(c), atMost(saveTimeTarget), verdict(a.time(c), saveTimeTarget))
		}
		fmt.Fprintf(w, "\n| store | p99 of the writes before → during, ms | ratio | target | | longest | redis-server | generator late, p99, ms | restored, MB/s a core | CPU s | target | | steal |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
		longest := func(s Saved) float64 { return s.LongestMS }
		late := func(s Saved) float64 { return s.Late / 1e3 }
		for i := range a.Cells {
			c := &a.Cells[i]
			steal := most(slices.Concat(c.Taken, a.Theirs), func(s Saved) float64 { return s.Steal })
			fmt.Fprintf(w, "| %s | %.2f → %.2f | **%.2f** | %s | %s | %.1f | %.2f → %.2f, longest %.1f | %.2f | **%.0f** | %.1f | ≥ %.0f | %s | %s |\n", c.Store,
				mid(c.Taken, savedQuiet)/1e3, mid(c.Taken, savedP99)/1e3, c.tail(), atMost(saveTailTarget), verdict(c.tail(), saveTailTarget), mid(c.Taken, longest),
				mid(a.Theirs, savedQuiet)/1e3, mid(a.Theirs, savedP99)/1e3, mid(a.Theirs, longest), mid(c.Taken, late),
				c.speed(), mid(c.Restored, loadCPU), restoreTarget, verdict(restoreTarget/c.speed(), 1), stealName(steal, 0))
		}
	}
}
