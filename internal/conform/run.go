package conform

import (
	"errors"
	"io"
	"time"

	"larder/internal/peers"
)

// exchange writes payload, cut at the given places, while it reads n replies: a server that answers early must not block because nobody reads. It
// returns the replies that came; fewer than n with a nil error: the server closed the connection.
func (c *conn) exchange(payload []byte, cuts []int, n int) ([][]byte, error) {
	_ = c.net.SetDeadline(time.Now().Add(peers.Patience))
	written := make(chan error, 1)
	go func() { written <- c.write(payload, cuts) }()
	replies := make([][]byte, 0, n)
	for len(replies) < n {
		r, err := c.next()
		if err != nil {
			_ = c.net.SetDeadline(time.Now()) // ends the writer
			<-written
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return replies, err
		}
		replies = append(replies, r)
	}
	err := <-written
	if c.closed || isReset(err) {
		err = nil
	}
	return replies, err
}

func (c *conn) write(payload []byte, cuts []int) error {
	at := 0
	for _, cut := range cuts {
		if cut <= at || cut >= len(payload) {
			continue
		}
		if _, err := c.net.Write(payload[at:cut]); err != nil {
			return err
		}
		at = cut
	}
	_, err := c.net.Write(payload[at:])
	return err
}

// both runs f for the two sides at once and waits for both.
func both(f func(side int)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(1)
	}()
	f(0)
	<-done
}
