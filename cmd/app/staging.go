package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"larder/backends/remote"
	"larder/control/migrate/follow"
	"larder/engine"
)

// staging is a node that follows a migration's source. It serves nobody.
type staging struct {
	node  *engine.Node
	dir   string
	stop  context.CancelFunc
	ended <-chan error
}

// stage starts one. It keeps nothing: its folder goes with it.
func (c *minded) stage(ctx context.Context, name string, databases int) (follow.Staging, error) {
	dir, err := c.stages(name)
	if err != nil {
		return nil, err
	}
	o := engine.DefaultOptions()
	o.ID, o.Dir, o.Listen, o.Access, o.Databases, o.Results = name, dir, "127.0.0.1:0", nil, databases, true
	o.QueryMaxBytes, o.BulkMaxBytes, o.RDBChecksum = stagingMost, stagingMost, true
	node, err := engine.New(o, c.env.Log, nil)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s := &staging{node: node, dir: dir}
	s.start()
	select {
	case <-node.Ready():
		return s, nil
	case err := <-s.ended:
		s.stop()
		return nil, errors.Join(fmt.Errorf("staging node %s", name), err, os.RemoveAll(dir))
	case <-ctx.Done():
		return nil, errors.Join(context.Cause(ctx), s.Close())
	}
}

// stagingMost bounds what a source may say at once, bytes: whatever it has.
const stagingMost = 1 << 40

// Follow implements follow.Staging.
func (s *staging) Follow(ctx context.Context, addr string, login remote.Login) error {
	if filepath.IsAbs(addr) {
		return s.node.FollowPrimary(ctx, addr, 0, login.User, login.Password)
	}
	host, number, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	return s.node.FollowPrimary(ctx, host, port, login.User, login.Password)
}

// Next implements follow.Staging.
func (s *staging) Next(ctx context.Context) (follow.Piece, error) {
	p, err := s.node.NextResults(ctx)
	return follow.Piece{
		Anew: p.Anew, Commands: p.Commands, Swaps: p.Swaps, Made: time.UnixMilli(p.MadeMS), ID: p.ID, Offset: p.Offset,
		Copying: p.Copying, Copied: p.Copied, Total: p.Total, Pending: p.Pending,
	}, err
}

// Again implements follow.Staging.
func (s *staging) Again(ctx context.Context, keys []follow.Key, swaps uint64) error {
	all := make([]engine.ResultKey, len(keys))
	for i, k := range keys {
		all[i] = engine.ResultKey(k)
	}
	err := s.node.ResultsAgain(ctx, all, swaps)
	if errors.Is(err, engine.ErrResultsMoved) {
		return follow.ErrMoved
	}
	return err
}

// Anew implements follow.Staging.
func (s *staging) Anew(ctx context.Context) error { return s.node.ResultsAnew(ctx) }

// Link implements follow.Staging.
func (s *staging) Link(ctx context.Context) (follow.Link, error) {
	l, err := s.node.Link(ctx)
	return follow.Link{
		Following: l.Following, Offset: l.Offset, Reason: l.Reason, Faults: l.Faults, LastFault: l.LastFault, Read: l.Read, Size: l.Size,
	}, err
}

// Close implements follow.Staging.
func (s *staging) Close() error {
	s.stop()
	return errors.Join(<-s.ended, os.RemoveAll(s.dir))
}
