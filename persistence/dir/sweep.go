package dir

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"larder/persistence"
	"larder/persistence/files"
)

// makeRoot makes the folder, if its parent is there.
func (b *Bucket) makeRoot() error {
	info, err := os.Stat(b.path)
	if errors.Is(err, fs.ErrNotExist) {
		parent := files.In(filepath.Dir(b.path), nil)
		if _, err = parent.Sub(filepath.Base(b.path)); err == nil {
			return parent.Sync()
		}
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: neither %s nor the folder above it is there; is its disk mounted?", persistence.ErrNoBucket, b.path)
		}
		return err
	}
	if err == nil && !info.IsDir() {
		return fmt.Errorf("%w: %s is no folder", persistence.ErrNoBucket, b.path)
	}
	return err
}

// Check makes the folder if its parent is there, and writes and removes a file in it.
func (b *Bucket) Check(ctx context.Context) error {
	const verb = "check folder"
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := b.makeRoot(); err != nil {
		if errors.Is(err, persistence.ErrNoBucket) {
			return fmt.Errorf("%s %s: %w", verb, b.path, err)
		}
		return b.explain(verb, b.path, err)
	}
	f, err := b.root.CreateNew(temporaryPrefix + "check." + rand.Text())
	if err != nil {
		return b.explain(verb, b.path, err)
	}
	_, err = f.Write([]byte("larder\n"))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close(), b.root.Remove(f.Name())); err != nil {
		return b.explain(verb, b.path, err)
	}
	if _, err := b.root.Names(); err != nil {
		return b.explain(verb, b.path, err)
	}
	return nil
}

// Delete removes an object, and the folders in which it was the last.
func (b *Bucket) Delete(ctx context.Context, name string) error {
	const verb = "delete object"
	if _, err := b.Stat(ctx, name); err != nil {
		if errors.Is(err, persistence.ErrNotFound) {
			return nil
		}
		return err
	}
	for at := name; ; {
		folder, base := b.root, at
		i := strings.LastIndexByte(at, '/')
		if i >= 0 {
			folder, base = files.In(b.root.Path(at[:i]), b.root.Watcher()), at[i+1:]
		}
		if info, err := os.Lstat(folder.Path(base)); at != name && (err != nil || !info.IsDir()) { // a link to somewhere is its owner's
			return nil
		}
		err := folder.Remove(base)
		if at != name && err != nil { // others lie in it, or whatever it is: it does not matter
			return nil
		}
		if err == nil {
			err = folder.Sync()
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return b.explain(verb, name, err)
		}
		if i < 0 {
			return nil
		}
		at = at[:i]
	}
}

// left tells whether a file is what a Put can leave, and of which object.
func left(name string) (object string, ok bool) {
	at := strings.LastIndexByte(name, '/') + 1
	folder, base := name[:at], name[at:]
	if object, ok := strings.CutPrefix(base, claimPrefix); ok {
		return folder + object, true
	}
	object, ok = strings.CutPrefix(base, temporaryPrefix)
	end := strings.LastIndexByte(object, '.')
	if !ok || end < 0 {
		return "", false
	}
	return folder + object[:end], true
}

// Sweep removes the files of Puts that ended without their doing: they have not been written to since.
func (b *Bucket) Sweep(ctx context.Context, prefix string, before time.Time) (int, error) {
	swept := 0
	var failed []error
	err := b.walk(ctx, prefix, func(name string, entry fs.DirEntry) error {
		object, left := left(name)
		if !left || !strings.HasPrefix(object, prefix) {
			return nil
		}
		info, err := entry.Info()
		if err != nil || !info.ModTime().Before(before) {
			return nil //nolint:nilerr // it went away by itself
		}
		if err := b.root.Remove(name); err != nil && !errors.Is(err, syscall.ENOTDIR) {
			failed = append(failed, err)
			return nil
		}
		swept++
		return nil
	})
	if err = errors.Join(append(failed, err)...); err != nil {
		return swept, b.listing(prefix, err)
	}
	return swept, nil
}
