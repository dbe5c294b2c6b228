package follow

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"larder/backends/remote"
	"larder/protocol/command"
	"larder/protocol/resp"
	"larder/router"
)

// sender gives commands to the target's primaries. It belongs to one goroutine.
type sender struct {
	target Target
	slots  []router.Range // of the source's primary; nil: all keys are its
	conns  map[string]*shardConn
	parser resp.Requests

	db          int // that the commands are in
	keys, bytes int64
}

// shardConn is a connection to a primary of the target, with what was said there and is not answered yet.
type shardConn struct {
	conn *remote.Conn
	db   int
	said []said
}

// said is a command on the way.
type said struct {
	name string
	key  string
}

// fatalError ends a migration: to try again would give the same.
type fatalError struct{ err error }

func (e *fatalError) Error() string { return e.err.Error() }

func newSender(target Target, slots []router.Range) *sender {
	s := &sender{target: target, slots: slots, conns: map[string]*shardConn{}}
	s.parser.Reset(resp.Limits{BulkMax: bulkMost})
	return s
}

const (
	bulkMost     = 1 << 40
	windowsBytes = 4 << 20 // said to one node before it is heard
)

func (s *sender) close() {
	for addr, c := range s.conns {
		c.conn.Close()
		delete(s.conns, addr)
	}
}

// send gives commands to where they belong, in order, and hears that all are done. After an error some may have run and others not, and no connection is left
// on which one could still be on its way.
func (s *sender) send(ctx context.Context, commands []byte) error {
	err := each(&s.parser, commands, func(args [][]byte, row *command.Row, key []byte) error { return s.say(ctx, args, row, key) })
	if err == nil {
		err = s.hear()
	}
	if err != nil {
		s.close()
	}
	return err
}

// each takes commands apart. Those of one key come with it.
func each(parser *resp.Requests, commands []byte, f func(args [][]byte, row *command.Row, key []byte) error) error {
	var at [4]int
	for len(commands) > 0 {
		r, n, state := parser.Next(commands)
		if state != resp.Done {
			return &fatalError{errors.New("the staging node tells what is no whole command")}
		}
		row, wrong := command.Resolve(r.Args)
		if row == nil {
			return &fatalError{fmt.Errorf("the staging node tells a command that is not known: %s", wrong)}
		}
		var key []byte
		if positions := row.KeyPositions(r.Args, at[:0]); len(positions) > 0 {
			key = r.Args[positions[0]]
		}
		if err := f(r.Args, row, key); err != nil {
			return err
		}
		commands = commands[n:]
	}
	return nil
}

// keysOf are the keys of commands; each: there are only commands of one key.
func keysOf(commands []byte) (keys []Key, only bool, err error) {
	var parser resp.Requests
	parser.Reset(resp.Limits{BulkMax: bulkMost})
	only, db := true, 0
	err = each(&parser, commands, func(args [][]byte, row *command.Row, key []byte) error {
		switch {
		case row.ID == command.CmdSelect:
			db, _ = strconv.Atoi(string(args[1]))
		case key == nil:
			only = false
		default:
			keys = append(keys, Key{db, string(key)})
		}
		return nil
	})
	return keys, only, err
}

func (s *sender) say(ctx context.Context, args [][]byte, row *command.Row, key []byte) error {
	switch {
	case row.ID == command.CmdSelect:
		s.db, _ = strconv.Atoi(string(args[1]))
		return nil
	case key == nil:
		return s.sayAll(ctx, args, row)
	}
	t := s.target.Topology()
	c, err := s.at(ctx, t.Shards[t.ShardOf(key)].Primary.Addr)
	if err != nil {
		return err
	}
	c.append(s.db, args, row.Name, string(key))
	s.keys++
	if c.conn.Pending() > windowsBytes {
		return c.hear(s)
	}
	return nil
}

// sayAll gives a command that concerns all keys to every primary, when all before it is done.
func (s *sender) sayAll(ctx context.Context, args [][]byte, row *command.Row) error {
	if err := s.hear(); err != nil {
		return err
	}
	if s.slots != nil && (row.ID == command.CmdFlushAll || row.ID == command.CmdFlushDB) {
		return s.clearSlots(ctx)
	}
	for _, shard := range s.target.Topology().Shards {
		c, err := s.at(ctx, shard.Primary.Addr)
		if err != nil {
			return err
		}
		c.append(s.db, args, row.Name, "")
	}
	return s.hear()
}

// at is the connection to a node.
func (s *sender) at(ctx context.Context, addr string) (*shardConn, error) {
	if c := s.conns[addr]; c != nil {
		return c, nil
	}
	conn, err := s.target.Dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	c := &shardConn{conn: conn}
	s.conns[addr] = c
	return c, nil
}

func (c *shardConn) append(db int, args [][]byte, name, key string) {
	if c.db != db {
		c.db = db
		c.conn.AppendWords("SELECT", strconv.Itoa(db))
		c.said = append(c.said, said{name: "select", key: strconv.Itoa(db)})
	}
	c.conn.Append(args...)
	c.said = append(c.said, said{name, key})
}

// hear waits for all replies.
func (s *sender) hear() error {
	for _, c := range s.conns {
		s.bytes += int64(c.conn.Pending())
		if err := c.conn.Flush(); err != nil {
			return err
		}
	}
	for _, c := range s.conns {
		if err := c.hear(s); err != nil {
			return err
		}
	}
	return nil
}

func (c *shardConn) hear(s *sender) error {
	s.bytes += int64(c.conn.Pending())
	if err := c.conn.Flush(); err != nil {
		return err
	}
	var failed error
	for _, q := range c.said {
		reply, err := c.conn.Reply()
		if err != nil {
			return err
		}
		if reply.Kind().IsError() && failed == nil {
			text, _ := reply.Bytes()
			failed = q.judge(c.conn.Addr, string(text))
		}
	}
	c.said = c.said[:0]
	return failed
}

// passing are what nodes say that may say something else soon.
var passing = []string{"LOADING", "STALE", "MOVED", "READONLY", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN", "NOREPLICAS", "UNKNOWN", "MISCONF", "BUSY"}

// judge says what an error of the target means.
func (q said) judge(addr, text string) error {
	word, _, _ := strings.Cut(text, " ")
	wrong := fmt.Errorf("node %s of the target answers %.64s of key %.100q: %s", addr, strings.ToUpper(q.name), q.key, text)
	switch {
	case word == "OOM":
		return fmt.Errorf("the target is out of memory (CONFIG SET maxmemory, or more shards): %w", wrong)
	case q.name == "select":
		return &fatalError{fmt.Errorf("the target has fewer databases than the source uses (engine.databases, gateway.databases): %w", wrong)}
	case word == "NOAUTH" || word == "NOPERM" || word == "WRONGPASS":
		return &fatalError{wrong}
	}
	for _, p := range passing {
		if word == p {
			return wrong
		}
	}
	switch q.name {
	case "restore", "unlink", "flushall", "flushdb", "swapdb", "function|restore":
		return &fatalError{wrong}
	}
	return wrong // the key is told by its result then
}

// clear empties the target of what the source's primary has.
func (s *sender) clear(ctx context.Context) error {
	s.db = 0
	if s.slots != nil {
		return s.clearSlots(ctx)
	}
	return s.sayAll(ctx, [][]byte{[]byte("FLUSHALL")}, command.ByID(command.CmdFlushAll))
}

// clearSlots removes the keys of the primary's slots, which are all in the first database.
func (s *sender) clearSlots(ctx context.Context) error {
	var err error
	for _, shard := range s.target.Topology().Shards {
		var c *shardConn
		if c, err = s.at(ctx, shard.Primary.Addr); err == nil {
			err = s.clearAt(c)
		}
		if err != nil {
			s.close()
			return err
		}
	}
	return nil
}

func (s *sender) clearAt(c *shardConn) error {
	if c.db != 0 {
		if _, err := c.conn.Do("SELECT", "0"); err != nil {
			return err
		}
		c.db = 0
	}
	for cursor := "0"; ; {
		reply, err := c.conn.Do("SCAN", cursor, "COUNT", "1000")
		if err != nil {
			return err
		}
		it := reply.Elements()
		next, _ := it.Next()
		list, _ := it.Next()
		text, _ := resp.Value(next).Bytes()
		words := []string{"UNLINK"}
		cursor = string(text)
		for _, key := range remote.Texts(list) {
			if s.owns(router.Slot([]byte(key))) {
				words = append(words, key)
			}
		}
		if len(words) > 1 {
			if _, err := c.conn.Do(words...); err != nil {
				return err
			}
		}
		if cursor == "0" {
			return nil
		}
	}
}

func (s *sender) owns(slot int) bool {
	for _, r := range s.slots {
		if slot >= r.From && slot <= r.To {
			return true
		}
	}
	return s.slots == nil
}
