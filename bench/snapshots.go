package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"larder/persistence/snapshot"
)

const (
	bucketName   = "snapshots"
	bucketAccess = "larder-bench"
	bucketSecret = "a secret of the bench"

	// restoreMax is how long a start with a snapshot's data may take.
	restoreMax = 3 * time.Minute
)

// SnapshotCell is what snapshots in one store cost, and starting with one.
type SnapshotCell struct {
	Store    string
	Keys     int
	MiB      float64 // of the data, as an RDB file
	Stored   float64 // part of it that the store keeps
	Taken    []Saved
	Restored []Loaded
}

// SnapshotCells compares them with what redis-server has for it: a save in the background, whose file zstd compresses.
type SnapshotCells struct {
	Level  int
	Theirs []Saved
	Zstd   []float64 // seconds, of each
	Cells  []SnapshotCell
}

// snapshots measures snapshots of a cluster of one shard under writes, as users take them, and starts with them.
func (r *runner) snapshots() error {
	f := r.large()
	f.noise, f.fresh = false, valuesJSON
	all := SnapshotCells{Level: snapshot.LevelDefault}
	if err := r.savesOfTheirs(f, &all); err != nil {
		return err
	}
	for _, store := range []string{"folder", "versitygw"} {
		c := SnapshotCell{Store: store, Keys: f.keys}
		if err := r.snapshotsIn(f, &c); err != nil {
			return fmt.Errorf("%s: %w", store, err)
		}
		all.Cells = append(all.Cells, c)
		all.say(r.out, &c)
	}
	r.results.Snapshots = append(r.results.Snapshots, all)
	return nil
}

// savesOfTheirs has redis-server save and zstd compress its file, under the same writes. It does not compress texts itself: both get the same bytes to do.
func (r *runner) savesOfTheirs(f fill, all *SnapshotCells) error {
	defer r.bed.stop()
	s, err := r.bed.redisNamed("redis", r.bed.serverCore, "--rdbcompression", "no")
	if err != nil {
		return err
	}
	if err := r.plan.fill(s.Addr, f); err != nil {
		return err
	}
	if err := r.plan.churn(s, f); err != nil {
		return err
	}
	for range r.plan.rounds {
		saved, err := r.plan.saveUnderWrites(s, &saveWatch{s: s}, f)
		if err != nil {
			return err
		}
		z := &zstdWatch{bed: r.bed, file: filepath.Join(r.bed.dir, "redis", "dump.rdb"), level: all.Level}
		compressed, err := r.plan.saveUnderWrites(s, z, f)
		if err != nil {
			return err
		}
		all.Theirs, all.Zstd = append(all.Theirs, saved), append(all.Zstd, compressed.Seconds)
	}
	return os.RemoveAll(filepath.Join(r.bed.dir, "redis"))
}

// snapshotsIn takes snapshots in one store and starts with the last.
func (r *runner) snapshotsIn(f fill, c *SnapshotCell) error {
	defer r.bed.stop()
	place, err := r.openPlace(c.Store)
	if err != nil {
		return err
	}
	defer os.RemoveAll(filepath.Join(r.bed.dir, c.Store))
	w := &snapshotWatch{bed: r.bed, dir: filepath.Join(r.bed.dir, "dev")}
	if w.s, err = r.bed.dev(w.dir, place); err != nil {
		return err
	}
	if err := r.plan.fill(w.s.Addr, f); err != nil {
		return err
	}
	if err := r.plan.churn(w.s, f); err != nil {
		return err
	}
	for range r.plan.rounds {
		if w.manifest != nil {
			if err := w.drop(); err != nil {
				return err
			}
		}
		w.before, w.most = 0, 0
		var taken Saved
		taken, err = r.plan.saveUnderWrites(w.s, w, f)
		if err != nil {
			return err
		}
		c.Taken = append(c.Taken, taken)
	}
	_, raw, bytes := w.manifest.Totals()
	c.MiB, c.Stored = float64(raw)/(1<<20), float64(bytes)/float64(raw)
	r.bed.end(w.s)
	for range r.plan.rounds {
		restored, err := r.restore(place, f.keys)
		if err != nil {
			return err
		}
		c.Restored = append(c.Restored, restored)
	}
	return nil
}

// dev starts a cluster of one shard on an empty folder.
func (b *bed) dev(dir, place string, more ...string) (*Server, error) {
	addr, err := port()
	if err != nil {
		return nil, err
	}
	metrics, err := port()
	if err != nil {
		return nil, err
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("empty a folder: %w", err)
	}
	s := &Server{Name: "larder-dev", Addr: addr, Metrics: metrics, within: restoreMax}
	return b.start(s, b.serverCore, b.larder, append([]string{
		"dev", "--shards", "1", "--replicas", "0", "--keep=false", "--listen", addr, "--metrics", metrics, "--pprof", "--dir", dir, "--snapshots", place,
	}, more...)...)
}

// restore starts with the snapshot and waits until all is served.
func (r *runner) restore(place string, keys int) (out Loaded, err error) {
	var s *Server
	defer func() {
		if s != nil {
			r.bed.end(s)
		}
	}()
	dir := filepath.Join(r.bed.dir, "restored")
	defer os.RemoveAll(dir)
	return r.loaded(func() (*Server, error) {
		if s, err = r.bed.dev(dir, place, "--restore", snapshotName); err != nil {
			return nil, err
		}
		n, err := s.alive()
		if err == nil && n != keys {
			err = fmt.Errorf("%d keys were restored of %d", n, keys)
		}
		return s, err
	})
}

// openPlace gives the name of an empty store, for which a server is started if it needs one.
func (r *runner) openPlace(store string) (string, error) {
	dir := filepath.Join(r.bed.dir, store)
	if err := os.MkdirAll(filepath.Join(dir, bucketName), 0o700); err != nil {
		return "", fmt.Errorf("make a store: %w", err)
	}
	if store == "folder" {
		return dir, nil
	}
	addr, err := port()
	if err != nil {
		return "", err
	}
	for name, value := range map[string]string{
		"ROOT_ACCESS_KEY": bucketAccess, "ROOT_SECRET_KEY": bucketSecret, "AWS_ACCESS_KEY_ID": bucketAccess, "AWS_SECRET_ACCESS_KEY": bucketSecret,
	} {
		if err := os.Setenv(name, value); err != nil {
			return "", fmt.Errorf("set a store's keys: %w", err)
		}
	}
	program, err := filepath.Abs(filepath.Join("tools", "versitygw", "versitygw.sh"))
	if err != nil {
		return "", fmt.Errorf("find versitygw (run it at the project's root): %w", err)
	}
	sidecar := filepath.Join(r.bed.dir, "sidecar") // not every file system keeps attributes of files
	if err := os.MkdirAll(sidecar, 0o700); err != nil {
		return "", fmt.Errorf("make a store: %w", err)
	}
	// It runs while the generator, with which it shares a core, has nothing to do: else the generator would be late whenever it computes, and late is slow.
	s := &Server{Name: "versitygw", Addr: addr, within: restoreMax, mute: true}
	_, err = r.bed.start(s, r.bed.otherCore, "chrt", "--idle", "0", program, "--port", addr, "--region", "us-east-1", "posix", "--sidecar", sidecar, dir)
	return "s3://" + bucketName + "?region=us-east-1&endpoint=http://" + addr, err
}

// listens tells whether somebody takes connections there.
func (s *Server) listens() bool {
	c, err := net.DialTimeout("tcp4", s.Addr, time.Second)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// zstdWatch has zstd compress a file.
type zstdWatch struct {
	bed   *bed
	file  string
	level int
	run   *aside
}

func (w *zstdWatch) quiet() error { return nil }
func (w *zstdWatch) extra() int64 { return 0 }

func (w *zstdWatch) begin() (err error) {
	w.run, err = w.bed.aside(w.bed.serverCore, "zstd", "-q", "-f", "-T1", "-"+strconv.Itoa(w.level), w.file, "-o", w.file+".zst")
	return err
}

func (w *zstdWatch) saving() (bool, error) { return w.run.ended() }

func (w *zstdWatch) end() error {
	w.run.stop()
	return os.Remove(w.file + ".zst")
}
