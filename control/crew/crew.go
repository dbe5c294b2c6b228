// Package crew asks a cluster's nodes for what its Agent needs of them, wherever they run: it implements control.Fleet and most of control.Restorer over
// connections to the nodes (backends.Errand). A node gets the object store's settings and keys with each snapshot that it is asked for, over its connection and on no
// other way. What must hold: no secret is in an error. Methods may be called from any goroutine.
package crew

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"larder/backends"
	"larder/control"
	"larder/persistence"
	"larder/protocol/errands"
	"larder/router"
)

// Options say whose nodes are asked. All fields but Beside must be given.
type Options struct {
	Newest func() *router.Topology // that is known of the cluster, never nil
	// Beside gives the addresses of a shard's nodes that are not its primary; which of them has all its data the nodes themselves are asked. nil: those of the topology.
	Beside func(shard int) []string
	Auth   backends.Auth
	// Store gives the settings of the object store, as a process on another machine can use them.
	Store func() (persistence.Settings, error)
}

// Crew is a cluster's nodes.
type Crew struct{ o Options }

// New makes them.
func New(o Options) *Crew { return &Crew{o} }

// Topology implements control.Fleet.
func (c *Crew) Topology() *router.Topology { return c.o.Newest() }

// ask has a node do something; what it comes to is read into result.
func (c *Crew) ask(ctx context.Context, addr string, e backends.Errand, result any) error {
	text, err := e.Run(ctx, addr, c.o.Auth)
	if err == nil {
		err = json.Unmarshal(text, result)
	}
	return judge(ctx, err)
}

// judge makes of what a node, or the network, has said what an Agent decides on.
func judge(ctx context.Context, err error) error {
	failed, refused := (*backends.Failed)(nil), (*backends.Refused)(nil)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &refused):
		return err
	case !errors.As(err, &failed):
		return fmt.Errorf("%w: %w", control.ErrLost, err)
	}
	switch failed.Code {
	case errands.CodeBusy:
		return fmt.Errorf("%w: %w", control.ErrBusy, err)
	case errands.CodeTooSlow:
		return fmt.Errorf("%w: %w", control.ErrKept, err)
	case errands.CodeUnfit:
		return fmt.Errorf("%w: %w", errUnfit, err)
	}
	if known := persistence.ErrorOf(failed.Code); known != nil {
		return &told{failed.Text, known}
	}
	return err
}

// told is an error of a store that a node has told: its text says all.
type told struct {
	text string
	is   error
}

func (t *told) Error() string { return t.text }
func (t *told) Unwrap() error { return t.is }

// errUnfit: a node has not what it should have.
var errUnfit = errors.New("the node is not fit for it")

// Snapshot implements control.Fleet. It asks a replica that has all that its primary has, or else the primary.
func (c *Crew) Snapshot(ctx context.Context, shard int, to control.Object, progress func(control.Progress)) (control.Taken, error) {
	settings, err := c.o.Store()
	if err != nil {
		return control.Taken{}, err
	}
	s, err := c.shard(shard)
	if err != nil {
		return control.Taken{}, err
	}
	order := errands.Snapshot{
		Store: settings.Seal(), Begun: to.Begun, Folder: to.Folder, Object: to.Name, Level: to.Level, BytesPerSec: to.BytesPerSec, Linked: true,
	}
	for _, addr := range c.beside(shard, s) {
		taken, err := c.snapshot(ctx, addr, order, progress)
		if !errors.Is(err, errUnfit) && !errors.Is(err, backends.ErrUnreached) && !errors.Is(err, control.ErrBusy) {
			return taken, err
		}
	}
	order.Linked = false
	return c.snapshot(ctx, s.Primary.Addr, order, progress)
}

// beside are the addresses of a shard's nodes that are not its primary.
func (c *Crew) beside(shard int, s router.Shard) (addrs []string) {
	if c.o.Beside != nil {
		return c.o.Beside(shard)
	}
	for _, replica := range s.Replicas {
		addrs = append(addrs, replica.Addr)
	}
	return addrs
}

func (c *Crew) snapshot(ctx context.Context, addr string, order errands.Snapshot, progress func(control.Progress)) (control.Taken, error) {
	var t errands.Taken
	err := c.ask(ctx, addr, backends.Errand{Kind: errands.KindSnapshot, Order: &order, Told: func(s errands.State) {
		progress(control.Progress{Done: s.Done, Total: s.Total, Raw: s.Raw, Bytes: s.Bytes})
	}}, &t)
	return control.Taken{
		RawBytes: t.RawBytes, Bytes: t.Bytes, SHA256: t.SHA256, Node: t.Node, Replica: t.Replica, At: time.UnixMilli(t.AtMS).UTC(), Keys: t.Keys, Expiring: t.Expiring,
		Databases: t.Databases, ReplID: t.ReplID, ReplOffset: t.ReplOffset,
	}, err
}

func (c *Crew) shard(i int) (router.Shard, error) {
	shards := c.Topology().Shards
	switch {
	case i >= len(shards):
		return router.Shard{}, fmt.Errorf("there is no shard %d any more", i)
	case shards[i].Primary.External:
		return router.Shard{}, ErrStock
	}
	return shards[i], nil
}

// ErrStock is that the cluster's servers are others', which know nothing of errands.
var ErrStock = fmt.Errorf("%w: the cluster is made of servers of others: they are saved by their own means, and larder migrate brings their keys into a cluster of Larder's nodes", persistence.ErrInvalid)

// secrets are parameters that no manifest shows.
var secrets = map[string]bool{"requirepass": true, "masterauth": true, "masteruser": true, "tls-key-file-pass": true, "tls-client-key-file-pass": true}

// Settings implements control.Fleet: those of the first shard's primary, since all nodes of a cluster have the same.
func (c *Crew) Settings(ctx context.Context) (parameters map[string]string, users []string, err error) {
	s, err := c.shard(0)
	if err != nil {
		return nil, nil, err
	}
	node, err := backends.Dial(ctx, s.Primary.Addr, c.o.Auth)
	if err != nil {
		return nil, nil, err
	}
	defer node.Close()
	got, err := node.Do(ctx, "CONFIG", "GET", "*")
	if err != nil {
		return nil, nil, err
	}
	parameters = map[string]string{}
	for i := 0; i+1 < len(got.List); i += 2 {
		if name := got.List[i].Text; !secrets[name] {
			parameters[name] = got.List[i+1].Text
		}
	}
	list, err := node.Do(ctx, "ACL", "LIST")
	if err != nil {
		return nil, nil, err
	}
	for _, user := range list.List {
		users = append(users, user.Text)
	}
	return parameters, users, nil
}

// primary asks a shard's primary.
func (c *Crew) primary(ctx context.Context, shard int, e backends.Errand, result any) error {
	s, err := c.shard(shard)
	if err != nil {
		return err
	}
	return c.ask(ctx, s.Primary.Addr, e, result)
}

func selection(of router.Selection) errands.Selection {
	return errands.Selection{DB: of.DB, Prefix: of.Prefix, Slots: string(router.AppendRanges(nil, of.Slots))}
}

// Survey implements control.Restorer.
func (c *Crew) Survey(ctx context.Context, shard int, of router.Selection, libraries []string) (control.Survey, error) {
	order := errands.Survey{Of: selection(of)}
	for _, code := range libraries {
		order.Libraries = append(order.Libraries, []byte(code))
	}
	var v errands.Surveyed
	err := c.primary(ctx, shard, backends.Errand{Kind: errands.KindSurvey, Order: &order}, &v)
	return control.Survey(v), err
}

// Discard implements control.Restorer.
func (c *Crew) Discard(ctx context.Context, shard int, of router.Selection) (int64, error) {
	var d errands.Discarded
	err := c.primary(ctx, shard, backends.Errand{Kind: errands.KindDiscard, Order: selection(of)}, &d)
	return d.Keys, err
}

// Intake implements control.Restorer.
func (c *Crew) Intake(ctx context.Context, shard int, in *io.PipeReader, functions bool) (control.Intake, error) {
	s, err := c.shard(shard)
	if err != nil {
		return control.Intake{}, errors.Join(err, in.Close())
	}
	var t errands.TakenIn
	err = c.ask(ctx, s.Primary.Addr, backends.Errand{Kind: errands.KindIntake, Order: errands.Intake{Functions: functions}, Give: in}, &t)
	return control.Intake{Taken: t.Taken, Expired: t.Expired}, err
}
