package snapshot_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"larder/persistence"
	"larder/persistence/snapshot"
	"larder/protocol/encoding/crc64"
)

func TestNames(t *testing.T) {
	for name, fits := range map[string]bool{
		"a": true, "before-upgrade": true, "Auto_2.3": true, strings.Repeat("x", 64): true,
		"": false, "1a": false, "-a": false, "a/b": false, "..": false, "a b": false, "ä": false, strings.Repeat("x", 65): false,
	} {
		if err := snapshot.CheckName(name); (err == nil) != fits || err != nil && !errors.Is(err, snapshot.ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestSnapshot: what was written is found, listed, read back and right; another may not have its name; deleted, nothing stays of it.
func TestSnapshot(t *testing.T) {
	s, path := newStore(t)
	ctx := t.Context()
	take(t, s, "one", 1000, 0)
	found, err := s.Find(ctx, "one")
	if err != nil || len(found.Manifest.Shards) != 2 {
		t.Fatal(found, err)
	}
	for i, n := range []int{1000, 0} {
		in, err := s.Open(ctx, found, found.Manifest.Shards[i])
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(in)
		want := body(n)
		if err != nil || !bytes.HasPrefix(got, want) || len(got) != len(want)+8 || crc64.Update(0, got[:len(want)]) == 0 {
			t.Errorf("shard %d: %d bytes, want %d and the checksum; %v", i, len(got), len(want), err)
		}
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	}
	var told int64
	v, err := s.Verify(ctx, found, now, func(read int64) { told = read })
	if err != nil || v.Keys != 1000 || v.Shards != 2 || told == 0 {
		t.Error(v, told, err)
	}
	if _, err := s.Begin(ctx, "one", now, 1); !errors.Is(err, snapshot.ErrTaken) {
		t.Error(err)
	}
	take(t, s, "two", 3)
	list, broken, err := s.List(ctx)
	if err != nil || len(list) != 2 || len(broken) != 0 || list[0].Bytes <= 0 {
		t.Error(list, broken, err)
	}
	if err := s.Delete(ctx, found); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Find(ctx, "one"); !errors.Is(err, snapshot.ErrUnknown) {
		t.Error(err)
	}
	if left, err := filepath.Glob(filepath.Join(path, "one-*", "*")); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
}

// TestDamage: whatever is done to an object's bytes, it is refused by name, by who reads it and by Verify, and by who copies it.
func TestDamage(t *testing.T) {
	for name, harm := range map[string]func(b []byte) []byte{
		"a bit":             func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"the first byte":    func(b []byte) []byte { b[0] ^= 0x80; return b },
		"the end cut off":   func(b []byte) []byte { return b[:len(b)-1] },
		"half":              func(b []byte) []byte { return b[:len(b)/2] },
		"nothing left":      func([]byte) []byte { return nil },
		"a byte more":       func(b []byte) []byte { return append(b, 0) },
		"one after another": func(b []byte) []byte { return append(b, b...) },
	} {
		t.Run(name, func(t *testing.T) {
			s, path := newStore(t)
			found := take(t, s, "one", 3000)
			file := filepath.Join(path, found.Folder, found.Manifest.Shards[0].Object)
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, harm(b), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err = s.Verify(t.Context(), found, now, nil)
			if !errors.Is(err, persistence.ErrDamaged) || !strings.Contains(err.Error(), "shard-0000.rdb.zst") {
				t.Errorf("verify: %v", err)
			}
			const folder = "copy-20261130t120000-000000"
			if _, err = s.Copy(t.Context(), found, s, folder, "copy", nil); !errors.Is(err, persistence.ErrDamaged) {
				t.Errorf("copy: %v", err)
			}
			if err := s.Discard(t.Context(), folder); err != nil {
				t.Error(err)
			}
			if left, err := filepath.Glob(filepath.Join(path, "copy-*", "*")); err != nil || len(left) > 0 {
				t.Error("the copy has left", left, err)
			}
		})
	}
	s, path := newStore(t)
	found := take(t, s, "one", 3, 4)
	if err := os.Remove(filepath.Join(path, found.Folder, found.Manifest.Shards[1].Object)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Verify(t.Context(), found, now, nil); !errors.Is(err, persistence.ErrDamaged) || !strings.Contains(err.Error(), "shard-0001") {
		t.Errorf("an object that is not there: %v", err)
	}
}

// TestWrongCounts: a manifest whose objects are whole and have other keys is not believed.
func TestWrongCounts(t *testing.T) {
	s, _ := newStore(t)
	found := take(t, s, "one", 3)
	found.Manifest.Shards[0].Keys = 4
	if _, err := s.Verify(t.Context(), found, now, nil); !errors.Is(err, persistence.ErrDamaged) || !strings.Contains(err.Error(), "3 keys") {
		t.Error(err)
	}
}

func TestCopy(t *testing.T) {
	s, _ := newStore(t)
	to, _ := newStore(t)
	found := take(t, s, "one", 500, 20)
	found.Manifest.Automatic = true
	folder, err := to.Begin(t.Context(), "other", now, 7)
	if err != nil {
		t.Fatal(err)
	}
	copied, err := s.Copy(t.Context(), found, to, folder, "other", nil)
	if err != nil || copied.Manifest.Name != "other" || copied.Manifest.Automatic {
		t.Fatal(copied, err)
	}
	if v, err := to.Verify(t.Context(), copied, now, nil); err != nil || v.Keys != 520 {
		t.Error(v, err)
	}
}

// TestUnfinished: what has no manifest is no snapshot, and is swept when nothing has changed for long.
func TestUnfinished(t *testing.T) {
	s, path := newStore(t)
	ctx := t.Context()
	folder, err := s.Begin(ctx, "half", now, 5)
	if err != nil {
		t.Fatal(err)
	}
	u, err := s.Upload(ctx, folder, snapshot.ObjectName(0, 1), options())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(u.Write(body(10), nil), u.Commit()); err != nil {
		t.Fatal(err)
	}
	take(t, s, "whole", 1)
	if err := os.WriteFile(filepath.Join(path, "notes.txt"), []byte("of the owner"), 0o600); err != nil {
		t.Fatal(err)
	}
	if list, _, err := s.List(ctx); err != nil || len(list) != 1 {
		t.Error(list, err)
	}
	if n, err := s.Sweep(ctx, time.Now().Add(-time.Hour), nil); err != nil || n != 0 {
		t.Error("what is young was swept:", n, err)
	}
	if n, err := s.Sweep(ctx, time.Now().Add(time.Hour), map[string]bool{folder: true}); err != nil || n != 0 {
		t.Error("what is being written was swept:", n, err)
	}
	if n, err := s.Sweep(ctx, time.Now().Add(time.Hour), nil); err != nil || n != 1 {
		t.Error("swept:", n, err)
	}
	left, err := filepath.Glob(filepath.Join(path, "*", "*"))
	if err != nil || slices.ContainsFunc(left, func(name string) bool { return strings.Contains(name, "half") }) || len(left) != 2 {
		t.Error(left, err)
	}
	if _, err := os.Stat(filepath.Join(path, "notes.txt")); err != nil {
		t.Error(err)
	}
}

// TestGivenUp: an upload that is abandoned, interrupted while the store takes nothing, or whose store fails, leaves no object and says why.
func TestGivenUp(t *testing.T) {
	reason := errors.New("of a reason")
	t.Run("abandoned", func(t *testing.T) {
		s, path := newStore(t)
		u, err := s.Upload(t.Context(), "a-20261130t120000-000000", "shard-0000.rdb.zst", options())
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(u.Write(body(100), nil), u.Abandon()); err != nil {
			t.Error(err)
		}
		if left, err := filepath.Glob(filepath.Join(path, "a-*", "*")); err != nil || len(left) > 0 {
			t.Error(left, err)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		u, err := snapshot.NewUpload(t.Context(), "x", func(ctx context.Context, _ io.Reader) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}, options())
		if err != nil {
			t.Fatal(err)
		}
		failed := make(chan error)
		go func() {
			var err error
			for text := bytes.Repeat([]byte("0123456789abcdefghij"), 1<<16); err == nil; {
				err = u.Write(text, nil) // nobody takes what comes of it
			}
			failed <- err
		}()
		u.Interrupt(reason)
		if err := <-failed; !errors.Is(err, reason) {
			t.Error(err)
		}
		if err := u.Abandon(); err != nil {
			t.Error(err)
		}
	})
	t.Run("the store fails", func(t *testing.T) {
		u, err := snapshot.NewUpload(t.Context(), "x", func(_ context.Context, in io.Reader) error {
			_, _ = in.Read(make([]byte, 10))
			return reason
		}, options())
		if err != nil {
			t.Fatal(err)
		}
		err = u.Write(body(10), nil)
		if err = errors.Join(err, u.Commit()); !errors.Is(err, reason) {
			t.Error(err)
		}
	})
}

// TestRate: no more bytes come than are allowed; the time that is waited makes it so.
func TestRate(t *testing.T) {
	clock := now
	var waited time.Duration
	o := snapshot.UploadOptions{BytesPerSec: 1000, Now: func() time.Time { return clock }, Wait: func(_ context.Context, d time.Duration) error {
		clock, waited = clock.Add(d), waited+d
		return nil
	}}
	u, err := snapshot.NewUpload(t.Context(), "x", func(_ context.Context, in io.Reader) error {
		_, err := io.Copy(io.Discard, in)
		return err
	}, o)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if err := u.Write(make([]byte, 500), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := u.Commit(); err != nil || waited != 5*time.Second {
		t.Error(waited, err)
	}
}

func TestManifestsThatAreWrong(t *testing.T) {
	const good = `{"format":1,"name":"one","shards":[{"object":"shard-0000.rdb.zst","keys":1}]}`
	if _, err := snapshot.ReadManifest(strings.NewReader(good)); err != nil {
		t.Fatal(err)
	}
	for text, says := range map[string]string{
		"": "EOF", "{": "unexpected", `{"format":2,"name":"one","larder":"9.9","shards":[{"object":"a"}]}`: "9.9",
		`{"name":"one","shards":[{"object":"a"}]}`:                                                      "no format",
		`{"format":1,"name":"../one","shards":[{"object":"a"}]}`:                                        "../one",
		`{"format":1,"name":"one"}`:                                                                     "no shards",
		`{"format":1,"name":"one","shards":[{"object":"../../etc/passwd"}]}`:                            "no object's name",
		`{"format":1,"name":"one","shards":[{"object":"a"},{"object":"a"}]}`:                            "another shard's",
		`{"format":1,"name":"one","shards":[{"object":"a","bytes":-1}]}`:                                "below zero",
		`{"format":1,"name":"one","shards":[{"object":"manifest.json"}]}`:                               "no object's name",
		`{"format":1,"name":"one","shards":[{"object":"a"}],"x":"` + strings.Repeat("y", 17<<20) + `"}`: "longer",
	} {
		if _, err := snapshot.ReadManifest(strings.NewReader(text)); !errors.Is(err, snapshot.ErrManifest) || !strings.Contains(err.Error(), says) {
			t.Errorf("%.80s: %v", text, err)
		}
	}
}

// FuzzManifest: no text makes a manifest that leads out of its folder.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"format":1,"name":"one","shards":[{"object":"shard-0000.rdb.zst","keys":1,"bytes":3,"sha256":"00"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := snapshot.ReadManifest(bytes.NewReader(text))
		if err != nil {
			return
		}
		for _, s := range m.Shards {
			if strings.ContainsAny(s.Object, "/") || s.Object == ".." || s.Object == "." {
				t.Fatalf("object %q", s.Object)
			}
		}
		if _, err := m.Marshal(); err != nil {
			t.Fatal(err)
		}
	})
}

// removing is a store whose other user removes a folder just before its manifest is put.
type removing struct{ persistence.Bucket }

func (r removing) Put(ctx context.Context, name string, in io.Reader, told func(int64)) (persistence.Object, error) {
	if folder, ok := strings.CutSuffix(name, "/"+snapshot.ManifestName); ok {
		if err := (snapshot.Store{Bucket: r.Bucket}).Discard(ctx, folder); err != nil {
			return persistence.Object{}, err
		}
	}
	return r.Bucket.Put(ctx, name, in, told)
}

// TestFinishedTooLate: what somebody has removed while it was finished is not there.
func TestFinishedTooLate(t *testing.T) {
	s, path := newStore(t)
	s.Bucket = removing{s.Bucket}
	ctx := t.Context()
	folder, err := s.Begin(ctx, "late", now, 5)
	if err != nil {
		t.Fatal(err)
	}
	u, err := s.Upload(ctx, folder, snapshot.ObjectName(0, 1), options())
	if err != nil {
		t.Fatal(err)
	}
	m := &snapshot.Manifest{Format: snapshot.Format, Name: "late", Cluster: "main", Began: now, Ended: now, Databases: 16, Shards: make([]snapshot.Shard, 1)}
	if err := errors.Join(u.Write(body(10), nil), u.Commit()); err != nil {
		t.Fatal(err)
	}
	u.Sizes(&m.Shards[0])
	if _, err := s.Finish(ctx, folder, m); err == nil || !strings.Contains(err.Error(), "removed while it was finished") {
		t.Error(err)
	}
	if left, err := filepath.Glob(filepath.Join(path, "*", "*")); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
}
