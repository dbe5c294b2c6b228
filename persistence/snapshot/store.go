package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"larder/persistence"
)

// Store is the snapshots in a bucket.
type Store struct {
	Bucket persistence.Bucket
}

// Found is a snapshot that is there.
type Found struct {
	Folder   string // its objects' names begin with it and a slash; empty: they lie in the bucket itself
	Manifest *Manifest
	Bytes    int64 // in the store, the manifest too; 0: not known
}

func (f *Found) object(name string) string {
	if f.Folder == "" {
		return name
	}
	return f.Folder + "/" + name
}

// folder is one that a snapshot has, or has begun.
type folder struct {
	path   string
	name   string // of the snapshot
	bytes  int64
	whole  bool      // it has a manifest
	newest time.Time // when something was put there last
}

// folders lists them in order of their names.
func (s Store) folders(ctx context.Context) (list []folder, err error) {
	all, err := s.Bucket.List(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("list snapshots: %w", err)
	}
	for _, o := range all { // those of a folder stand together
		path, object, ok := strings.Cut(o.Name, "/")
		name, fits := nameOf(path)
		if !ok || !fits {
			continue
		}
		if len(list) == 0 || list[len(list)-1].path != path {
			list = append(list, folder{path: path, name: name})
		}
		f := &list[len(list)-1]
		f.bytes += o.Bytes
		f.whole = f.whole || object == ManifestName
		if f.newest.Before(o.Changed) {
			f.newest = o.Changed
		}
	}
	return list, nil
}

// List gives all snapshots, in order of their names and times. One whose manifest cannot be read is told beside the others: broken has its folder and why.
func (s Store) List(ctx context.Context) (list []*Found, broken map[string]error, err error) {
	folders, err := s.folders(ctx)
	if err != nil {
		return nil, nil, err
	}
	broken = map[string]error{}
	for _, f := range folders {
		if !f.whole {
			continue
		}
		found, err := s.open(ctx, f.path, f.bytes)
		switch {
		case err == nil:
			list = append(list, found)
		case errors.Is(err, persistence.ErrNotFound): // it was deleted meanwhile
		case errors.Is(err, ErrManifest):
			broken[f.path] = err
		default:
			return nil, nil, err
		}
	}
	return list, broken, nil
}

// open reads the manifest in a folder with so many bytes.
func (s Store) open(ctx context.Context, folder string, bytes int64) (*Found, error) {
	f := &Found{Folder: folder, Bytes: bytes}
	in, err := s.Bucket.Get(ctx, f.object(ManifestName), 0)
	if err != nil {
		return nil, fmt.Errorf("read the manifest in %s: %w", f.place(s), err)
	}
	f.Manifest, err = ReadManifest(in)
	if err = errors.Join(err, in.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", f.place(s), err)
	}
	return f, nil
}

func (f *Found) place(s Store) string {
	if f.Folder == "" {
		return s.Bucket.Place()
	}
	return s.Bucket.Place() + "/" + f.Folder
}

// OpenFolder reads the manifest that lies in the bucket itself. Errors: persistence.ErrNotFound.
func (s Store) OpenFolder(ctx context.Context) (*Found, error) { return s.open(ctx, "", 0) }

// Find gives the snapshot of a name. Errors: ErrUnknown, ErrName, ErrManifest.
func (s Store) Find(ctx context.Context, name string) (*Found, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	folders, err := s.folders(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range folders {
		if f.name == name && f.whole {
			return s.open(ctx, f.path, f.bytes)
		}
	}
	return nil, fmt.Errorf("%w: %s in %s", ErrUnknown, name, s.Bucket.Place())
}

// Begin gives a folder for a new snapshot. Errors: ErrTaken, ErrName.
func (s Store) Begin(ctx context.Context, name string, now time.Time, random uint64) (string, error) {
	_, err := s.Find(ctx, name)
	switch {
	case err == nil:
		return "", fmt.Errorf("%w: %s in %s; take another name, or delete it first", ErrTaken, name, s.Bucket.Place())
	case !errors.Is(err, ErrUnknown):
		return "", err
	}
	return NewFolder(name, now, random), nil
}

// Upload begins an object in a folder.
func (s Store) Upload(ctx context.Context, folder, name string, o UploadOptions) (*Upload, error) {
	return NewUpload(ctx, name, func(ctx context.Context, in io.Reader) error {
		_, err := s.Bucket.Put(ctx, folder+"/"+name, in, nil)
		return err
	}, o)
}

// Finish writes the manifest: from then on the snapshot is there. It looks for the objects before, and for one behind it: who shares the store may have taken them
// away, as whoever looks after the cluster now does where this process was cut off and does not know yet.
func (s Store) Finish(ctx context.Context, folder string, m *Manifest) (*Found, error) {
	for _, shard := range m.Shards {
		if _, err := s.Bucket.Stat(ctx, folder+"/"+shard.Object); err != nil {
			return nil, fmt.Errorf("snapshot %s: what was written is not there any more: %w", m.Name, err)
		}
	}
	text, err := m.Marshal()
	if err != nil {
		return nil, err
	}
	f := &Found{Folder: folder, Manifest: m}
	if _, err := s.Bucket.Put(ctx, f.object(ManifestName), bytes.NewReader(text), nil); err != nil {
		return nil, fmt.Errorf("write the manifest of snapshot %s: %w", m.Name, err)
	}
	if len(m.Shards) > 0 {
		if _, err := s.Bucket.Stat(ctx, folder+"/"+m.Shards[0].Object); errors.Is(err, persistence.ErrNotFound) {
			return nil, errors.Join(fmt.Errorf("snapshot %s: it was removed while it was finished: %w", m.Name, err), s.Bucket.Delete(ctx, f.object(ManifestName)))
		}
	}
	// An upload that was begun twice, since the first answer was lost, is there twice. What of that cannot be removed now, a later Sweep does.
	_, _ = s.Bucket.Sweep(ctx, folder+"/", farOff())
	_, _, f.Bytes = m.Totals()
	f.Bytes += int64(len(text))
	return f, nil
}

// Delete removes a snapshot: first its manifest, so that what a failure leaves is none.
func (s Store) Delete(ctx context.Context, f *Found) error { return s.drop(ctx, f.Folder) }

// Discard removes what there is in the folder of a snapshot that is not to be, whatever writes it has ended: also what its uploads have left.
func (s Store) Discard(ctx context.Context, folder string) error {
	if err := s.drop(ctx, folder); err != nil {
		return err
	}
	if _, err := s.Bucket.Sweep(ctx, folder+"/", farOff()); err != nil {
		return fmt.Errorf("remove what is left of %s: %w", folder, err)
	}
	return nil
}

// farOff is later than any object's time: whose folder nobody else writes to need not wait until what is left there is old.
func farOff() time.Time { return time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC) }

// Clean is Discard for a folder whose writer has died, unless that had finished: then the snapshot is whole, and stays.
func (s Store) Clean(ctx context.Context, folder string) (whole bool, err error) {
	_, err = s.Bucket.Stat(ctx, folder+"/"+ManifestName)
	if err == nil {
		return true, nil
	}
	if !errors.Is(err, persistence.ErrNotFound) {
		return false, fmt.Errorf("look for what is left of %s: %w", folder, err)
	}
	return false, s.Discard(ctx, folder)
}

// drop removes the objects in a folder, the manifest first.
func (s Store) drop(ctx context.Context, folder string) error {
	if err := s.Bucket.Delete(ctx, folder+"/"+ManifestName); err != nil {
		return fmt.Errorf("delete %s: %w", folder, err)
	}
	all, err := s.Bucket.List(ctx, folder+"/")
	if err != nil {
		return fmt.Errorf("delete %s: %w", folder, err)
	}
	for _, o := range all {
		if err := s.Bucket.Delete(ctx, o.Name); err != nil {
			return fmt.Errorf("delete %s: %w", folder, err)
		}
	}
	return nil
}

// Sweep removes what is left of snapshots that were not finished and of which nothing has changed since a time, and tells how many there were. Folders that are
// being written stay: of a long one nothing that can be seen may change for hours.
func (s Store) Sweep(ctx context.Context, before time.Time, writing map[string]bool) (int, error) {
	folders, err := s.folders(ctx)
	if err != nil {
		return 0, err
	}
	n, err := s.Bucket.Sweep(ctx, "", before)
	if err != nil {
		return n, fmt.Errorf("remove what unfinished snapshots have left: %w", err)
	}
	for _, f := range folders {
		if f.whole || writing[f.path] || !f.newest.Before(before) {
			continue
		}
		if err := s.drop(ctx, f.path); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// Open reads the RDB file of one of a snapshot's shards. Its last read says whether the object is what the manifest says (NewObject).
func (s Store) Open(ctx context.Context, f *Found, shard Shard) (io.ReadCloser, error) {
	in, err := s.get(ctx, f, shard)
	if err != nil {
		return nil, err
	}
	return NewObject(shard, in)
}

// get reads an object as it is.
func (s Store) get(ctx context.Context, f *Found, shard Shard) (io.ReadCloser, error) {
	in, err := s.Bucket.Get(ctx, f.object(shard.Object), 0)
	if errors.Is(err, persistence.ErrNotFound) {
		return nil, damaged(shard, "the object is not there")
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", shard.Object, err)
	}
	return in, nil
}

// Object reads an object of a snapshot as it lies in the store, decrypted. Errors: persistence.ErrNotFound for what is none of its.
func (s Store) Object(ctx context.Context, f *Found, name string) (io.ReadCloser, error) {
	for _, shard := range f.Manifest.Shards {
		if shard.Object == name {
			return s.get(ctx, f, shard)
		}
	}
	return nil, fmt.Errorf("snapshot %s has no object %.80q: %w", f.Manifest.Name, name, persistence.ErrNotFound)
}
