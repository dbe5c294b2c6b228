package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"larder/persistence"
	"larder/persistence/snapshot"
	"larder/protocol/errands"
	"larder/router"
)

// errUnfit: the node has not what it should have for an errand.
var errUnfit = errors.New("the node is not fit for it")

// work does an errand, and gives what it comes to.
type work func(ctx context.Context) (result any, err error)

// job reads an order. What cannot be is refused at once.
func (n *Node) job(h *hired, order []byte) (work, error) {
	switch h.kind {
	case errands.KindSnapshot:
		return n.snapshotJob(h, order)
	case errands.KindSurvey:
		return n.surveyJob(order)
	case errands.KindDiscard:
		return n.discardJob(order)
	case errands.KindIntake:
		return n.intakeJob(h, order)
	}
	return nil, fmt.Errorf("there is no errand %.20q", h.kind)
}

// read reads an order. The error does not repeat it: it may have secrets.
func read(order []byte, into any) error {
	if json.Unmarshal(order, into) != nil {
		return errors.New("the errand's order cannot be read")
	}
	return nil
}

func selectionOf(of errands.Selection) (router.Selection, error) {
	db := ""
	if of.DB != router.AllDatabases {
		db = strconv.Itoa(of.DB)
	}
	return router.ParseSelection(db, string(of.Prefix), of.Slots)
}

func (n *Node) snapshotJob(h *hired, order []byte) (work, error) {
	var o errands.Snapshot
	if err := read(order, &o); err != nil {
		return nil, err
	}
	var settings persistence.Settings
	if err := read(o.Store, &settings); err != nil {
		return nil, err
	}
	if n.opts.OpenStore == nil {
		return nil, errors.New("this node knows no object stores")
	}
	return func(ctx context.Context) (result any, err error) {
		bucket, err := n.opts.OpenStore(settings)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, bucket.Close()) }()
		return n.snapshotTo(ctx, h, &o, snapshot.Store{Bucket: bucket})
	}, nil
}

// snapshotTo writes what the node has into the store, if that is the one that was meant.
func (n *Node) snapshotTo(ctx context.Context, h *hired, o *errands.Snapshot, to snapshot.Store) (any, error) {
	if o.Linked {
		if err := n.Whole(ctx); err != nil {
			return nil, fmt.Errorf("%w: %w", errUnfit, err)
		}
	}
	if _, err := to.Bucket.Stat(ctx, o.Begun); errors.Is(err, persistence.ErrNotFound) || errors.Is(err, persistence.ErrNoBucket) {
		return nil, fmt.Errorf("%w: what node %s finds at %s is not the object store that the controller has begun the snapshot in: a folder must be the same for all machines of a fleet, "+
			"on a disk that they share; else use an S3-compatible store", persistence.ErrNoBucket, n.id, to.Bucket.Place())
	} else if err != nil {
		return nil, fmt.Errorf("node %s: %w", n.id, err)
	}
	file, err := to.Upload(ctx, o.Folder, o.Object, snapshot.UploadOptions{
		Level: o.Level, BytesPerSec: o.BytesPerSec, Wait: pause, Now: time.Now,
		Moved: func(raw, bytes int) {
			h.note(func(s *errands.State) { s.Raw, s.Bytes = s.Raw+int64(raw), s.Bytes+int64(bytes) })
		},
	})
	if err != nil {
		return nil, err
	}
	t, err := n.Snapshot(ctx, file, func(done, total int64) {
		h.note(func(s *errands.State) { s.Done, s.Total = done, total })
	})
	if err != nil {
		return nil, err
	}
	var sizes snapshot.Shard
	file.Sizes(&sizes)
	return errands.Taken{
		Node: n.id, Replica: t.Replica, AtMS: t.AtMS, Keys: t.Keys, Expiring: t.Expiring, Databases: t.Databases, ReplID: t.ReplID, ReplOffset: t.ReplOffset,
		RawBytes: sizes.RawBytes, Bytes: sizes.Bytes, SHA256: sizes.SHA256,
	}, nil
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (n *Node) surveyJob(order []byte) (work, error) {
	var o errands.Survey
	if err := read(order, &o); err != nil {
		return nil, err
	}
	of, err := selectionOf(o.Of)
	if err != nil {
		return nil, err
	}
	var libraries []string
	for _, code := range o.Libraries {
		libraries = append(libraries, string(code))
	}
	return func(ctx context.Context) (any, error) {
		v, err := n.Survey(ctx, of, libraries)
		return errands.Surveyed(v), err
	}, nil
}

func (n *Node) discardJob(order []byte) (work, error) {
	var o errands.Selection
	if err := read(order, &o); err != nil {
		return nil, err
	}
	of, err := selectionOf(o)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (any, error) {
		removed, err := n.Discard(ctx, of)
		return errands.Discarded{Keys: removed}, err
	}, nil
}

func (n *Node) intakeJob(h *hired, order []byte) (work, error) {
	var o errands.Intake
	if err := read(order, &o); err != nil {
		return nil, err
	}
	h.feed = newFeed()
	return func(ctx context.Context) (any, error) {
		h.feed.ctx = ctx
		of := &Intake{In: h.feed, Functions: o.Functions}
		err := n.Intake(ctx, of)
		return errands.TakenIn{Taken: of.Taken, Expired: of.Expired}, err
	}, nil
}
