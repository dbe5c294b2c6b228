package compare

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"larder/backends/remote"
	"larder/persistence/digest"
	"larder/protocol/resp"
)

const (
	partBytes    = 1 << 20 // of a text that are read at once
	partElements = 1000    // of a collection: at most so many, fewer where they are large
)

// brokenValue is what gives a key whose value cannot be read.
type brokenValue struct {
	key []byte
	err error
}

func (e *brokenValue) Error() string { return fmt.Sprintf("DUMP of key %q: %v", e.key, e.err) }

func (e *brokenValue) Unwrap() error { return e.err }

// readBig reads a value in parts on one side after the other, so that neither server does anything for long. A value that is changed meanwhile has a digest
// of neither what it was nor what it is; then it differs, and is read again.
func (c *comparison) readBig(d *doubt) error {
	for _, s := range []*side{c.source, c.target} {
		st := d.of(c, s)
		err := s.readBig(d.key, st, c.o.Now().UnixMilli())
		refused := (*remote.Refused)(nil)
		switch {
		case err == nil:
		case errors.As(err, &refused) && strings.HasPrefix(refused.Text, "WRONGTYPE"):
			st.torn = true
		default:
			return s.failed(err)
		}
	}
	return nil
}

func (s *side) readBig(key []byte, st *state, nowMS int64) error {
	c := s.conn(key)
	k := string(key)
	reply, err := c.Do("TYPE", k)
	if err != nil {
		return err
	}
	kind, _ := reply.Bytes()
	b := &parts{c: c, key: k, kind: string(kind), now: nowMS, each: partElements}
	switch b.kind {
	case "none":
		return nil
	case digest.String:
		err = b.text()
	case digest.List:
		err = b.list()
	case digest.Hash, digest.Set, digest.ZSet:
		err = b.scan(st.bytes)
	default: // a stream is packed and quickly dumped; a module's value nobody else can read
		c.AppendWords("DUMP", k)
		if err = c.Flush(); err == nil {
			err = s.takeDump(c, key, nowMS, st)
		}
		if err != nil {
			return err
		}
		b = nil
	}
	if err != nil {
		return err
	}
	if b != nil {
		st.value, st.there = b.b.Value(), true
		st.there = st.value.Elements > 0 || b.kind == digest.String
	}
	s.askExpiry(c, key)
	if err := c.Flush(); err != nil {
		return err
	}
	return s.takeExpiry(c, st)
}

// parts reads one value.
type parts struct {
	c    *remote.Conn
	key  string
	kind string
	now  int64
	each int
	b    *digest.Builder

	noFieldTimes bool // its fields cannot die
}

func (p *parts) text() error {
	p.b = digest.New(digest.String)
	for at := 0; ; at += partBytes {
		reply, err := p.c.Do("GETRANGE", p.key, strconv.Itoa(at), strconv.Itoa(at+partBytes-1))
		if err != nil {
			return err
		}
		part, _ := reply.Bytes()
		p.b.Text(part)
		if len(part) < partBytes {
			return nil
		}
	}
}

func (p *parts) list() error {
	p.b = digest.New(digest.List)
	for at := 0; ; at += p.each {
		reply, err := p.c.Do("LRANGE", p.key, strconv.Itoa(at), strconv.Itoa(at+p.each-1))
		if err != nil {
			return err
		}
		part := remote.Elements(reply)
		for _, element := range part {
			p.b.Element(element)
		}
		if len(part) < p.each {
			return nil
		}
	}
}

// scan reads a hash, a set or a sorted set of so many bytes in memory.
func (p *parts) scan(bytes int64) error {
	words := map[string][2]string{digest.Hash: {"HSCAN", "HLEN"}, digest.Set: {"SSCAN", "SCARD"}, digest.ZSet: {"ZSCAN", "ZCARD"}}[p.kind]
	reply, err := p.c.Do(words[1], p.key)
	if err != nil {
		return err
	}
	if n, _ := reply.Int(); n > 0 && bytes > 0 {
		p.each = int(max(1, min(partElements, n*partBytes/bytes)))
	}
	p.b = digest.NewScanned(p.kind)
	for cursor := "0"; ; {
		reply, err := p.c.Do(words[0], p.key, cursor, "COUNT", strconv.Itoa(p.each))
		if err != nil {
			return err
		}
		next, elements := remote.Page(reply)
		if err := p.add(elements); err != nil {
			return err
		}
		if cursor = next; cursor == "0" {
			return nil
		}
		if cursor == "" {
			return fmt.Errorf("%s answers what cannot be understood", words[0])
		}
	}
}

func (p *parts) add(elements [][]byte) error {
	switch p.kind {
	case digest.Set:
		for _, member := range elements {
			p.b.Member(member)
		}
	case digest.ZSet:
		for i := 0; i+1 < len(elements); i += 2 {
			score, err := strconv.ParseFloat(string(elements[i+1]), 64)
			if err != nil {
				return fmt.Errorf("ZSCAN answers the score %q", elements[i+1])
			}
			p.b.Scored(elements[i], score)
		}
	default:
		return p.addFields(elements)
	}
	return nil
}

// addFields asks when the fields die, where that is known.
func (p *parts) addFields(elements [][]byte) error {
	elements = ownKeys(elements) // the next reply takes their place
	times := make([]int64, len(elements)/2)
	if !p.noFieldTimes && len(times) > 0 {
		words := []string{"HPEXPIRETIME", p.key, "FIELDS", strconv.Itoa(len(times))}
		for i := range times {
			words = append(words, string(elements[2*i]))
		}
		reply, err := p.c.Do(words...)
		switch {
		case remote.Denied(err):
			p.noFieldTimes = true
		case err != nil:
			return err
		default:
			it := reply.Elements()
			for i := range times {
				element, _ := it.Next()
				times[i], _ = resp.ParseInt(element)
			}
		}
	}
	for i, at := range times {
		if at = max(at, 0); at == 0 || at > p.now {
			p.b.Field(elements[2*i], elements[2*i+1], at)
		}
	}
	return nil
}
