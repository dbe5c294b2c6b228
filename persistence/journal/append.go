package journal

import "errors"

var errClosed = errors.New("the journal is not being written")

// Append writes at the journal's end. After an error nothing of it counts, and nothing of it stays where something else would stand behind it.
func (f *Folder) Append(views [][]byte) error {
	if f.last == nil {
		return errClosed
	}
	if err := f.mend(); err != nil {
		return err
	}
	total := 0
	for _, view := range views {
		if len(view) == 0 {
			continue
		}
		if _, err := f.last.Write(view); err != nil {
			f.spoiled = true
			_ = f.mend() // it is tried again before the next write
			return err
		}
		total += len(view)
	}
	f.size += int64(total)
	return nil
}

// mend cuts off what a failed write left.
func (f *Folder) mend() error {
	if !f.spoiled {
		return nil
	}
	if err := f.last.Truncate(f.size); err != nil {
		return err
	}
	f.spoiled = false
	return nil
}

// Sync makes safe what was appended.
func (f *Folder) Sync() error {
	if f.Synced() {
		return nil
	}
	if err := f.last.Sync(); err != nil {
		return err
	}
	f.synced = f.size
	return nil
}

// Back takes back what was appended behind at, a value that Size had: a sync has failed, and the system may have dropped the bytes.
func (f *Folder) Back(at int64) {
	f.size, f.synced, f.spoiled = at, min(f.synced, at), true
	_ = f.mend()
}

// Size is that of the last file.
func (f *Folder) Size() int64 { return f.size }

// Close ends the writing; what was appended is safe then if the error is nil.
func (f *Folder) Close() error {
	switch {
	case f.last == nil:
		return nil
	case f.waits:
		return f.Abandon()
	}
	err := errors.Join(f.mend(), f.Sync())
	return errors.Join(err, f.drop())
}
