package compare

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"larder/backends/remote"
	"larder/protocol/resp"
	"larder/router"
)

// side is one of the two keyspaces: a connection to each of its primaries.
type side struct {
	ctx       context.Context
	addr      remote.Address
	what      string // source or target, for users
	primaries []remote.Primary
	conns     []*remote.Conn // in the order of primaries
	owner     []int          // of each slot, if there are several

	noTimes bool // it has no PEXPIRETIME: Redis 6.2 and older
	noUsage bool // it refuses MEMORY USAGE
}

func open(ctx context.Context, a remote.Address, what string) (*side, error) {
	s := &side{ctx: ctx, addr: a, what: what}
	if err := s.connect(); err != nil {
		s.close()
		return nil, fmt.Errorf("%s %s: %w", what, a, err)
	}
	_, err := s.conns[0].Do("PEXPIRETIME", "")
	s.noTimes = remote.Denied(err)
	return s, nil
}

func (s *side) connect() error {
	list, err := s.addr.Primaries(s.ctx)
	if err != nil {
		return err
	}
	s.close()
	s.primaries, s.conns, s.owner = list, nil, nil
	a := s.addr
	a.DB = remote.AllDBs
	for i, p := range list {
		c, err := a.Dial(s.ctx, p.Addr)
		if err != nil {
			return err
		}
		s.conns = append(s.conns, c)
		for _, r := range p.Slots {
			if s.owner == nil {
				s.owner = make([]int, slotsInAll)
			}
			for slot := r.From; slot <= r.To; slot++ {
				s.owner[slot] = i
			}
		}
	}
	return nil
}

func (s *side) close() {
	for _, c := range s.conns {
		c.Close()
	}
}

// conn is the connection to who has a key.
func (s *side) conn(key []byte) *remote.Conn {
	if s.owner == nil {
		return s.conns[0]
	}
	return s.conns[s.owner[router.Slot(key)]]
}

func (s *side) selectDB(db int) error {
	for _, c := range s.conns {
		if err := c.Select(db); err != nil {
			return s.failed(err)
		}
	}
	return nil
}

func (s *side) flush() error {
	for _, c := range s.conns {
		if err := c.Flush(); err != nil {
			return s.failed(err)
		}
	}
	return nil
}

// failed says whose error it is, and what to do about those that can be foreseen.
func (s *side) failed(err error) error {
	refused := (*remote.Refused)(nil)
	if errors.As(err, &refused) {
		for code, advice := range map[string]string{
			"MOVED ": "slots move between its nodes: compare again when that has ended",
			"ASK ":   "slots move between its nodes: compare again when that has ended",
			"NOPERM": "its user must be allowed +@read, +select and +info",
			"NOAUTH": "it wants a password, which stands in its address",
		} {
			if strings.HasPrefix(refused.Text, code) {
				return fmt.Errorf("the %s: %w (%s)", s.what, err, advice)
			}
		}
	}
	return fmt.Errorf("the %s: %w", s.what, err)
}

// size is what a server counts in a database.
type size struct{ keys, expiring int64 }

// sizes asks for the counts of all databases.
func (s *side) sizes() (map[int]size, error) {
	all := map[int]size{}
	for _, c := range s.conns {
		info, err := c.Info("keyspace")
		if remote.Denied(err) {
			return s.probed()
		}
		if err != nil {
			return nil, s.failed(err)
		}
		for name, text := range info {
			number, ok := strings.CutPrefix(name, "db")
			db, err := strconv.Atoi(number)
			if !ok || err != nil {
				continue
			}
			var one size
			if _, err := fmt.Sscanf(text, "keys=%d,expires=%d", &one.keys, &one.expiring); err != nil {
				return nil, s.failed(fmt.Errorf("INFO says %q of database %d", text, db))
			}
			all[db] = size{all[db].keys + one.keys, all[db].expiring + one.expiring}
		}
	}
	return all, nil
}

// probed is sizes for who may not ask INFO.
func (s *side) probed() (map[int]size, error) {
	const usual = 16 // databases, where nothing else is configured
	all := map[int]size{}
	for db := range usual {
		refused := (*remote.Refused)(nil)
		err := s.selectDB(db)
		if errors.As(err, &refused) {
			break
		}
		if err != nil {
			return nil, err
		}
		for _, c := range s.conns {
			reply, err := c.Do("DBSIZE")
			if err != nil {
				return nil, s.failed(err)
			}
			n, _ := reply.Int()
			all[db] = size{keys: all[db].keys + n}
		}
	}
	return all, nil
}

// scan gives each page of keys of a database to do, which may keep them.
func (s *side) scan(db int, do func(keys [][]byte) error) error {
	for i := range s.conns {
		for cursor := "0"; ; {
			if err := s.selectDB(db); err != nil {
				return err
			}
			reply, err := s.conns[i].Do("SCAN", cursor, "COUNT", strconv.Itoa(pageKeys))
			if err != nil {
				return s.failed(err)
			}
			next, keys := remote.Page(reply)
			cursor = next
			if err := do(ownKeys(keys)); err != nil {
				return err
			}
			if cursor == "0" {
				break
			}
			if cursor == "" {
				return s.failed(fmt.Errorf("SCAN answers %.100q", reply))
			}
		}
	}
	return nil
}

// exist asks which keys there are.
func (s *side) exist(db int, keys [][]byte) ([]bool, error) {
	if err := s.selectDB(db); err != nil {
		return nil, err
	}
	there := make([]bool, len(keys))
	err := s.each(keys, [][]byte{[]byte("EXISTS")}, func(i int, reply resp.Value) {
		n, _ := reply.Int()
		there[i] = n > 0
	})
	return there, err
}

// each says one command of each key, some words and the key behind, and gives the replies.
func (s *side) each(keys, words [][]byte, take func(i int, reply resp.Value)) error {
	for _, k := range keys {
		s.conn(k).Append(append(words[:len(words):len(words)], k)...)
	}
	if err := s.flush(); err != nil {
		return err
	}
	var first error
	for i, k := range keys {
		reply, err := s.conn(k).Taken()
		refused := (*remote.Refused)(nil)
		switch {
		case errors.As(err, &refused):
			if first == nil {
				first = s.failed(err)
			}
		case err != nil:
			return s.failed(err)
		default:
			take(i, reply)
		}
	}
	return first
}

// libraries are the functions' code by the names of their libraries; not ok: it has none or does not tell.
func (s *side) libraries() (list map[string]string, ok bool, err error) {
	reply, err := s.conns[0].Do("FUNCTION", "LIST", "WITHCODE")
	if remote.Denied(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, s.failed(err)
	}
	list = map[string]string{}
	for it := reply.Elements(); it.Left() > 0; {
		library, _ := it.Next()
		name, code := "", ""
		for fields := resp.Elements(library); fields.Left() > 1; {
			field, _ := fields.Next()
			value, _ := fields.Next()
			label, _ := resp.Value(field).Bytes()
			text, _ := resp.Value(value).Bytes()
			switch string(label) {
			case "library_name":
				name = string(text)
			case "library_code":
				code = string(text)
			}
		}
		list[name] = code
	}
	return list, true, nil
}

// note tells what a side did not let do.
func (s *side) note(r *Report) {
	if s.noUsage {
		r.Notes = append(r.Notes, "the "+s.what+" refuses MEMORY USAGE: large values were read whole, by DUMP")
	}
	if s.noTimes {
		r.Notes = append(r.Notes, "the "+s.what+" does not know PEXPIRETIME: its expiries were computed by its clock")
	}
}
