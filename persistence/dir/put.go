package dir

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"

	"larder/persistence"
	"larder/persistence/files"
)

const (
	// temporaryPrefix begins the names of files that are no objects yet; behind it is the object's name in its folder, a point, and a text by chance.
	// claimPrefix begins those of files that keep a name for somebody.
	temporaryPrefix = ".put-"
	claimPrefix     = ".claim-"

	pieceBytes = 1 << 20  // read and written at once; the context is looked at between
	syncBytes  = 64 << 20 // written between two syncs: so that the end does not wait for all of it, and other writers for the disk

	// madeAgain is how often a folder is made that others, who delete the last object in it, take away at the same moment.
	madeAgain = 10
)

// Put keeps what r gives under a name that has no object.
func (b *Bucket) Put(ctx context.Context, name string, r io.Reader, told func(bytes int64)) (persistence.Object, error) {
	const verb = "put object"
	switch _, err := b.Stat(ctx, name); {
	case err == nil:
		return persistence.Object{}, fmt.Errorf("%s %s: %w", verb, name, persistence.ErrExists)
	case !errors.Is(err, persistence.ErrNotFound) && !errors.Is(err, persistence.ErrNoBucket):
		return persistence.Object{}, err
	}
	folder, base := b.root, name
	temporary, err := (*files.File)(nil), error(nil)
	for range madeAgain {
		if folder, base, err = b.folderOf(name); err == nil {
			temporary, err = folder.CreateNew(temporaryPrefix + base + "." + rand.Text())
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return persistence.Object{}, b.putting(name, err)
	}
	err = b.fill(ctx, temporary, r, told)
	if err == nil {
		err = place(folder, temporary.Name(), base)
	}
	removed := folder.Remove(temporary.Name())
	if err == nil {
		err = folder.Sync()
		if err != nil { // whether the name is safe is not known, and Put has failed
			err = errors.Join(err, folder.Remove(base))
		}
	}
	if err != nil {
		b.removeEmptyAbove(name)
		return persistence.Object{}, errors.Join(b.putting(name, err), removed)
	}
	return b.Stat(ctx, name)
}

// folderOf makes the folders that a name lies in and gives the innermost, and the rest of the name. A folder that is made is safe when that returns.
func (b *Bucket) folderOf(name string) (*files.Dir, string, error) {
	if err := b.makeRoot(); err != nil {
		return nil, "", err
	}
	folder, rest := b.root, name
	for {
		part, behind, more := strings.Cut(rest, "/")
		if !more {
			return folder, rest, nil
		}
		inner, err := folder.Sub(part)
		if err == nil {
			err = folder.Sync()
		}
		if err != nil {
			return nil, "", err
		}
		folder, rest = inner, behind
	}
}

func (b *Bucket) putting(name string, err error) error {
	const verb = "put object"
	var source persistence.SourceError
	switch {
	case errors.As(err, &source):
		return fmt.Errorf("%s %s: %w", verb, name, source)
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s %s: %w", verb, name, persistence.ErrExists)
	case errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%s %s: %w: a part of the name before its last slash is an object, which in a folder cannot be", verb, name, persistence.ErrInvalid)
	case errors.Is(err, persistence.ErrNoBucket):
		return fmt.Errorf("%s %s: %w", verb, name, err)
	}
	return b.explain(verb, name, err)
}

// fill writes all that r gives, and closes the file, which then is safe.
func (b *Bucket) fill(ctx context.Context, f *files.File, r io.Reader, told func(int64)) error {
	piece := make([]byte, pieceBytes)
	var bytes, unsynced int64
	for ended := false; !ended; {
		n, end, err := persistence.Fill(r, piece)
		ended = end
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && n > 0 {
			_, err = f.Write(piece[:n])
		}
		bytes, unsynced = bytes+int64(n), unsynced+int64(n)
		if err == nil && (ended || unsynced >= syncBytes) {
			unsynced, err = 0, f.Sync()
			if err == nil && told != nil {
				told(bytes)
			}
		}
		if err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}

// place gives a whole file the object's name, unless another has it.
func place(folder *files.Dir, from, name string) error {
	err := folder.Link(from, name)
	if !errors.Is(err, syscall.EPERM) && !errors.Is(err, syscall.ENOTSUP) && !errors.Is(err, syscall.ENOSYS) {
		return err
	}
	// No second names here (vfat, some network file systems). Who has the claim may give the name; all who write here do it so.
	claim, err := folder.CreateNew(claimPrefix + name)
	if err != nil {
		return err
	}
	err = claim.Close()
	if err == nil {
		_, taken, problem := folder.Size(name)
		switch {
		case problem != nil:
			err = problem
		case taken:
			err = fs.ErrExist
		default:
			err = folder.Rename(from, name)
		}
	}
	return errors.Join(err, folder.Remove(claim.Name()))
}
