package mirror

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"larder/backends"
	"larder/protocol/resp"
)

// finding is what comes of asking both sides for the same.
type finding uint8

const (
	findsSame     finding = iota
	findsReply            // the keys are the same, and the command is answered differently
	findsValue            // values differ
	findsExpiry           // only one expires, or at quite another time
	findsNoShadow         // the shadow does not have it
	findsNoSource         // the source does not have it
	findsMoving           // the source changed meanwhile
)

// value is a key as one side has it.
type value struct {
	kind  string
	sum   [sha256.Size]byte
	ttlMS int64
	text  string
}

const (
	valueBytesMost = 1 << 20 // of a string that are compared
	valueItemsMost = 10_000  // elements that are compared; of larger sets and hashes only how many there are
)

// look asks both sides for a doubt's keys, the source before and after the shadow.
func (m *Mirror) look(ctx context.Context, d *doubt) (finding, error) {
	for i := range d.keys {
		k := &d.keys[i]
		f, err := m.lookAt(ctx, d, k)
		if err != nil || f != findsSame {
			d.which = i
			return f, err
		}
	}
	if d.args == nil {
		return findsSame, nil
	}
	return m.sayAgain(ctx, d)
}

func (m *Mirror) lookAt(ctx context.Context, d *doubt, k *keyUse) (finding, error) {
	source, err := m.asker(ctx, m.addrOf(k.key), m.o.SourceAuth)
	if err != nil {
		return findsMoving, err
	}
	shadow, err := m.asker(ctx, m.o.Target, m.o.TargetAuth)
	if err != nil {
		return findsMoving, err
	}
	ours, err := source.value(k.db, k.key)
	if err != nil {
		return findsMoving, err
	}
	theirs, err := shadow.value(k.db, k.key)
	if err != nil {
		return findsMoving, err
	}
	again, err := source.value(k.db, k.key)
	if err != nil {
		return findsMoving, err
	}
	k.dueNS = 0
	if again.ttlMS >= 0 {
		k.dueNS = m.nowNS() + again.ttlMS*int64(time.Millisecond)
		if again.ttlMS < int64(m.o.Tolerance/time.Millisecond) {
			return findsMoving, nil // it is about to expire
		}
	}
	if theirs.ttlMS >= 0 && theirs.ttlMS < int64(m.o.Tolerance/time.Millisecond) {
		return findsMoving, nil
	}
	d.nowOurs, d.nowTheirs = again.text, theirs.text
	switch {
	case ours.kind != again.kind || ours.sum != again.sum || (ours.ttlMS < 0) != (again.ttlMS < 0):
		return findsMoving, nil
	case ours.kind == theirs.kind && ours.sum == theirs.sum:
		apart := max(ours.ttlMS-theirs.ttlMS, theirs.ttlMS-ours.ttlMS)
		if (ours.ttlMS < 0) != (theirs.ttlMS < 0) || apart > int64(m.o.Tolerance/time.Millisecond) {
			return findsExpiry, nil
		}
		return findsSame, nil
	case theirs.kind == "none":
		return findsNoShadow, nil
	case ours.kind == "none":
		return findsNoSource, nil
	}
	return findsValue, nil
}

// sayAgain has both sides answer a read again.
func (m *Mirror) sayAgain(ctx context.Context, d *doubt) (finding, error) {
	source, err := m.asker(ctx, m.addrOf(d.keys[0].key), m.o.SourceAuth)
	if err != nil {
		return findsMoving, err
	}
	shadow, err := m.asker(ctx, m.o.Target, m.o.TargetAuth)
	if err != nil {
		return findsMoving, err
	}
	var replies [3][]byte
	for i, l := range []*link{source, shadow, source} {
		reply, err := l.in2(d.db, d.args)
		if err != nil {
			return findsMoving, err
		}
		replies[i] = bytes.Clone(reply)
	}
	how := m.kinds[d.row.ID]
	switch {
	case !same(how, d.row, replies[0], replies[2], m.o.Tolerance):
		return findsMoving, nil
	case same(how, d.row, replies[0], replies[1], m.o.Tolerance):
		return findsSame, nil
	}
	d.nowOurs, d.nowTheirs = short(replies[0]), short(replies[1])
	return findsReply, nil
}

func (m *Mirror) addrOf(key []byte) string {
	t := m.source.Topology()
	shard := t.ShardOf(key)
	if shard < 0 {
		return ""
	}
	return t.Shards[shard].Primary.Addr
}

// asker is a connection for questions, in RESP2.
func (m *Mirror) asker(ctx context.Context, addr string, auth backends.Auth) (*link, error) {
	if addr == "" {
		return nil, errors.New("nobody has the key's slot")
	}
	l := m.askers[addr]
	if l == nil {
		l = &link{addr: addr, auth: auth, timeout: m.o.Timeout}
		m.askers[addr] = l
	}
	return l, l.open(ctx)
}

// in2 says a command in a database. After an error the connection is closed.
func (l *link) in2(db int, args [][]byte) ([]byte, error) {
	replies, err := l.ask(db, args)
	if err != nil {
		return nil, err
	}
	return replies[0], nil
}

// ask says commands at once.
func (l *link) ask(db int, commands ...[][]byte) ([][]byte, error) {
	var out []byte
	skip := 0
	if l.db != db {
		out = resp.AppendCommandStrings(out, "SELECT", strconv.Itoa(db))
		l.db = db
		skip = 1
	}
	for _, args := range commands {
		out = resp.AppendCommand(out, args...)
	}
	err := l.write(out)
	var replies [][]byte
	for i := 0; err == nil && i < len(commands)+skip; i++ {
		var reply []byte
		if reply, err = l.next(); err != nil {
			break
		}
		if i < skip && resp.IsError(reply) {
			err = fmt.Errorf("database %d: %s", db, reply)
			break
		}
		if is, _ := inTrouble(reply); is {
			err = fmt.Errorf("it answers %s", reply)
			break
		}
		if i >= skip {
			replies = append(replies, bytes.Clone(reply))
		}
	}
	if err != nil {
		l.close(err)
		return nil, err
	}
	return replies, nil
}

func words(w ...any) [][]byte {
	args := make([][]byte, len(w))
	for i, word := range w {
		switch word := word.(type) {
		case string:
			args[i] = []byte(word)
		case []byte:
			args[i] = word
		case int:
			args[i] = strconv.AppendInt(nil, int64(word), 10)
		}
	}
	return args
}

// value reads a key with whatever it holds, in a form that does not depend on how it is kept.
func (l *link) value(db int, key []byte) (v value, err error) {
	head, err := l.ask(db, words("TYPE", key), words("PTTL", key))
	if err != nil {
		return v, err
	}
	kind, _ := resp.Value(head[0]).Bytes()
	v.kind = string(kind)
	v.ttlMS, _ = resp.ParseInt(head[1])
	var questions [][][]byte
	order := false
	switch v.kind {
	case "none":
		v.text = "no such key"
		return v, nil
	case "string":
		questions = [][][]byte{words("STRLEN", key), words("GETRANGE", key, 0, valueBytesMost-1)}
	case "list":
		questions = [][][]byte{words("LLEN", key), words("LRANGE", key, 0, valueItemsMost-1)}
	case "zset":
		questions = [][][]byte{words("ZCARD", key), words("ZRANGE", key, 0, valueItemsMost-1, "WITHSCORES")}
	case "stream":
		questions = [][][]byte{words("XLEN", key), words("XRANGE", key, "-", "+", "COUNT", valueItemsMost)}
	case "hash", "set":
		order = true
		if questions, err = l.unordered(db, key, v.kind); err != nil {
			return v, err
		}
	default:
		return v, fmt.Errorf("type %q is not known", v.kind)
	}
	replies, err := l.ask(db, questions...)
	if err != nil {
		return v, err
	}
	v.fill(replies, order)
	return v, nil
}

// unordered are the questions for a hash or set, which cannot be read in part.
func (l *link) unordered(db int, key []byte, kind string) ([][][]byte, error) {
	count, all := "SCARD", "SMEMBERS"
	if kind == "hash" {
		count, all = "HLEN", "HGETALL"
	}
	n, err := l.in2(db, words(count, key))
	if err != nil {
		return nil, err
	}
	questions := [][][]byte{words(count, key)}
	if size, _ := resp.ParseInt(n); size <= valueItemsMost {
		questions = append(questions, words(all, key))
	}
	return questions, nil
}

// fill sums up what the replies say.
func (v *value) fill(replies [][]byte, unordered bool) {
	h := sha256.New()
	for i, reply := range replies {
		if i > 0 && unordered {
			reply = inOrder(reply, v.kind == "hash")
		}
		h.Write(plain(reply))
	}
	h.Sum(v.sum[:0])
	size, _ := resp.ParseInt(replies[0])
	v.text = fmt.Sprintf("%s of %d", v.kind, size)
	if v.kind == "string" {
		v.text += " bytes"
	}
	if len(replies) > 1 {
		v.text += ": " + short(replies[1])
	}
}

// plain takes out of a HyperLogLog what it keeps of the last count, which reads write too.
func plain(reply []byte) []byte {
	text, ok := resp.BulkOf(reply)
	if !ok || !bytes.HasPrefix(text, []byte("HYLL")) || len(text) < 16 {
		return reply
	}
	text = bytes.Clone(text)
	clear(text[8:16])
	return text
}

func inOrder(reply []byte, pairs bool) []byte {
	var all [][]byte
	for it := resp.Elements(reply); it.Left() > 0; {
		element, ok := it.Next()
		if !ok {
			break
		}
		if pairs {
			second, _ := it.Next()
			element = slices.Concat(element, second)
		}
		all = append(all, element)
	}
	slices.SortFunc(all, bytes.Compare)
	return bytes.Join(all, nil)
}
