package clients_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"larder/control"
	"larder/internal/peers"
)

// terminal is a pseudo-terminal: what is written to keys is typed, what is shown is in screen.
type terminal struct {
	keys   *os.File
	tty    *os.File
	screen peers.Output
}

// newTerminal opens one; what is written to it is read until the test ends.
func newTerminal(t *testing.T) *terminal {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := int(keys.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 30, Col: 120})
	}
	if err != nil {
		t.Fatal(err)
	}
	x := &terminal{keys: keys}
	if x.tty, err = os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		piece := make([]byte, 4096)
		for {
			n, err := keys.Read(piece)
			_, _ = x.screen.Write(piece[:n])
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		x.tty.Close()
		<-read // the last who had it has closed it
		keys.Close()
	})
	return x
}

// TestSnapshotCommandOnTerminal: a bar is drawn; Ctrl-C cancels the snapshot, waits until what was written of it is gone, and says so.
func TestSnapshotCommandOnTerminal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := folderPlace(t, t.TempDir())
	d := larder.Dev(t, dir, append(store.args, "--shards", "1", "--set", "snapshots.bytes-per-second=1mb")...)
	noise(t, d.Addr, 7000)
	x := newTerminal(t)
	cmd := larder.Command("snapshot", "create", "one", "--dir", dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = x.tty, x.tty, x.tty
	cmd.SysProcAttr.Setsid, cmd.SysProcAttr.Setctty = true, true
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	bar := regexp.MustCompile(`\r\x1b\[K\[=+ +\] +\d+% of 7000 keys, \d+ keys/s, \d+s left`)
	eventually(t, "a bar is drawn", func() bool { return bar.MatchString(x.screen.String()) })
	if _, err := x.keys.WriteString("\x03"); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	eventually(t, "it is said what remains", func() bool {
		return strings.Contains(x.screen.String(), "stopping it") && strings.Contains(x.screen.String(), "was canceled: nothing of it remains")
	})
	if task, _ := taskOf(t, dir, "one"); task.State != control.TaskCanceled || task.Code != "canceled" || reported(t, dir, "snapshot-canceled") != 1 {
		t.Errorf("%+v", task)
	}
	if left := store.left(); len(left) > 0 || len(listed(t, dir)) > 0 {
		t.Errorf("there is left %q", left)
	}

	stdout, stderr, code := larder.Run(t, "snapshot", "create", "two", "--dir", dir)
	if line := regexp.MustCompile(`^larder: +\d+% of 7000 keys, \d+ keys/s, \d+s left\n`); code != 0 || !line.MatchString(stderr) || strings.Contains(stdout+stderr, "\x1b") {
		t.Errorf("without a terminal: code %d, %q, %q", code, stdout, stderr)
	}
	stdout, stderr, code = larder.Run(t, "snapshot", "verify", "two", "--dir", dir, "--json")
	if code != 0 || stderr != "" || !json.Valid([]byte(stdout)) {
		t.Errorf("--json: code %d, %q, %q", code, stdout, stderr)
	}
}

// TestSecondInterrupt: while the store hangs, a canceled snapshot cannot be cleaned up. A second Ctrl-C leaves that to the appliance, which does it.
func TestSecondInterrupt(t *testing.T) {
	t.Parallel()
	v, dir := peers.StartVersitygw(t), t.TempDir()
	store := servicePlace(t, v, v.Addr, "")
	d := larder.Dev(t, dir, append(store.args, "--shards", "1", "--set", "snapshots.bytes-per-second=12mb")...)
	noise(t, d.Addr, 60_000) // five seconds of it
	var said peers.Output
	cmd := larder.Command("snapshot", "create", "one", "--dir", dir)
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "an upload has begun", func() bool { return len(store.left()) > 0 })
	v.Freeze()
	for i, says := range []string{"stopping it; a second signal leaves it to the appliance", ""} {
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(i, err)
		}
		eventually(t, "it says "+says, func() bool { return strings.Contains(said.String(), says) })
	}
	_ = cmd.Wait()
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() {
		t.Errorf("it has ended with code %d", status.ExitStatus())
	}
	v.Thaw()
	eventually(t, "the appliance has ended it", func() bool {
		task, _ := taskOf(t, dir, "one")
		return task.State == control.TaskCanceled && task.Folder == ""
	})
	store.nothingLeft(t)
	larder.Done(t, "snapshot", "create", "one", "--dir", dir)
}
