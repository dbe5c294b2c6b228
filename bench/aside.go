package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// aside is a program that runs to its end while the generator goes on.
type aside struct {
	cmd  *exec.Cmd
	said string // the file with what it prints
	over bool
}

// aside starts a program on a core.
func (b *bed) aside(core int, program string, args ...string) (*aside, error) {
	a := &aside{said: filepath.Join(b.dir, "aside.log")}
	out, err := os.Create(a.said)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	defer out.Close()
	a.cmd = exec.Command("taskset", append([]string{"-c", strconv.Itoa(core), program}, args...)...)
	a.cmd.Dir, a.cmd.Stdout, a.cmd.Stderr = b.dir, out, out
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := a.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	return a, nil
}

// ended tells whether it is over, without waiting. The error is what it said if it has failed.
func (a *aside) ended() (bool, error) {
	if a.over {
		return true, nil
	}
	var status syscall.WaitStatus
	pid, err := syscall.Wait4(a.cmd.Process.Pid, &status, syscall.WNOHANG, nil)
	if err != nil {
		return false, fmt.Errorf("wait for %s: %w", a.cmd.Args, err)
	}
	if pid == 0 {
		return false, nil
	}
	a.over = true
	_ = a.cmd.Process.Release()
	if status.ExitStatus() == 0 {
		return true, nil
	}
	said, err := os.ReadFile(a.said)
	return true, fmt.Errorf("%s failed: %s %w", a.cmd.Args, bytes.TrimSpace(said), err)
}

// stop ends it if it is not over.
func (a *aside) stop() {
	if a == nil || a.over {
		return
	}
	_ = a.cmd.Process.Kill()
	_ = a.cmd.Wait()
	a.over = true
}
