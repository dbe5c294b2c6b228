package app

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"larder/backends/registry"
	leading "larder/control/fleet"
)

// stack is what runs in the process. Parts are started one after the other and stopped in the opposite order. It
// belongs to the goroutine that made it.
type stack struct {
	ctx   context.Context // ends when the process is asked to stop, or a part has ended by itself
	end   context.CancelFunc
	group errgroup.Group
	parts []*running
}

type running struct {
	stop  context.CancelFunc
	ended chan struct{}
}

// errEnding is start's answer when there is no use in going on; why is finish's to say.
var errEnding = errors.New("the process ends")

func newStack(ctx context.Context) *stack {
	s := &stack{}
	s.ctx, s.end = context.WithCancel(ctx)
	return s
}

// start runs a part and waits until it is ready. One without a name says itself what its errors are of. The part's context ends when its turn to stop has come.
func (s *stack) start(name string, run func(context.Context) error, ready <-chan struct{}) error {
	ctx, stop := context.WithCancel(context.WithoutCancel(s.ctx))
	p := &running{stop: stop, ended: make(chan struct{})}
	s.parts = append(s.parts, p)
	s.group.Go(func() error {
		defer close(p.ended)
		defer s.end()
		err := run(ctx)
		if err != nil && name != "" {
			err = fmt.Errorf("%s: %w", name, err)
		}
		return err
	})
	select {
	case <-ready:
		return nil
	case <-p.ended:
		return errEnding
	case <-s.ctx.Done():
		return errEnding
	}
}

// wait blocks until the process is asked to stop or a part has ended by itself.
func (s *stack) wait() { <-s.ctx.Done() }

// finish stops all parts, the last first, each when the one before has ended. It returns what went wrong first: in a
// part, or err, which kept the role from starting.
func (s *stack) finish(err error) error {
	s.end()
	for i := len(s.parts) - 1; i >= 0; i-- {
		s.parts[i].stop()
		<-s.parts[i].ended
	}
	if failed := s.group.Wait(); failed != nil {
		return failed
	}
	if errors.Is(err, errEnding) {
		return nil
	}
	return err
}

// run serves until ctx ends.
func (m *monitor) run(ctx context.Context) error {
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		m.close()
	})
	err := m.server.Serve(m.listener)
	if stop() {
		return err // it ended by itself
	}
	<-closed
	return nil
}

// start runs the node until Close.
func (s *staging) start() {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	s.stop, s.ended = stop, ended
	go func() { ended <- s.node.Run(ctx) }()
}

// run runs a node until it is stopped or ends by itself.
func (n *nodes) run(name string, p *inside) {
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	go func() {
		defer close(p.ended)
		p.err = p.node.Run(ctx)
		stop()
		n.over(name, p)
	}()
}

// look waits until the process ends, or a node that its start needs cannot run. It ends when all nodes have.
func (n *nodes) look(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return n.end()
	case err := <-n.failure:
		return errors.Join(err, n.end())
	}
}

// run looks after the clusters in each term of this process, until ctx ends. begun is closed once the first cluster is looked after, or another process leads.
func (m *minder) run(ctx context.Context, begun chan struct{}) error {
	others := time.NewTicker(elsewhereEvery)
	defer others.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-begun:
			others.Stop()
			begun = nil
		case <-others.C:
			if v := m.leader.View(); begun != nil && !v.Leads && v.Leader.ID != "" {
				close(begun)
			}
		case term := <-m.leader.Terms():
			if err := m.look(ctx, term, begun); err != nil {
				return err
			}
		}
	}
}

// elsewhereEvery is how often it is looked whether another process leads, while somebody waits for this one to.
const elsewhereEvery = 20 * time.Millisecond

// look looks after the clusters in one term. begun is nil once nobody waits for that any more.
func (m *minder) look(ctx context.Context, term leading.Term, begun chan struct{}) error {
	inner, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(term.Ctx, stop)()
	all := m.tenure(term)
	if begun == nil {
		begun, all.first = make(chan struct{}), ""
	}
	m.set(all)
	defer m.set(nil)
	return all.run(inner, term.Store, begun)
}

// run follows the registry and serves what is wanted, until ctx ends. begun is closed once the first cluster is served.
func (c *clusters) run(ctx context.Context, r registry.Store, begun chan<- struct{}) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		registry.Follow(ctx, r, registry.Follower{
			Prefix: clustersPrefix, Told: c.read, Lost: func(error) {}, Dice: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
		})
		return nil
	})
	group.Go(func() error { return c.settling(ctx, begun) })
	return group.Wait()
}
