package peers

import (
	"os/exec"
	"runtime"
	"syscall"
)

// Start starts a program that ends with this one, however that ends. Linux ends such a child with the thread that started it, not only with its process, so the
// thread is kept until the child has ended, and lives on: it may have started others before.
func Start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			awaitEnd(cmd.Process.Pid)
		}
	}()
	return <-started
}

// awaitEnd waits for a child's end, and leaves it to be waited for (waitid(2); no child any more: somebody has waited for it).
func awaitEnd(pid int) {
	const byPID, exited, leave = 1, 0x4, 0x01000000
	for {
		if _, _, err := syscall.Syscall6(syscall.SYS_WAITID, byPID, uintptr(pid), 0, exited|leave, 0, 0); err != syscall.EINTR {
			return
		}
	}
}
