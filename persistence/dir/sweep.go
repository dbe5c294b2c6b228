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
	folder, base := b.at(name)
	err := folder.Remove(base)
	if err == nil {
		err = folder.Sync()
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return b.explain(verb, name, err)
	}
	b.removeEmptyAbove(name)
	return nil
}

// removeEmptyAbove removes the folders that a file lay in which was the last there.
func (b *Bucket) removeEmptyAbove(name string) {
	for i := strings.LastIndexByte(name, '/'); i >= 0; i = strings.LastIndexByte(name, '/') {
		name = name[:i]
		if !b.removeEmpty(name) {
			return
		}
	}
}

// at gives the folder that a name lies in, and the rest of the name.
func (b *Bucket) at(name string) (*files.Dir, string) {
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return b.root, name
	}
	return files.In(b.root.Path(name[:i]), b.root.Watcher()), name[i+1:]
}

// removeEmpty removes a folder in which nothing lies. It is for tidiness: that it cannot be removed is no error, and a link to another folder is its owner's.
func (b *Bucket) removeEmpty(name string) bool {
	folder, base := b.at(name)
	info, err := os.Lstat(folder.Path(base))
	return err == nil && info.IsDir() && folder.Remove(base) == nil && folder.Sync() == nil
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
		b.removeEmptyAbove(name)
		swept++
		return nil
	})
	if err = errors.Join(append(failed, err)...); err != nil {
		return swept, b.listing(prefix, err)
	}
	return swept, nil
}
