package main

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"
)

// audience is many connections that are subscribed to one channel, and one that publishes. It is driven by one epoll, as the generator is.
type audience struct {
	poll    int
	fds     []int // the subscribers', and last the publisher's
	at      []int // how far each is within a message
	message []byte
	command []byte
	buf     []byte
	events  []unix.EpollEvent
	hist    *hdr.Histogram // from publishing to the publisher's reply

	bytesLeft, repliesLeft int // that are to come
}

const (
	audienceChannel = "bench:news"
	// audienceRead is how much is read of one subscriber at once.
	audienceRead = 64 << 10
)

// newAudience connects n subscribers and the publisher of messages of so many bytes, and waits until all are subscribed.
func newAudience(addr string, n, bytesEach int) (*audience, error) {
	text := bytes.Repeat([]byte("x"), bytesEach)
	a := &audience{poll: -1, at: make([]int, n), buf: make([]byte, audienceRead), events: make([]unix.EpollEvent, 512), hist: newHistogram()}
	a.message = appendWords(nil, []byte("message"), []byte(audienceChannel), text)
	a.command = appendWords(nil, []byte("PUBLISH"), []byte(audienceChannel), text)
	var err error
	if a.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("create epoll: %w", err)
	}
	if err := a.gather(addr, n); err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

func (a *audience) gather(addr string, n int) error {
	subscribe := appendWords(nil, []byte("SUBSCRIBE"), []byte(audienceChannel))
	const confirmation = len("*3\r\n$9\r\nsubscribe\r\n$10\r\nbench:news\r\n:1\r\n")
	for i := range n + 1 {
		fd, err := dial(addr)
		if err != nil {
			return err
		}
		a.fds = append(a.fds, fd)
		ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)}
		if err := unix.EpollCtl(a.poll, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
			return fmt.Errorf("watch descriptor: %w", err)
		}
		if i == n {
			continue
		}
		if _, err := unix.Write(fd, subscribe); err != nil {
			return fmt.Errorf("subscribe: %w", err)
		}
	}
	a.bytesLeft = n * confirmation
	return a.await(0, false)
}

// await reads until at most so many bytes are to come to subscribers, and all replies to the publisher have.
func (a *audience) await(behind int, check bool) error {
	for a.bytesLeft > behind || a.repliesLeft > 0 {
		n, err := unix.EpollWait(a.poll, a.events, int(silenceMax/time.Millisecond))
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return fmt.Errorf("%d bytes and %d replies did not come in %s: %w", a.bytesLeft, a.repliesLeft, silenceMax, err)
		}
		for _, ev := range a.events[:n] {
			if err := a.read(int(ev.Fd), check); err != nil {
				return err
			}
		}
	}
	if a.bytesLeft < 0 || a.repliesLeft < 0 {
		return fmt.Errorf("%d bytes and %d replies too many", -a.bytesLeft, -a.repliesLeft)
	}
	return nil
}

func (a *audience) read(who int, check bool) error {
	got, err := unix.Read(a.fds[who], a.buf)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
	case err != nil || got == 0:
		return fmt.Errorf("connection %d of %d ended: %w", who, len(a.fds), err)
	case who == len(a.at):
		a.repliesLeft -= bytes.Count(a.buf[:got], []byte{'\n'})
	default:
		a.bytesLeft -= got
		if check && !a.right(who, a.buf[:got]) {
			return fmt.Errorf("subscriber %d got something else than the message: %.80q", who, a.buf[:got])
		}
	}
	return nil
}

// right compares what a subscriber got with the message, which may come in any pieces.
func (a *audience) right(who int, got []byte) bool {
	for len(got) > 0 {
		n := min(len(got), len(a.message)-a.at[who])
		if !bytes.Equal(got[:n], a.message[a.at[who]:a.at[who]+n]) {
			return false
		}
		got = got[n:]
		a.at[who] = (a.at[who] + n) % len(a.message)
	}
	return true
}

// behindMax is how many messages a subscriber may be behind, on average, before the next is published: a server that answers the publisher before it has
// written to all others would else be given more than it can pass on.
const behindMax = 64

// publish sends depth messages at once, again when they are answered, for so long, and waits until everybody has all. It returns how many copies were
// delivered.
func (a *audience) publish(depth int, length time.Duration) (int, error) {
	batch := bytes.Repeat(a.command, depth)
	copies, publisher, each := 0, a.fds[len(a.fds)-1], len(a.at)*len(a.message)
	for end := time.Now().Add(length); time.Now().Before(end); {
		began := time.Now()
		if n, err := unix.Write(publisher, batch); err != nil || n < len(batch) {
			return copies, fmt.Errorf("publish: %d of %d bytes: %w", n, len(batch), err)
		}
		a.bytesLeft += depth * each
		a.repliesLeft += depth
		if err := a.await(behindMax*each, true); err != nil {
			return copies, err
		}
		record(a.hist, time.Since(began))
		copies += len(a.at) * depth
	}
	return copies, a.await(0, true)
}

// appendWords appends an array of bulks: a command, or a message.
func appendWords(dst []byte, words ...[]byte) []byte {
	dst = append(strconv.AppendInt(append(dst, '*'), int64(len(words)), 10), "\r\n"...)
	for _, w := range words {
		dst = appendBulk(dst, w)
	}
	return dst
}

// close resets the connections: so many that wait for their time to end would take all ports.
func (a *audience) close() {
	for _, fd := range a.fds {
		_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		_ = unix.Close(fd)
	}
	if a.poll >= 0 {
		_ = unix.Close(a.poll)
	}
}
