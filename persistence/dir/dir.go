// Package dir is the object store in a folder. An object is a file of its name; while it is written it is a file beside whose name begins with a point, which
// no object's does.
//
// What must hold: a file has an object's name only when all of it, and the name, are safe on the disk; it gets that name by a link, which fails if the name is
// taken, so two who write the same name cannot both succeed, in one process or in several. Files are the owner's alone. The folder itself is made if its
// parent is there, and not above that: a disk that is not mounted must not be mistaken for an empty one.
//
// It is persistence.Bucket in all else; it starts no goroutine, and a call that waits for the disk is not interrupted by its context, which is looked at
// between pieces of a megabyte.
package dir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"larder/persistence"
	"larder/persistence/files"
)

// Options of a folder.
type Options struct {
	// Path is the folder. It, but not its parent, is made if it is not there.
	Path string
	// Watch is told of each operation that changes something, before it is done; its error is the operation's. nil: nobody. It is for tests.
	Watch func(files.Op) error
}

// FromSettings makes Options of settings: of the place, and nothing else. Keys of encryption are left to persistence.EncryptionFrom. Errors: ErrInvalid.
func FromSettings(s persistence.Settings) (Options, error) {
	place, err := persistence.ParsePlace(s[persistence.KeyPlace])
	if err != nil {
		return Options{}, err
	}
	o := Options{Path: place.Path}
	if place.Scheme != persistence.SchemeFile {
		return Options{}, fmt.Errorf("%s: %w: %s is no folder", persistence.KeyPlace, persistence.ErrInvalid, place)
	}
	for key, value := range s {
		switch key {
		case persistence.KeyPlace, persistence.KeyEncryptTo, persistence.KeyIdentity:
		default:
			if value != "" {
				return Options{}, fmt.Errorf("%s: %w: it means nothing for a folder; take it out, or give s3://bucket/prefix as %s", key, persistence.ErrInvalid, persistence.KeyPlace)
			}
		}
	}
	return o, o.Validate()
}

// Validate tells what is wrong with the options. Errors: ErrInvalid.
func (o Options) Validate() error {
	if o.Path == "" {
		return fmt.Errorf("%s: %w: it is empty; give a folder", persistence.KeyPlace, persistence.ErrInvalid)
	}
	return nil
}

// Bucket is a folder as an object store.
type Bucket struct {
	root *files.Dir
	path string
}

// Open gives a folder's objects; it looks at nothing yet. Errors: ErrInvalid.
func Open(o Options) (*Bucket, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(o.Path)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w: %v", persistence.KeyPlace, o.Path, persistence.ErrInvalid, err)
	}
	return &Bucket{root: files.In(path, o.Watch), path: path}, nil
}

// Place is the folder.
func (b *Bucket) Place() string { return b.path }

// Close has nothing to end.
func (b *Bucket) Close() error { return nil }

// explain gives an error of the file system its meaning.
func (b *Bucket) explain(verb, name string, err error) error {
	kind := persistence.ErrUnavailable
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s %s: %w", verb, name, err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		kind = persistence.ErrFull
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		kind = persistence.ErrDenied
	}
	return fmt.Errorf("%s %s: %w: %w", verb, name, kind, err)
}

// missing tells apart what is not there: the object, or the whole folder.
func (b *Bucket) missing(verb, name string) error {
	if _, err := os.Stat(b.path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s %s: %w: the folder %s is not there; is its disk mounted?", verb, name, persistence.ErrNoBucket, b.path)
	}
	return fmt.Errorf("%s %s: %w in %s", verb, name, persistence.ErrNotFound, b.path)
}

// notThere reports whether an error says that there is no such file, be it that a part of its name is a file.
func notThere(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// Stat tells of one object.
func (b *Bucket) Stat(ctx context.Context, name string) (persistence.Object, error) {
	const verb = "stat object"
	if err := errors.Join(persistence.CheckName(name), ctx.Err()); err != nil {
		return persistence.Object{}, err
	}
	info, err := os.Stat(b.root.Path(name))
	if notThere(err) || err == nil && !info.Mode().IsRegular() {
		return persistence.Object{}, b.missing(verb, name)
	}
	if err != nil {
		return persistence.Object{}, b.explain(verb, name, err)
	}
	return object(name, info), nil
}

func object(name string, info fs.FileInfo) persistence.Object {
	return persistence.Object{Name: name, Bytes: info.Size(), Changed: info.ModTime()}
}

// Get gives an object from an offset on.
func (b *Bucket) Get(ctx context.Context, name string, offset int64) (io.ReadCloser, error) {
	const verb = "get object"
	if offset < 0 {
		return nil, fmt.Errorf("%s %s: %w: the offset %d is below zero", verb, name, persistence.ErrInvalid, offset)
	}
	if _, err := b.Stat(ctx, name); err != nil {
		return nil, err
	}
	f, err := b.root.Read(name)
	if notThere(err) {
		return nil, b.missing(verb, name)
	}
	if err != nil {
		return nil, b.explain(verb, name, err)
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return nil, errors.Join(b.explain(verb, name, err), f.Close())
	}
	return &reader{b: b, ctx: ctx, name: name, f: f}, nil
}

// reader reads while its context lasts.
type reader struct {
	b    *Bucket
	ctx  context.Context
	name string
	f    *os.File
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, fmt.Errorf("read object %s: %w", r.name, err)
	}
	n, err := r.f.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // a file gives it bare
		err = r.b.explain("read object", r.name, err)
	}
	return n, err
}

func (r *reader) Close() error { return r.f.Close() }

// List gives the objects whose names begin with prefix.
func (b *Bucket) List(ctx context.Context, prefix string) ([]persistence.Object, error) {
	var found []persistence.Object
	err := b.walk(ctx, prefix, func(name string, entry fs.DirEntry) error {
		if hidden(name) {
			return nil
		}
		info, err := entry.Info()
		if err == nil {
			found = append(found, object(name, info))
		} else if !notThere(err) { // it may have been deleted meanwhile
			return err
		}
		return nil
	})
	if err != nil {
		return nil, b.listing(prefix, err)
	}
	slices.SortFunc(found, func(x, y persistence.Object) int { return strings.Compare(x.Name, y.Name) })
	return found, nil
}

func (b *Bucket) listing(prefix string, err error) error {
	if errors.Is(err, persistence.ErrInvalid) || errors.Is(err, persistence.ErrNoBucket) {
		return err
	}
	return b.explain("list objects", prefix, err)
}

// hidden tells a file beside the objects.
func hidden(name string) bool {
	return strings.HasPrefix(name[strings.LastIndexByte(name, '/')+1:], ".")
}

// walk tells of all files, in no order, that objects with the prefix have or that lie beside them.
func (b *Bucket) walk(ctx context.Context, prefix string, told func(name string, entry fs.DirEntry) error) error {
	if err := persistence.CheckPrefix(prefix); err != nil {
		return err
	}
	if _, err := os.Stat(b.path); errors.Is(err, fs.ErrNotExist) {
		return b.missing("list objects", prefix)
	}
	folder, begin := "", prefix
	if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
		folder, begin = prefix[:i+1], prefix[i+1:]
	}
	return b.walkFolder(ctx, folder, begin, told)
}

// walkFolder tells of the files of a folder ("" or with a slash at its end) and below. begin is how objects' names in it begin.
func (b *Bucket) walkFolder(ctx context.Context, folder, begin string, told func(name string, entry fs.DirEntry) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := os.ReadDir(b.root.Path(folder))
	if err != nil {
		if notThere(err) {
			return nil
		}
		return err
	}
	for _, e := range entries {
		name := folder + e.Name()
		if begin != "" && !strings.HasPrefix(e.Name(), begin) && !hidden(name) {
			continue
		}
		switch {
		case e.Type().IsRegular():
			err = told(name, e)
		case e.IsDir() && !hidden(name):
			err = b.walkFolder(ctx, name+"/", "", told)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
