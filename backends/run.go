package backends

import (
	"context"
	"io"
	"sync"
	"time"

	"larder/backends/registry"
	"larder/protocol/errands"
	"larder/router"
)

// bound makes the connection's calls fail once ctx ends. What it returns is called after them and says whether ctx still held.
func (a *Admin) bound(ctx context.Context) (held func() bool) {
	return context.AfterFunc(ctx, func() { _ = a.conn.SetDeadline(time.Unix(1, 0)) }) // long past
}

// Watch implements router.Source. One caller at a time. A goroutine follows each cluster that counts.
func (s *Pointed) Watch(ctx context.Context, changed func(*router.Topology)) error {
	var group sync.WaitGroup
	defer group.Wait()
	s.mu.Lock()
	s.changed, s.running = changed, map[string]context.CancelFunc{}
	s.start = func(cluster string) context.CancelFunc {
		inner, stop := context.WithCancel(ctx)
		source := s.following(cluster)
		group.Go(func() {
			_ = source.Watch(inner, func(t *router.Topology) { s.take(inner, cluster, t) }) // it returns nil
		})
		return stop
	}
	s.mu.Unlock()
	registry.Follow(ctx, s.registry, s.followsEndpoint(s.point))
	return nil
}

// reading reads what is to be given on a goroutine of its own: it may wait for whoever writes it while the node is to be asked. stop closes it, and waits.
func (r *erranding) reading() (pieces <-chan piece, stop func()) {
	out, done, ended := make(chan piece), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			buf := make([]byte, errands.PieceMax)
			n, err := r.Give.Read(buf)
			if n > 0 {
				select {
				case out <- piece{bytes: buf[:n]}:
				case <-done:
					return
				}
			}
			if err != nil {
				last := piece{err: err}
				if err == io.EOF { // by the contract of io.Reader the end is bare
					last = piece{ended: true}
				}
				select {
				case out <- last:
				case <-done:
				}
				return
			}
		}
	}()
	return out, func() {
		close(done)
		_ = r.Give.Close() // a pipe, whose reader learns so
		<-ended
	}
}
