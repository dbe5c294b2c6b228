package journal

import (
	"errors"
	"fmt"
	"io"

	"larder/persistence/files"
)

// Cut says that a file of the data is torn, and up to where it is whole. Without a name nothing is.
type Cut struct {
	Name string
	At   int64
}

// Start makes the journal that was loaded, or one without data, one that is written: at the end of its last file. head goes in front of what is appended.
func (f *Folder) Start(cut Cut, head []byte) error {
	if err := f.enter(); err != nil {
		return err
	}
	if err := f.moveOld(); err != nil {
		return err
	}
	if err := f.cut(cut); err != nil {
		return err
	}
	if err := f.open(head); err != nil {
		return err
	}
	f.clear()
	return nil
}

// moveOld takes the one file of a Redis before 7 as the base. The manifest comes first: it says what is meant if the move is not done.
func (f *Folder) moveOld() error {
	if !f.old {
		return nil
	}
	if err := f.persist(&f.man, nil); err != nil {
		return err
	}
	if err := f.above.Rename(f.name, f.in(f.name)); err != nil {
		return err
	}
	f.old = false
	return errors.Join(f.dir.Sync(), f.above.Sync())
}

// cut cuts the end off a file.
func (f *Folder) cut(c Cut) error {
	if c.Name == "" {
		return nil
	}
	file, err := f.dir.Append(c.Name)
	if err != nil {
		return err
	}
	return errors.Join(file.Truncate(c.At), file.Sync(), file.Close())
}

// open opens the last incremental file, or the first.
func (f *Folder) open(head []byte) error {
	f.before = 0
	for _, part := range f.man.Data() {
		n, _, err := f.dir.Size(part.Name)
		if err != nil {
			return err
		}
		f.before += n
	}
	n := len(f.man.Incr)
	if n == 0 {
		return f.turn(head)
	}
	file, err := f.dir.Append(f.man.Incr[n-1].Name)
	if err != nil {
		return err
	}
	size, _, err := f.dir.Size(file.Name())
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.last, f.size, f.synced = file, size, 0 // what a process wrote that was killed may not be safe yet
	f.before -= size
	if err := f.Append([][]byte{head}); err != nil {
		return errors.Join(err, f.drop())
	}
	return nil
}

// drop lets the last file go.
func (f *Folder) drop() error {
	file := f.last
	f.last, f.waits = nil, false
	return file.Close()
}

// Begin opens a journal beside what there is, which Replace will put in its place; until then nothing of it counts.
func (f *Folder) Begin(head []byte) error {
	if err := f.enter(); err != nil {
		return err
	}
	name := tempPrefix + f.name + incrSuffix
	if err := f.dir.Remove(name); err != nil {
		return err
	}
	file, err := f.dir.Append(name)
	if err != nil {
		return err
	}
	f.last, f.size, f.synced, f.before, f.waits, f.spoiled = file, 0, 0, 0, true, false
	if err := f.Append([][]byte{head}); err != nil {
		return errors.Join(err, f.Abandon())
	}
	return nil
}

// Adopt makes a journal whose base is a copy of an RDB file that stands beside the folder.
func (f *Folder) Adopt(name string, head []byte) error {
	if err := f.Begin(head); err != nil {
		return err
	}
	err := f.copyBase(name)
	if err == nil {
		err = f.Replace()
	}
	if err != nil {
		return errors.Join(err, f.dir.Remove(f.TempBase()), f.Abandon())
	}
	return nil
}

func (f *Folder) copyBase(name string) error {
	from, err := f.above.Read(name)
	if err != nil {
		return err
	}
	to, err := f.dir.Create(f.TempBase())
	if err != nil {
		return errors.Join(err, from.Close())
	}
	_, err = io.Copy(to, from)
	if err == nil {
		err = to.Sync()
	}
	return errors.Join(err, to.Close(), from.Close())
}

// Again has what Begin opened begin anew, with head: a base of the data at this moment is being written, which has all that was appended until now. After an
// error it is to be called again before Replace.
func (f *Folder) Again(head []byte) error {
	if f.last == nil || !f.waits {
		return errClosed
	}
	name := f.last.Name()
	if err := f.dir.Remove(name); err != nil {
		return err
	}
	file, err := f.dir.Append(name)
	if err != nil {
		return err
	}
	if _, err := file.Write(head); err != nil {
		return errors.Join(err, file.Close(), f.dir.Remove(name))
	}
	_ = f.last.Close() // nobody needs it
	f.last, f.size, f.synced, f.spoiled = file, int64(len(head)), 0, false
	return nil
}

// Abandon ends what Begin began.
func (f *Folder) Abandon() error {
	if f.last == nil || !f.waits {
		return nil
	}
	name := f.last.Name()
	return errors.Join(f.drop(), f.dir.Remove(name))
}

// Turn has what comes from now on go to a new file, which begins with head: a base of the data at this moment is being written. After an error all is as
// it was.
func (f *Folder) Turn(head []byte) error {
	if f.last == nil {
		return errClosed
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.turn(head)
}

func (f *Folder) turn(head []byte) error {
	line := f.newIncr()
	file, err := f.dir.Append(line.Name) // there is none of that name
	if err != nil {
		return err
	}
	man := f.man.clone()
	man.Incr = append(man.Incr, line)
	_, err = file.Write(head)
	if err == nil {
		err = file.Sync()
	}
	renamed := false
	if err == nil {
		renamed, err = f.persistOrTell(&man, nil)
	}
	if err != nil {
		err = errors.Join(err, file.Close())
		if !renamed {
			err = errors.Join(err, f.dir.Remove(line.Name))
		}
		return err
	}
	if f.last != nil {
		_ = f.last.Close() // it is synced
		f.before += f.size
	}
	f.man, f.last, f.size, f.synced, f.spoiled = man, file, int64(len(head)), int64(len(head)), false
	return nil
}

// TempBase is the name of the file that a base is to be written to, in Dir, whole and synced before Replace gets it.
func (f *Folder) TempBase() string { return tempPrefix + f.name + baseSuffix }

// Dir is the journal's folder, once it is written.
func (f *Folder) Dir() *files.Dir { return f.dir }

// Replace takes the file TempBase as the base of all that was appended since Turn or Again. What was before is deleted. After an error the journal is as it
// was, or as it is to be, and nothing of it is missing.
func (f *Folder) Replace() error {
	if f.last == nil {
		return errClosed
	}
	n, ok, err := f.dir.Size(f.TempBase())
	if err != nil || !ok {
		return errors.Join(err, fmt.Errorf("the new base %s is not there", f.dir.Path(f.TempBase())))
	}
	if err := f.Sync(); err != nil {
		return err
	}
	man := Manifest{Base: f.newBase(), History: append([]File(nil), f.man.History...)}
	renames := [][2]string{{f.TempBase(), man.Base.Name}}
	former := f.man.Data()
	if f.waits {
		line := f.newIncr()
		renames = append(renames, [2]string{f.last.Name(), line.Name})
		man.Incr = []File{line}
	} else {
		man.Incr = []File{former[len(former)-1]}
		former = former[:len(former)-1]
	}
	for _, line := range former {
		line.Kind = History
		man.History = append(man.History, line)
	}
	renamed, err := f.persistOrTell(&man, renames)
	if err != nil && !renamed {
		return errors.Join(err, f.dir.Remove(man.Base.Name), f.dir.Remove(f.TempBase()))
	}
	f.man, f.before, f.waits = man, n, false
	if err != nil {
		return err
	}
	f.clear()
	return nil
}

// clear deletes the files of the past. What cannot be deleted stays on the manifest, and is tried again after the next rewrite or start.
func (f *Folder) clear() {
	if len(f.man.History) == 0 {
		return
	}
	man := f.man.clone()
	man.History = nil
	for _, line := range f.man.History {
		if f.dir.Remove(line.Name) != nil {
			man.History = append(man.History, line)
		}
	}
	if renamed, _ := f.persistOrTell(&man, nil); renamed {
		f.man = man
	}
}

func (f *Folder) persist(man *Manifest, renames [][2]string) error {
	_, err := f.persistOrTell(man, renames)
	return err
}

// persistOrTell makes a manifest the journal's: written under another name and synced before the files that it names get their names, and it its own. That
// order tells Look what happened where there was no manifest before. renamed: the manifest on disk is the new one, or may be after an error.
func (f *Folder) persistOrTell(man *Manifest, renames [][2]string) (renamed bool, err error) {
	temp := tempPrefix + f.name + manifestSuffix
	if err := f.writeWhole(temp, man.Text()); err != nil {
		return false, errors.Join(err, f.dir.Remove(temp))
	}
	for i, r := range renames {
		if err := f.dir.Rename(r[0], r[1]); err != nil {
			for _, done := range renames[:i] {
				err = errors.Join(err, f.dir.Rename(done[1], done[0]))
			}
			return false, errors.Join(err, f.dir.Remove(temp))
		}
	}
	if err := f.dir.Rename(temp, f.name+manifestSuffix); err != nil {
		for _, done := range renames {
			err = errors.Join(err, f.dir.Rename(done[1], done[0]))
		}
		return false, errors.Join(err, f.dir.Remove(temp))
	}
	return true, f.dir.Sync()
}

func (f *Folder) writeWhole(name string, text []byte) error {
	file, err := f.dir.Create(name)
	if err != nil {
		return err
	}
	if _, err = file.Write(text); err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}
