package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"larder/control"
	"larder/engine"
	"larder/persistence"
	"larder/persistence/dir"
	"larder/persistence/inspect"
	"larder/persistence/snapshot"
	"larder/router"
)

// original is what nodes are to have.
type original struct {
	place string
	files []control.OriginalFile
	apart bool // no key is in two of them
}

// openOriginal looks for what users call want: a snapshot in the store (which may be the zero Store), a folder, or a file.
func openOriginal(ctx context.Context, want string, store snapshot.Store) (*original, error) {
	info, err := os.Stat(want)
	switch {
	case err == nil && info.IsDir():
		return openFolder(ctx, want)
	case err == nil:
		return &original{place: want, files: []control.OriginalFile{savedFile(want, info.Size())}}, nil
	case !errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("restore: %w", err)
	case store.Bucket == nil || snapshot.CheckName(want) != nil:
		return nil, fmt.Errorf("restore: there is no folder or file %s (--restore)", want)
	}
	found, err := store.Find(ctx, want)
	if errors.Is(err, snapshot.ErrUnknown) {
		return nil, fmt.Errorf("restore: %w, and no folder or file of that name (--restore)", err)
	}
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	return ofSnapshot(store, found), nil
}

// openFolder takes a snapshot's folder, or one with files that any server has saved.
func openFolder(ctx context.Context, path string) (*original, error) {
	bucket, err := dir.Open(dir.Options{Path: path})
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	store := snapshot.Store{Bucket: bucket}
	found, err := store.OpenFolder(ctx)
	if err == nil {
		return ofSnapshot(store, found), nil
	}
	if !errors.Is(err, persistence.ErrNotFound) {
		return nil, fmt.Errorf("restore: %w", err)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	o := &original{place: path}
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || !strings.HasSuffix(name, ".rdb") && !strings.HasSuffix(name, ".rdb.zst") {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, fmt.Errorf("restore: %w", err)
		}
		o.files = append(o.files, savedFile(filepath.Join(path, name), info.Size()))
	}
	if len(o.files) == 0 {
		return nil, fmt.Errorf("restore: folder %s has neither %s nor files that end with .rdb or .rdb.zst (--restore)", path, snapshot.ManifestName)
	}
	return o, nil
}

func savedFile(path string, bytes int64) control.OriginalFile {
	return control.OriginalFile{Name: path, Bytes: bytes, Open: func(context.Context) (io.ReadCloser, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		in, _, err := inspect.Plain(f)
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		return opened{in, f}, nil
	}}
}

// opened reads from one and closes another.
type opened struct {
	io.Reader
	io.Closer
}

func ofSnapshot(store snapshot.Store, found *snapshot.Found) *original {
	o := &original{place: "snapshot " + found.Manifest.Name, apart: true}
	for _, shard := range found.Manifest.Shards {
		o.files = append(o.files, control.OriginalFile{Name: o.place + ", " + shard.Object, Bytes: shard.RawBytes, Open: func(ctx context.Context) (io.ReadCloser, error) {
			return store.Open(ctx, found, shard)
		}})
	}
	return o
}

// of is what a node of these slots takes of what is selected; without slots it takes all that is.
func (o *original) of(selected router.Selection, slots []router.Range) *engine.Restore {
	if o == nil {
		return nil
	}
	r := &engine.Restore{NoFunctions: !selected.All()}
	for _, f := range o.files {
		r.Sources = append(r.Sources, engine.RestoreSource{Name: f.Name, Bytes: f.Bytes, Open: func() (io.ReadCloser, error) { return f.Open(context.Background()) }})
	}
	own := router.Selection{DB: router.AllDatabases, Slots: slots}
	if !own.All() || !selected.All() {
		r.Keep = func(db int, key []byte) bool { return own.Has(db, key) && selected.Has(db, key) }
	}
	return r
}
