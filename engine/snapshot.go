package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"larder/engine/shard"
	"larder/engine/store"
)

// A snapshot for an object store is a pass to a file of the caller's: what the store's link takes no longer stops the pass, not the node.

// SnapshotFile takes what the node has, as an RDB file without its checksum, which Commit appends. Its methods are called by one goroutine of the node's, but
// for Interrupt, which any may call: it has a Write that waits return that error. Exactly one of Commit and Abandon is called last. snapshot.Upload is one.
type SnapshotFile interface {
	passFile
	Interrupt(err error)
}

// SnapshotTaken is what there was at the moment that a snapshot shows.
type SnapshotTaken struct {
	AtMS           int64 // by the node's clock
	Keys, Expiring int64
	Databases      int
	Replica        bool
	ReplID         string // the node's history, and where in it
	ReplOffset     int64
}

// What callers of Snapshot decide on, by errors.Is.
var (
	// ErrBusy: as many passes as can be are under way; nothing was begun. Try again later.
	ErrBusy = errors.New("the node writes as many copies of its data as it can at once")
	// ErrKept: writes have overwritten more than may be kept while the snapshot waited for its file. Try again when the store is faster, or writes are fewer.
	ErrKept = store.ErrKept
)

// Snapshot writes what the node has at one moment into file, while commands go on, and returns when the file is committed, or given up. progress is told on
// the node's loop how many keys were written and how many there are, now and then; nil = nobody is. Errors: ErrBusy, ErrKept, errors of file's, ctx's.
func (n *Node) Snapshot(ctx context.Context, file SnapshotFile, progress func(done, total int64)) (SnapshotTaken, error) {
	s := &snapshotting{file: file, progress: progress, over: make(chan error, 1)}
	l := n.loop.Load()
	if l == nil {
		return SnapshotTaken{}, errors.Join(errNotReady, file.Abandon())
	}
	l.Post(func() { s.begin(n.part) })
	var err error
	select {
	case err = <-s.over:
	case <-ctx.Done():
		file.Interrupt(context.Cause(ctx))
		l.Post(func() { s.cancel(context.Cause(ctx)) })
		select {
		case err = <-s.over:
		case <-n.ended:
			err = errEnded
		}
	case <-n.ended:
		err = errEnded
	}
	if errors.Is(err, errEnded) && !s.begun {
		err = errors.Join(err, file.Abandon())
	}
	return s.taken, err
}

// snapshotting is one under way. It is the loop's.
type snapshotting struct {
	file     SnapshotFile
	progress func(done, total int64)
	begun    bool // the file is the node's to end
	pass     *pass
	taken    SnapshotTaken
	over     chan error // told once
}

func (s *snapshotting) begin(p *part) {
	s.begun = true
	if err := p.fit(); err != nil {
		s.over <- errors.Join(err, s.file.Abandon())
		return
	}
	p.enter()
	sink := p.sinkTo(s.file, s.file.Interrupt, func(err error) { s.over <- s.explain(p, err) })
	q, err := p.beginPass(passOptions{}, sink)
	if err != nil {
		if errors.Is(err, store.ErrPasses) {
			err = ErrBusy
		}
		sink.end(err)
		return
	}
	sink.pass, s.pass = q, q
	q.progress = s.progress
	s.taken = SnapshotTaken{
		AtMS: q.nowMS, Keys: int64(q.total()), Databases: p.store.Databases(), Replica: p.link != nil, ReplID: p.stream.past.ID, ReplOffset: p.stream.past.End(),
	}
	for _, expires := range q.expires {
		s.taken.Expiring += int64(expires)
	}
	p.n.log.Info("snapshot began", "node", p.n.id, "keys", s.taken.Keys)
}

func (s *snapshotting) explain(p *part, err error) error {
	if err != nil {
		return fmt.Errorf("snapshot of node %s: %w", p.n.id, p.explainSave(err))
	}
	return nil
}

func (s *snapshotting) cancel(err error) {
	if s.pass != nil {
		s.pass.cancel(err)
	}
}

// Whole answers nil if the node serves all the data it is to have: a replica, if its link stands. It is for who chooses between nodes.
func (n *Node) Whole(ctx context.Context) error {
	return n.asked(ctx, func(p *part) error {
		if err := p.fit(); err != nil {
			return err
		}
		if p.link != nil && p.link.phase != linkFollowing {
			return errors.New("the node is not linked to its primary")
		}
		if p.link == nil && p.reign != nil && p.reign.role != shard.Primary {
			return errors.New("the node has no primary that it follows")
		}
		return nil
	})
}

// Loaded waits until the node serves what it was started with. Errors: ctx's, or that the node has ended; why is Run's to say.
func (n *Node) Loaded(ctx context.Context) error {
	for {
		err := n.Healthy(ctx)
		if !errors.Is(err, errLoading) {
			return err
		}
		select {
		case <-time.After(loadedEvery):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// loadedEvery is how often Loaded looks.
const loadedEvery = 20 * time.Millisecond
