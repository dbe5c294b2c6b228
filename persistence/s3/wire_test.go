package s3

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

const stall = time.Second

// pair is a connection that stalls, and its other end.
func pair(t *testing.T) (*stallingConn, net.Conn) {
	here, there := net.Pipe()
	t.Cleanup(func() {
		here.Close()
		there.Close()
	})
	return &stallingConn{here, stall}, there
}

// slowly reads n bytes, a piece at a time with pauses.
func slowly(r io.Reader, n, piece int, pause time.Duration) error {
	for ; n > 0; n -= piece {
		time.Sleep(pause)
		if _, err := io.ReadFull(r, make([]byte, min(n, piece))); err != nil {
			return err
		}
	}
	return nil
}

// TestStall: a connection lives as long as bytes move in one of its directions, however long all of them take, and fails when none does.
func TestStall(t *testing.T) {
	t.Run("a long write that is read slowly", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, other := pair(t)
			done := make(chan error)
			go func() { done <- slowly(other, 1<<20, 32<<10, 400*time.Millisecond) }()
			if n, err := c.Write(make([]byte, 1<<20)); n != 1<<20 || err != nil {
				t.Errorf("%d %v", n, err)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("a read that waits while there is writing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, other := pair(t)
			done := make(chan error)
			go func() {
				_, err := io.ReadFull(c, make([]byte, 1))
				done <- err
			}()
			go func() {
				_ = slowly(other, 100, 10, 500*time.Millisecond)
				_, _ = other.Write([]byte{1})
			}()
			for range 10 {
				if _, err := c.Write(make([]byte, 10)); err != nil {
					t.Error(err)
				}
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("nothing moves", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, other := pair(t)
			begin := time.Now()
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != stall {
				t.Errorf("read: %v after %v", err, time.Since(begin))
			}
			c = &stallingConn{c.Conn, stall}
			begin = time.Now()
			go func() { _, _ = io.ReadFull(other, make([]byte, 100_000)) }()
			n, err := c.Write(make([]byte, 200_000))
			if !errors.Is(err, os.ErrDeadlineExceeded) || n != 100_000 || time.Since(begin) != stall {
				t.Errorf("write: %d %v after %v", n, err, time.Since(begin))
			}
		})
	})
}
