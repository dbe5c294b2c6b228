package snapshot_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"larder/persistence/dir"
	"larder/persistence/rdb"
	"larder/persistence/snapshot"
	form "larder/protocol/encoding/rdb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func newStore(t *testing.T) (snapshot.Store, string) {
	t.Helper()
	path := t.TempDir()
	bucket, err := dir.Open(dir.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return snapshot.Store{Bucket: bucket}, path
}

func options() snapshot.UploadOptions {
	return snapshot.UploadOptions{Now: func() time.Time { return now }, Wait: func(context.Context, time.Duration) error { return errors.New("nobody is to wait") }}
}

// body is an RDB file of some keys without its checksum.
func body(keys int) []byte {
	var w rdb.Frame
	w.Begin(false)
	w.Select(0)
	for i := range keys {
		w.Key = []byte{'k', byte(i >> 8), byte(i)}
		w.Pen.Begin(form.TypeString)
		w.String([]byte("a value of some length, a value of some length"))
	}
	w.End()
	return w.Out
}

// take takes a snapshot of so many keys a shard.
func take(t *testing.T, s snapshot.Store, name string, keys ...int) *snapshot.Found {
	t.Helper()
	ctx := t.Context()
	folder, err := s.Begin(ctx, name, now, 12345)
	if err != nil {
		t.Fatal(err)
	}
	m := &snapshot.Manifest{Format: snapshot.Format, Name: name, Cluster: "main", Began: now, Ended: now}
	for i, n := range keys {
		u, err := s.Upload(ctx, folder, snapshot.ObjectName(i, 1), options())
		if err != nil {
			t.Fatal(err)
		}
		text := body(n)
		for len(text) > 0 {
			piece := text[:min(1000, len(text))]
			if err := u.Write(piece, nil); err != nil {
				t.Fatal(err)
			}
			text = text[len(piece):]
		}
		if err := u.Commit(); err != nil {
			t.Fatal(err)
		}
		shard := snapshot.Shard{Keys: int64(n)}
		u.Sizes(&shard)
		m.Shards = append(m.Shards, shard)
	}
	found, err := s.Finish(ctx, folder, m)
	if err != nil {
		t.Fatal(err)
	}
	return found
}
