package loop

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// poller is a loop's epoll instance. gnet has no call that stops the reading of one connection, so it is done behind its back: the socket's interest in
// input is taken away. gnet sets it again by itself when its buffer of output fills or empties; then a paused connection is read once more, which
// settles in Conn.rest, and is silenced again.
type poller struct{ fd int }

// inMemory is the poller of connections without sockets.
const inMemory = -1

// report says which events of a socket the loop wants to hear of. Errors and hang-ups are always told.
func (p poller) report(fd int, input, output bool) {
	if p.fd == inMemory {
		return
	}
	var events uint32
	if input {
		events |= unix.EPOLLIN | unix.EPOLLPRI
	}
	if output {
		events |= unix.EPOLLOUT
	}
	// The one error possible is that the socket is no longer there, and then there is nothing to silence.
	_ = unix.EpollCtl(p.fd, unix.EPOLL_CTL_MOD, fd, &unix.EpollEvent{Fd: int32(fd), Events: events})
}

// findPoller looks for the epoll instance that watches fd, in what the kernel tells of this process's descriptors (proc(5), /proc/PID/fdinfo: an epoll
// descriptor has a line "tfd: N" for each one it watches).
func findPoller(fd int) (poller, error) {
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(links) == 0 {
		return poller{}, fmt.Errorf("find the event loop's epoll descriptor: /proc/self/fd cannot be read; is /proc mounted?")
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err != nil || target != "anon_inode:[eventpoll]" {
			continue
		}
		number := filepath.Base(link)
		if watches(number, fd) {
			epfd, err := strconv.Atoi(number)
			return poller{fd: epfd}, err
		}
	}
	return poller{}, fmt.Errorf("find the event loop's epoll descriptor: none watches socket %d", fd)
}

func watches(epoll string, fd int) bool {
	info, err := os.Open("/proc/self/fdinfo/" + epoll)
	if err != nil {
		return false
	}
	defer info.Close()
	want := strconv.Itoa(fd)
	for lines := bufio.NewScanner(info); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) > 1 && words[0] == "tfd:" && words[1] == want {
			return true
		}
	}
	return false
}
