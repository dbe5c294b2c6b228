package compare

import (
	"bytes"
	"cmp"
	"errors"

	"larder/backends/remote"
	"larder/persistence/digest"
	"larder/protocol/resp"
)

// read reads the keys on both sides: small values many at a time, large ones in parts, one after the other.
func (c *comparison) read(list []doubt) error {
	for len(list) > 0 {
		n := 1
		for n < len(list) && n < pageKeys && list[n].pair == list[0].pair {
			n++
		}
		if err := c.readSome(list[:n]); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// readSome is read for keys of one database.
func (c *comparison) readSome(list []doubt) error {
	if err := c.source.selectDB(list[0].from); err != nil {
		return err
	}
	if err := c.target.selectDB(list[0].to); err != nil {
		return err
	}
	if err := c.usages(list); err != nil {
		return err
	}
	small := make([]*doubt, 0, len(list))
	bytes := int64(0)
	for i := range list {
		d := &list[i]
		size := max(d.source.bytes, d.target.bytes)
		if size >= c.o.Large {
			if err := c.readBig(d); err != nil {
				return err
			}
			continue
		}
		small = append(small, d)
		if bytes += size; bytes >= flightBytes {
			if err := c.readSmall(small); err != nil {
				return err
			}
			small, bytes = small[:0], 0
		}
	}
	return c.readSmall(small)
}

func keysOf(list []*doubt) [][]byte {
	keys := make([][]byte, len(list))
	for i, d := range list {
		keys[i] = d.key
	}
	return keys
}

// usages asks how large the values are.
func (c *comparison) usages(list []doubt) error {
	keys := make([][]byte, len(list))
	for i := range list {
		keys[i] = list[i].key
		list[i].source, list[i].target = state{}, state{}
	}
	for _, s := range []*side{c.source, c.target} {
		if s.noUsage {
			continue
		}
		err := s.each(keys, [][]byte{[]byte("MEMORY"), []byte("USAGE")}, func(i int, reply resp.Value) {
			n, _ := reply.Int()
			list[i].of(c, s).bytes = n
		})
		switch {
		case remote.Denied(err):
			s.noUsage = true
		case err != nil:
			return err
		}
	}
	return nil
}

// of is what is known of a key on a side.
func (d *doubt) of(c *comparison, s *side) *state {
	if s == c.source {
		return &d.source
	}
	return &d.target
}

// readSmall reads values whole. Both sides are asked before either is heard, so they work at the same time.
func (c *comparison) readSmall(list []*doubt) error {
	if len(list) == 0 {
		return nil
	}
	keys := keysOf(list)
	for _, s := range []*side{c.source, c.target} {
		if err := s.askDumps(keys); err != nil {
			return err
		}
	}
	now := c.o.Now().UnixMilli()
	var failed [2]error // both are heard in any case, so that nothing is left on the way
	for i, s := range []*side{c.source, c.target} {
		failed[i] = s.takeDumps(keys, now, func(i int) *state { return list[i].of(c, s) })
	}
	return cmp.Or(failed[0], failed[1])
}

func (s *side) askDumps(keys [][]byte) error {
	for _, k := range keys {
		c := s.conn(k)
		c.Append([]byte("DUMP"), k)
		s.askExpiry(c, k)
	}
	return s.flush()
}

// askExpiry asks when a key dies: two replies or three.
func (s *side) askExpiry(c *remote.Conn, k []byte) {
	if !s.noTimes {
		c.Append([]byte("PEXPIRETIME"), k)
		return
	}
	c.AppendWords("TIME")
	c.Append([]byte("PTTL"), k)
	c.AppendWords("TIME")
}

// takeDumps takes all the replies, also behind an error, so that the connections can go on.
func (s *side) takeDumps(keys [][]byte, nowMS int64, of func(i int) *state) error {
	var first error
	for i, k := range keys {
		st := of(i)
		c := s.conn(k)
		err := s.takeDump(c, k, nowMS, st)
		if broken := s.takeExpiry(c, st); err == nil {
			err = broken
		}
		refused := (*remote.Refused)(nil)
		switch {
		case err == nil:
		case !errors.As(err, &refused) && !errors.Is(err, digest.ErrBroken):
			return s.failed(err)
		case first == nil:
			first = s.failed(err)
		}
	}
	return first
}

func (s *side) takeDump(c *remote.Conn, key []byte, nowMS int64, st *state) error {
	reply, err := c.Taken()
	if err != nil || reply.IsNull() {
		return err
	}
	payload, _ := reply.Bytes()
	st.there = true
	if st.value, err = digest.Payload(payload, nowMS); err != nil {
		return &brokenValue{key: bytes.Clone(key), err: err}
	}
	return nil
}

// takeExpiry takes what askExpiry asked for.
func (s *side) takeExpiry(c *remote.Conn, st *state) error {
	if !s.noTimes {
		reply, err := c.Taken()
		if err != nil {
			return err
		}
		at, _ := reply.Int()
		if st.early, st.late = 0, 0; at > 0 {
			st.early, st.late = at, at
		}
		return nil
	}
	var clock [2]int64
	left := int64(0)
	var failed error
	for i := range 3 {
		reply, err := c.Taken()
		switch {
		case err != nil:
			failed = err
		case i == 1:
			left, _ = reply.Int()
		default:
			clock[i/2] = milliseconds(reply)
		}
	}
	if st.early, st.late = 0, 0; left >= 0 && failed == nil {
		st.early, st.late = clock[0]+left, clock[1]+left+1
	}
	return failed
}

// milliseconds reads what TIME answers.
func milliseconds(reply resp.Value) int64 {
	const thousand = 1000
	parts := remote.Elements(reply)
	if len(parts) != 2 {
		return 0
	}
	seconds, _ := resp.ParseNumber(parts[0])
	micros, _ := resp.ParseNumber(parts[1])
	return seconds*thousand + micros/thousand
}
