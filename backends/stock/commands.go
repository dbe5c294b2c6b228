package stock

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"larder/backends"
	"larder/protocol/command"
	"larder/router"
)

const (
	lookEvery  = 5 * time.Second        // a module may be loaded, or a server replaced, at any time
	turnEvery  = 200 * time.Millisecond // how soon another topology is seen
	askWithin  = 2 * time.Second
	askAtOnce  = 16
	moduleText = 1 << 16 // bytes of MODULE LIST that are compared
)

// Commands knows what the stock servers among a topology's primaries have for commands, and tells it on. Look and Run are of one goroutine.
type Commands struct {
	o       Options
	seen    *router.Topology
	servers map[string]*server
	told    *command.Overlay
}

// Options are what Commands goes by.
type Options struct {
	Auth     backends.Auth
	Topology func() *router.Topology
	Told     bool                   // the topology says which of its nodes are stock servers; else all are asked whether they are
	Extend   func(*command.Overlay) // is told of each that is another than the last, with a greater version
	Log      *slog.Logger
}

// server is one that is asked.
type server struct {
	addr  string
	admin *backends.Admin // nil: not connected
	ours  bool            // it speaks the dialect: its commands are the table's
	sign  string          // what tells that its commands are as they were
	rows  []command.Row
	wrong string // why it could not be asked the last time
}

// New asks nobody yet.
func New(o Options) *Commands { return &Commands{o: o, servers: map[string]*server{}} }

// Look asks all servers, at most for askWithin, and tells what is new.
func (c *Commands) Look(ctx context.Context) {
	c.follow(c.o.Topology())
	c.askAll(ctx)
	var tables [][]command.Row
	for _, shard := range c.seen.Shards { // in their order: what is told is the same each time
		if s := c.servers[shard.Primary.Addr]; s != nil && len(s.rows) > 0 {
			tables = append(tables, s.rows)
		}
	}
	next := command.NewOverlay(c.told.Version()+1, tables...)
	if !next.Equal(c.told) {
		c.told = next
		c.o.Extend(next)
	}
}

// follow keeps the servers those that are primaries now. A shard's new one is believed to have the commands of the one before, until it has been asked.
func (c *Commands) follow(t *router.Topology) {
	if t == c.seen {
		return
	}
	var before []router.Shard
	if c.seen != nil {
		before = c.seen.Shards
	}
	last := c.servers
	c.seen, c.servers = t, map[string]*server{}
	for i, shard := range t.Shards {
		if c.o.Told && !shard.Primary.External {
			continue
		}
		addr := shard.Primary.Addr
		s := last[addr]
		if s == nil {
			s = &server{addr: addr}
			if i < len(before) && last[before[i].Primary.Addr] != nil {
				s.rows = last[before[i].Primary.Addr].rows
			}
		}
		s.ours = false // another may have its address
		c.servers[addr] = s
	}
	for addr, s := range last {
		if c.servers[addr] == nil {
			s.hangUp()
		}
	}
}

// ask asks a server whether its commands are others, and if so for them. What could not be learned leaves what is known.
func (c *Commands) ask(ctx context.Context, s *server) {
	if s.ours {
		return
	}
	within, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	err := s.learn(within, c.o.Auth)
	text := ""
	if err != nil {
		s.hangUp()
		text = err.Error()
	}
	if text != s.wrong && ctx.Err() == nil {
		if s.wrong = text; err != nil {
			c.o.Log.Warn("a stock server's commands cannot be asked for; those that are known are routed", "server", s.addr, "error", err)
		}
	}
}

// learn has the server's commands be known.
func (s *server) learn(ctx context.Context, auth backends.Auth) error {
	if s.admin == nil {
		admin, err := backends.Dial(ctx, s.addr, auth)
		if err != nil {
			return err
		}
		s.admin = admin
		if _, err := admin.Do(ctx, "LARDER", "HELLO", "1"); err == nil {
			s.ours, s.rows, s.sign = true, nil, ""
			s.hangUp()
			return nil
		} else if !refused(err) {
			return err
		}
	}
	sign, err := s.signNow(ctx)
	if err != nil || sign == s.sign {
		return err
	}
	rows, err := Table(ctx, s.admin)
	if err != nil {
		return err
	}
	s.rows, s.sign = rows, sign
	return nil
}

// signNow is a short text that changes when the server's commands do: which run of it this is, its modules, and how many commands it has.
func (s *server) signNow(ctx context.Context) (string, error) {
	info, err := s.admin.Do(ctx, "INFO", "server")
	if err != nil {
		return "", err
	}
	_, run, _ := strings.Cut(info.Text, "run_id:")
	run, _, _ = strings.Cut(run, "\r\n")
	count, err := s.admin.Do(ctx, "COMMAND", "COUNT")
	if err != nil {
		return "", err
	}
	modules, err := s.admin.Do(ctx, "MODULE", "LIST")
	if err != nil && !refused(err) {
		return "", err
	}
	list := fmt.Sprint(modules)
	return run + " " + count.Text + " " + list[:min(len(list), moduleText)], nil
}

func refused(err error) bool {
	var r *backends.Refused
	return errors.As(err, &r)
}

func (s *server) hangUp() {
	if s.admin != nil {
		_ = s.admin.Close()
		s.admin = nil
	}
}
