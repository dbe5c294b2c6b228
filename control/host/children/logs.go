package children

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// trim has a log that has become too long begin anew; what it said before stays beside it. Nodes hold the file open and append to it, so it is copied and cut
// off: what a node says between the two is lost.
func trim(dir string, most int64) error {
	name, before := filepath.Join(dir, logName), filepath.Join(dir, logBefore)
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() <= most {
		return nil
	}
	if err != nil {
		return err
	}
	if err := copyFile(name, before); err != nil {
		return errors.Join(err, os.Remove(before)) // half of it is of less use than the room that it takes
	}
	return os.Truncate(name, 0)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, logMode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
