package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"larder/persistence/files"
	"larder/persistence/journal"
)

const (
	dirName  = "appendonlydir"
	fileName = "appendonly.aof"
)

// bench is a node in miniature: its data is a list of numbers, a base is that list as a text, and the journal has a command a number.
type bench struct {
	t     testing.TB
	dir   string
	trace *files.Trace
	f     *journal.Folder

	data []int // all that was done
	safe int   // how many of them a journal that was confirmed must have
	half []int // what an add that failed may have left, if the disk takes nothing any more
}

func newBench(t testing.TB) *bench {
	return &bench{t: t, dir: memoryDir(t), trace: &files.Trace{}}
}

// memoryDir is a folder where a sync costs nothing, if the machine has such.
func memoryDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "journal")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

var head = []byte(command("SELECT", "0"))

// open looks at what there is, takes it as the data, and starts.
func (b *bench) open() error {
	f, err := journal.Look(files.In(b.dir, b.trace.Watch), dirName, fileName)
	if err != nil {
		return err
	}
	data, cut, err := load(f)
	if err != nil {
		return err
	}
	b.f, b.data = f, data
	return f.Start(cut, head)
}

// load reads a journal.
func load(f *journal.Folder) (data []int, cut journal.Cut, err error) {
	parts, err := f.Parts()
	for _, p := range parts {
		text, err := os.ReadFile(p.Path)
		if err != nil {
			return nil, cut, err
		}
		if p.Kind == journal.Base {
			for _, word := range strings.Fields(strings.TrimSuffix(string(text), "end")) {
				n, _ := strconv.Atoi(word)
				data = append(data, n)
			}
			if !strings.HasSuffix(string(text), "end") {
				return nil, cut, fmt.Errorf("the base %s is not whole: %q", p.Name, text)
			}
			continue
		}
		r := journal.NewReader(bytes.NewReader(text), 0, int64(len(text)))
		for {
			rec, err := r.Next()
			var torn *journal.TornError
			switch {
			case err == io.EOF:
			case errors.As(err, &torn) && p.Last:
				cut = journal.Cut{Name: p.Name, At: torn.At}
			case err != nil:
				return nil, cut, fmt.Errorf("%s: %w", p.Name, err)
			default:
				if string(rec.Args[0]) == "ADD" {
					n, _ := strconv.Atoi(string(rec.Args[1]))
					data = append(data, n)
				}
				continue
			}
			break
		}
	}
	return data, cut, err
}

func (b *bench) add(n int) error {
	if err := b.f.Append([][]byte{[]byte(command("ADD", strconv.Itoa(n))), nil, []byte(command("PING"))}); err != nil {
		b.half = append(slices.Clone(b.data), n)
		return err
	}
	b.data = append(b.data, n)
	return nil
}

func (b *bench) sync() error {
	err := b.f.Sync()
	if err == nil {
		b.safe = len(b.data)
	}
	return err
}

// rewrite is a whole rewrite, with something done while the base is written.
func (b *bench) rewrite() error {
	if err := b.f.Turn(head); err != nil {
		return err
	}
	return b.replace()
}

func (b *bench) replace() error {
	based := slices.Clone(b.data)
	if err := b.add(len(b.data) + 100); err != nil {
		return err
	}
	if err := writeBase(b.f, based); err != nil {
		return err
	}
	if err := b.f.Replace(); err != nil {
		return err
	}
	b.safe = len(b.data)
	return nil
}

// writeBase writes a base as a snapshot does: under another name, synced, renamed.
func writeBase(f *journal.Folder, data []int) error {
	file, err := f.Dir().Create(f.TempBase() + ".tmp")
	if err != nil {
		return err
	}
	text := ""
	for _, n := range data {
		text += strconv.Itoa(n) + " "
	}
	if _, err = file.Write([]byte(text + "end")); err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, f.Dir().Remove(f.TempBase()+".tmp"))
	}
	return errors.Join(f.Dir().Rename(f.TempBase()+".tmp", f.TempBase()), f.Dir().Sync())
}

// story is all that can happen to a journal.
func (b *bench) story() (err error) {
	steps := []func() error{
		b.open,
		func() error { return b.add(1) }, b.sync,
		func() error { return b.add(2) },
		b.rewrite,
		func() error { return b.add(3) }, b.sync,
		func() error { return b.f.Close() },
		b.open,
		func() error { return b.add(4) }, b.sync,
		b.rewrite,
		func() error { return b.f.Close() },
	}
	for _, step := range steps {
		if e := step(); e != nil {
			err = errors.Join(err, e)
			if b.f == nil {
				return err
			}
		}
	}
	return err
}

const storyTrace = `make dir appendonlydir
sync dir
append appendonly.aof.1.incr.aof
write appendonly.aof.1.incr.aof
sync appendonly.aof.1.incr.aof
create temp-appendonly.aof.manifest
write temp-appendonly.aof.manifest
sync temp-appendonly.aof.manifest
close temp-appendonly.aof.manifest
rename temp-appendonly.aof.manifest to appendonly.aof.manifest
sync dir
write appendonly.aof.1.incr.aof (2 times)
sync appendonly.aof.1.incr.aof
write appendonly.aof.1.incr.aof (2 times)
sync appendonly.aof.1.incr.aof
append appendonly.aof.2.incr.aof
write appendonly.aof.2.incr.aof
sync appendonly.aof.2.incr.aof
create temp-appendonly.aof.manifest
write temp-appendonly.aof.manifest
sync temp-appendonly.aof.manifest
close temp-appendonly.aof.manifest
rename temp-appendonly.aof.manifest to appendonly.aof.manifest
sync dir
close appendonly.aof.1.incr.aof
write appendonly.aof.2.incr.aof (2 times)
create temp-appendonly.aof.base.rdb.tmp
write temp-appendonly.aof.base.rdb.tmp
sync temp-appendonly.aof.base.rdb.tmp
close temp-appendonly.aof.base.rdb.tmp
rename temp-appendonly.aof.base.rdb.tmp to temp-appendonly.aof.base.rdb
sync dir
sync appendonly.aof.2.incr.aof
create temp-appendonly.aof.manifest
write temp-appendonly.aof.manifest
sync temp-appendonly.aof.manifest
close temp-appendonly.aof.manifest
rename temp-appendonly.aof.base.rdb to appendonly.aof.1.base.rdb
rename temp-appendonly.aof.manifest to appendonly.aof.manifest
sync dir
remove appendonly.aof.1.incr.aof
create temp-appendonly.aof.manifest
write temp-appendonly.aof.manifest
sync temp-appendonly.aof.manifest
close temp-appendonly.aof.manifest
rename temp-appendonly.aof.manifest to appendonly.aof.manifest
sync dir
write appendonly.aof.2.incr.aof (2 times)
sync appendonly.aof.2.incr.aof
close appendonly.aof.2.incr.aof
`

// TestFolderTrace is the order of operations on files, up to the first end.
func TestFolderTrace(t *testing.T) {
	b := newBench(t)
	if err := b.story(); err != nil {
		t.Fatal(err)
	}
	got := b.trace.String()
	if !strings.HasPrefix(got, storyTrace) {
		t.Errorf("the operations are:\n%s", got)
	}
	b.judge("")
}

// judge looks at the folder as a process does that starts.
func (b *bench) judge(what string) {
	b.t.Helper()
	f, err := journal.Look(files.In(b.dir, nil), dirName, fileName)
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	got, cut, err := load(f)
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	if !slices.Equal(got, b.half) && (len(got) < b.safe || len(got) > len(b.data) || !slices.Equal(got, b.data[:len(got)])) {
		b.t.Fatalf("%s: the journal has %v, done was %v, of which %d were safe", what, got, b.data, b.safe)
	}
	if err := f.Start(cut, head); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	if err := f.Append([][]byte{[]byte(command("ADD", "7"))}); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	if err := f.Close(); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	f, err = journal.Look(files.In(b.dir, nil), dirName, fileName)
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	again, _, err := load(f)
	if err != nil || !slices.Equal(again, append(got, 7)) {
		b.t.Fatalf("%s: after another start the journal has %v, %v, want %v and 7", what, again, err, got)
	}
	b.noTemporaries(what)
}

func (b *bench) noTemporaries(what string) {
	b.t.Helper()
	entries, err := os.ReadDir(filepath.Join(b.dir, dirName))
	if err != nil {
		b.t.Fatal(err)
	}
	manifest, err := os.ReadFile(filepath.Join(b.dir, dirName, fileName+".manifest"))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, e := range entries {
		switch name := e.Name(); {
		case strings.HasPrefix(name, "temp-"):
			b.t.Fatalf("%s: %s stays", what, name)
		case strings.Contains(name, ".base."):
			if !strings.Contains(string(manifest), name) {
				b.t.Fatalf("%s: the base %s stays, which the manifest does not name:\n%s", what, name, manifest)
			}
		}
	}
}

// TestFolderFaults has each operation fail in turn, for once and for good, and each time there is what was safe, and nothing else.
func TestFolderFaults(t *testing.T) {
	b := newBench(t)
	if err := b.story(); err != nil {
		t.Fatal(err)
	}
	for n := range len(b.trace.Ops()) {
		for _, lasts := range []bool{false, true} {
			b := newBench(t)
			b.trace.Fail(n+1, syscall.ENOSPC, lasts)
			err := b.story()
			what := fmt.Sprintf("operation %d (%v), fails for good: %v", n+1, b.trace.Ops()[n], lasts)
			if err != nil && !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("%s: %v", what, err)
			}
			if lasts && err == nil {
				t.Fatalf("%s: nobody was told", what)
			}
			b.judge(what)
		}
	}
}

// TestBegin: a journal that is begun beside another replaces it as a whole, at every operation that is the last one.
func TestBegin(t *testing.T) {
	for n := 0; ; n++ {
		b := newBench(t)
		if err := b.open(); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(b.add(1), b.add(2), b.f.Close()); err != nil {
			t.Fatal(err)
		}
		old := slices.Clone(b.data)
		ops := len(b.trace.Ops())
		b.trace.Fail(n+1, syscall.EIO, true)
		b.data = []int{50, 51} // the node has lived on without a journal
		err := b.f.Begin(head)
		if err == nil {
			err = b.replace()
		}
		if err == nil && len(b.trace.Ops()) > ops+n {
			err = b.f.Close() // only what Replace cleared away has failed
		}
		f, lookErr := journal.Look(files.In(b.dir, nil), dirName, fileName)
		if lookErr != nil {
			t.Fatalf("operation %d: %v", n+1, lookErr)
		}
		got, _, loadErr := load(f)
		if loadErr != nil || !slices.Equal(got, old) && !slices.Equal(got, b.data) && !slices.Equal(got, []int{50, 51}) {
			t.Fatalf("operation %d: %v, %v: want %v or %v", n+1, got, loadErr, old, b.data)
		}
		if err == nil && slices.Equal(got, old) {
			t.Fatalf("operation %d: it was replaced, and the old one is there", n+1)
		}
		if err == nil && len(b.trace.Ops()) <= ops+n {
			break
		}
	}
}

// TestFirstBegin: where there was no journal, what a process left that was killed at any operation is none, or the whole.
func TestFirstBegin(t *testing.T) {
	for n := 1; ; n++ {
		b := newBench(t)
		f, err := journal.Look(files.In(b.dir, b.trace.Watch), dirName, fileName)
		if err != nil {
			t.Fatal(err)
		}
		killed := errors.New("killed")
		b.f, b.data = f, []int{50, 51}
		b.trace.Fail(n, killed, true)
		if err = f.Begin(head); err == nil {
			err = b.replace()
		}
		if _, err := journal.Look(files.In(b.dir, nil), dirName, fileName); err != nil {
			t.Fatalf("operation %d: %v", n, err)
		}
		if len(b.trace.Ops()) < n {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
	}
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestOldFile: the one file of a Redis before 7 becomes the base, whatever the last operation was.
func TestOldFile(t *testing.T) {
	for n := 1; ; n++ {
		b := newBench(t)
		write(t, filepath.Join(b.dir, fileName), "1 2 end")
		b.trace.Fail(n, syscall.EIO, true)
		err := b.open()
		b.trace.Fail(1<<30, nil, false)
		if err != nil {
			b.data = []int{1, 2}
		}
		b.safe = 2
		b.judge(fmt.Sprint("operation ", n))
		if err == nil {
			if _, err := os.Stat(filepath.Join(b.dir, fileName)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the old file is where it was: %v", err)
			}
			break
		}
	}
}

// TestLookRefuses is about folders that nothing may be made of.
func TestLookRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		wrong string
	}{
		{"a file is missing", map[string]string{fileName + ".manifest": "file x seq 1 type b\nfile y seq 1 type i\n", "x": "end"}, "names y, which is not there"},
		{"the manifest is damaged", map[string]string{fileName + ".manifest": "file x seq 1 ty"}, "line 1 has no end"},
		{"no manifest", map[string]string{fileName + ".3.base.rdb": "end", fileName + ".3.incr.aof": ""}, "has no manifest, but there is appendonly.aof.3.base.rdb"},
	} {
		dir := t.TempDir()
		for name, text := range c.files {
			write(t, filepath.Join(dir, dirName, name), text)
		}
		if _, err := journal.Look(files.In(dir, nil), dirName, fileName); err == nil || !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s: %v, want %q", c.name, err, c.wrong)
		}
	}
}

// TestBack: what a failed sync may have lost is taken back, so that it can come again.
func TestBack(t *testing.T) {
	b := newBench(t)
	if err := errors.Join(b.open(), b.add(1), b.sync()); err != nil {
		t.Fatal(err)
	}
	at := b.f.Size()
	if err := b.add(2); err != nil {
		t.Fatal(err)
	}
	b.f.Back(at)
	b.data = b.data[:1]
	if err := errors.Join(b.add(3), b.f.Close()); err != nil {
		t.Fatal(err)
	}
	b.safe = 2
	b.judge("")
}
