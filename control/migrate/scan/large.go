package scan

import (
	"errors"
	"fmt"
	"strconv"

	"larder/backends/remote"
	"larder/protocol/resp"
)

const (
	pieceBytes    = 1 << 20 // of a text, or about so many of elements
	pieceElements = 1000    // at most
)

// copyLarge copies a value in pieces, so that neither server is held up and no argument is longer than a server takes. Not done: it is of a type that cannot
// be had in pieces. One that changes meanwhile is told of, and copied again.
func (k *copier) copyLarge(v *value) (done bool, err error) {
	c := k.source(v.key)
	reply, err := c.Do("TYPE", v.key)
	if err != nil {
		return false, err
	}
	kind, _ := reply.Bytes()
	p := &pieces{k: k, from: c, key: v.key}
	var bring func(bytes int64) error
	switch string(kind) {
	case "string":
		bring = p.text
	case "list":
		bring = p.list
	case "hash":
		p.scan, p.write, p.each = "HSCAN", "HSET", 2
		bring = p.elements
	case "set":
		p.scan, p.write, p.each = "SSCAN", "SADD", 1
		bring = p.elements
	case "zset":
		p.scan, p.write, p.each = "ZSCAN", "ZADD", 2
		bring = p.elements
	default:
		return false, nil
	}
	if _, err := k.target.Do("DEL", v.key); err != nil {
		return false, k.refusedLarge(v, err)
	}
	if err := bring(v.bytes); err != nil {
		refused := (*remote.Refused)(nil)
		if errors.As(err, &refused) && len(refused.Text) > 9 && refused.Text[:9] == "WRONGTYPE" {
			k.changed.add(v.place, k.o.Now()) // it has become something else: that was told
			return true, nil
		}
		return false, k.refusedLarge(v, err)
	}
	k.askExpiry(c, v.key)
	if err := c.Flush(); err != nil {
		return false, err
	}
	at, err := k.takeExpiry(c)
	if err == nil && at > 0 {
		_, err = k.target.Do("PEXPIREAT", v.key, strconv.FormatInt(at, 10))
	}
	delete(k.streams, v.place)
	k.count(v.bytes)
	return true, err
}

func (k *copier) refusedLarge(v *value, err error) error {
	refused := (*remote.Refused)(nil)
	if errors.As(err, &refused) && refused.Addr == k.target.Addr {
		return k.unfit(v, refused)
	}
	return err
}

// pieces brings one value.
type pieces struct {
	k           *copier
	from        *remote.Conn
	key         string
	scan, write string
	each        int // elements of a reply that are one
	noTimes     bool
}

func (p *pieces) text(int64) error {
	for at := 0; ; at += pieceBytes {
		reply, err := p.from.Do("GETRANGE", p.key, strconv.Itoa(at), strconv.Itoa(at+pieceBytes-1))
		if err != nil {
			return err
		}
		part, _ := reply.Bytes()
		if len(part) == 0 {
			return nil
		}
		if err := p.put([]byte("APPEND"), part); err != nil {
			return err
		}
	}
}

func (p *pieces) put(command []byte, args ...[]byte) error {
	p.k.target.Append(append([][]byte{command, []byte(p.key)}, args...)...)
	if err := p.k.target.Flush(); err != nil {
		return err
	}
	_, err := p.k.target.Taken()
	return err
}

// atOnce is how many elements make about a piece.
func atOnce(bytes, elements int64) int {
	if elements <= 0 || bytes <= 0 {
		return pieceElements
	}
	return int(max(1, min(pieceElements, elements*pieceBytes/bytes)))
}

func (p *pieces) length(command string) (int64, error) {
	reply, err := p.from.Do(command, p.key)
	if err != nil {
		return 0, err
	}
	n, _ := reply.Int()
	return n, nil
}

func (p *pieces) list(bytes int64) error {
	n, err := p.length("LLEN")
	if err != nil {
		return err
	}
	for at, step := 0, atOnce(bytes, n); ; at += step {
		reply, err := p.from.Do("LRANGE", p.key, strconv.Itoa(at), strconv.Itoa(at+step-1))
		if err != nil {
			return err
		}
		var part [][]byte
		for it := reply.Elements(); it.Left() > 0; {
			element, _ := it.Next()
			text, _ := resp.Value(element).Bytes()
			part = append(part, text)
		}
		if len(part) == 0 {
			return nil
		}
		if err := p.put([]byte("RPUSH"), part...); err != nil {
			return err
		}
	}
}

// elements brings what has no order. What SCAN gives twice is written twice, which changes nothing.
func (p *pieces) elements(bytes int64) error {
	n, err := p.length(map[string]string{"HSCAN": "HLEN", "SSCAN": "SCARD", "ZSCAN": "ZCARD"}[p.scan])
	if err != nil {
		return err
	}
	step := strconv.Itoa(atOnce(bytes, n))
	for cursor := "0"; ; {
		reply, err := p.from.Do(p.scan, p.key, cursor, "COUNT", step)
		if err != nil {
			return err
		}
		next, part := remote.Page(reply)
		if next == "" || len(part)%p.each != 0 {
			return fmt.Errorf("server %s answers %s by what cannot be understood", p.from.Addr, p.scan)
		}
		if len(part) > 0 {
			if err := p.bring(part); err != nil {
				return err
			}
		}
		if cursor = next; cursor == "0" {
			return nil
		}
	}
}

func (p *pieces) bring(part [][]byte) error {
	if p.write == "ZADD" { // the score comes first there
		for i := 0; i < len(part); i += 2 {
			part[i], part[i+1] = part[i+1], part[i]
		}
	}
	if err := p.put([]byte(p.write), part...); err != nil {
		return err
	}
	if p.write != "HSET" || p.noTimes {
		return nil
	}
	return p.fieldTimes(part)
}

// fieldTimes brings when fields die, where the source knows that.
func (p *pieces) fieldTimes(part [][]byte) error {
	words := []string{"HPEXPIRETIME", p.key, "FIELDS", strconv.Itoa(len(part) / 2)}
	for i := 0; i < len(part); i += 2 {
		words = append(words, string(part[i]))
	}
	reply, err := p.from.Do(words...)
	if remote.Denied(err) {
		p.noTimes = true
		return nil
	}
	if err != nil {
		return err
	}
	it := reply.Elements()
	for i := 0; i < len(part); i += 2 {
		element, _ := it.Next()
		at, _ := resp.ParseInt(element)
		if at <= 0 {
			continue
		}
		if err := p.put([]byte("HPEXPIREAT"), strconv.AppendInt(nil, at, 10), []byte("FIELDS"), []byte("1"), part[i]); err != nil {
			return err
		}
	}
	return nil
}
