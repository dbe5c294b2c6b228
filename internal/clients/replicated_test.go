package clients_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"larder/internal/clients"
	"larder/internal/history"
	"larder/protocol/resp"
)

// patron is a client that writes, reads and notes what it is told.
type patron struct {
	id    int
	space string                    // in which its keys lie
	home  func() string             // where it turns to mostly
	door  func(d *rand.Rand) string // or else
	log   *history.Log
	dice  *rand.Rand
	wires map[string]*clients.Wire // by address
	wrote int
	odd   []string // answers that nobody should get
}

// answerWithin is longer than a node holds a reply.
const answerWithin = 4 * time.Second

// did gives an answer, and how it is to be understood. A node that is not reached has done nothing.
func (p *patron) did(addr string, words ...string) (reply []byte, o history.Outcome) {
	w := p.wires[addr]
	if w == nil {
		var err error
		if w, err = clients.Open(addr); err != nil {
			return nil, history.Refused
		}
		p.wires[addr] = w
	}
	reply, err := w.DoWithin(answerWithin, words...)
	if err != nil {
		w.Close()
		delete(p.wires, addr)
		return nil, history.Unknown
	}
	e, isError := resp.FirstError(reply)
	if !isError {
		return reply, history.Done
	}
	message := textOf(e)
	switch word, _, _ := strings.Cut(message, " "); word {
	case "NOREPLICAS", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "LOADING", "STALE", "EXECABORT", "MISCONF":
		return nil, history.Refused
	case "UNKNOWN":
		return nil, history.Unknown
	}
	p.odd = append(p.odd, message)
	return nil, history.Unknown
}

// run writes and reads until it is told to stop. The keys change with time, so that none has too long a history; now and then an old one is looked at.
func (p *patron) run(stop <-chan struct{}) {
	defer func() {
		for _, w := range p.wires {
			w.Close()
		}
	}()
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(p.dice.IntN(5)) * time.Millisecond):
		}
		addr := p.home()
		if p.dice.IntN(2) == 0 {
			addr = p.door(p.dice)
		}
		period := int(p.log.Now() / int64(2*time.Second))
		if p.dice.IntN(5) == 0 {
			period = p.dice.IntN(period + 1)
		}
		p.deed(addr, fmt.Sprintf("%s%d:%d", p.space, p.dice.IntN(3), period))
	}
}

// deed does one thing.
func (p *patron) deed(addr, key string) {
	p.wrote++
	d := history.Deed{Client: p.id, Called: p.log.Now(), Value: fmt.Sprintf("%d.%d", p.id, p.wrote)}
	var reply []byte
	switch p.dice.IntN(5) {
	case 0:
		d.Kind, d.Key = history.Set, "register:"+key
		_, d.Outcome = p.did(addr, "SET", d.Key, d.Value)
	case 1:
		d.Kind, d.Key = history.Get, "register:"+key
		reply, d.Outcome = p.did(addr, "GET", d.Key)
		d.Value = textOf(reply)
	case 2:
		d.Kind, d.Key = history.Append, "list:"+key
		reply, d.Outcome = p.did(addr, "RPUSH", d.Key, d.Value)
		n, _ := resp.Value(reply).Int()
		d.Len = int(n)
	case 3:
		d.Kind, d.Key = history.Append, "list:"+key // with a message that tells of it
		_, d.Outcome = p.did(addr, "EVAL", "redis.call('RPUSH', KEYS[1], ARGV[1]) redis.call('PUBLISH', 'news', KEYS[1] .. ' ' .. ARGV[1]) return 1", "1", d.Key, d.Value)
	case 4:
		d.Kind, d.Key = history.Range, "list:"+key
		reply, d.Outcome = p.did(addr, "LRANGE", d.Key, "0", "-1")
		d.Values = textsOf(reply)
	}
	d.Returned = p.log.Now()
	p.log.Add(d)
}

func textOf(reply []byte) string {
	text, _ := resp.Value(reply).Bytes()
	return string(text)
}

func textsOf(reply []byte) (texts []string) {
	for it := resp.Elements(reply); ; {
		e, ok := it.Next()
		if !ok {
			return texts
		}
		texts = append(texts, textOf(e))
	}
}

// hear notes what messages tell, as a client of that number.
func hear(id int, addr string, log *history.Log, stop <-chan struct{}) {
	told := func() bool {
		select {
		case <-stop:
			return true
		default:
			return false
		}
	}
	for !told() {
		w, err := clients.Open(addr)
		if err != nil {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		const quiet = time.Second
		reply, err := w.DoWithin(quiet, "SUBSCRIBE", "news")
		for ; err == nil && !told(); reply, err = w.ReplyWithin(quiet) {
			if parts := textsOf(reply); len(parts) == 3 && parts[0] == "message" {
				key, value, _ := strings.Cut(parts[2], " ")
				now := log.Now()
				log.Add(history.Deed{Client: id, Kind: history.Hear, Key: key, Value: value, Called: now, Returned: now})
			}
		}
		w.Close()
	}
}

// replicated has clients write and read while a shard suffers, and judges what they were told.
func replicated(t *testing.T, long time.Duration, least int, args ...string) {
	t.Helper()
	d := dice(t)
	s := startShard(t, 3, least, args...)
	s.guard()
	s.guard()
	s.lead(2)
	s.calm()
	log, stop := history.New(), make(chan struct{})
	var all sync.WaitGroup
	patrons := make([]*patron, 6)
	for i := range patrons {
		p := s.patron(i, log)
		p.dice = rand.New(rand.NewPCG(d.Uint64(), uint64(i)))
		patrons[i] = p
		all.Go(func() { p.run(stop) })
	}
	for i, addr := range s.doors() { // the nodes, then the gateways
		all.Go(func() { hear(100+i, addr, log, stop) })
	}
	end := sync.OnceFunc(func() {
		close(stop)
		all.Wait()
	})
	defer end()
	before := s.registry.Record()
	enough := func() bool {
		return log.Count(history.Set, history.Done) >= 100 && log.Count(history.Get, history.Done) >= 100 && s.registry.Record().Reign != before.Reign
	}
	count := s.suffer(d, long, enough)
	end()
	last := s.patron(len(patrons), log)
	last.readAll(t, int(log.Now()/int64(2*time.Second)))
	for _, p := range append(patrons, last) {
		for _, message := range p.odd {
			t.Errorf("client %d was answered %q", p.id, message)
		}
	}
	for _, fault := range log.Faults(time.Minute) {
		t.Error(fault)
	}
	after := s.registry.Record()
	t.Logf("%v; epochs %d to %d, the last reign %d; sets %d, refused %d, unknown %d; reads %d; messages %d", count, before.Epoch, after.Epoch, after.Reign,
		log.Count(history.Set, history.Done), log.Count(history.Set, history.Refused), log.Count(history.Set, history.Unknown), log.Count(history.Get, history.Done), log.Count(history.Hear, history.Done))
	if !enough() {
		t.Error("too little was done for this to prove anything")
	}
}

// patron is a client of the shard, that turns to its primary, or to anybody.
func (s *shardOf) patron(id int, log *history.Log) *patron {
	return &patron{
		id: id, log: log, wires: map[string]*clients.Wire{}, home: func() string { return s.primary().Addr },
		door: func(d *rand.Rand) string { doors := s.doors(); return doors[d.IntN(len(doors))] },
	}
}

// readAll reads all keys at the primary.
func (p *patron) readAll(t *testing.T, periods int) {
	t.Helper()
	addr := p.home()
	for period := range periods + 1 {
		for i := range 3 {
			key := p.space + strconv.Itoa(i) + ":" + strconv.Itoa(period)
			d := history.Deed{Client: p.id, Kind: history.Get, Key: "register:" + key, Called: p.log.Now()}
			register, o := p.did(addr, "GET", d.Key)
			d.Value, d.Returned = textOf(register), p.log.Now()
			p.log.Add(d)
			e := history.Deed{Client: p.id, Kind: history.Range, Key: "list:" + key, Called: p.log.Now()}
			list, p2 := p.did(addr, "LRANGE", e.Key, "0", "-1")
			e.Values, e.Returned = textsOf(list), p.log.Now()
			p.log.Add(e)
			if o != history.Done || p2 != history.Done {
				t.Fatalf("the last read of %s is not answered", key)
			}
		}
	}
}

// TestReplicated: under `replicated` nothing that was acknowledged, read or heard is missing later, and nothing old is read, whatever happens to a member.
func TestReplicated(t *testing.T) {
	t.Run("of three two must have it", func(t *testing.T) { replicated(t, 12*time.Second, 2) })
	t.Run("with journals, one is enough", func(t *testing.T) { replicated(t, 8*time.Second, 1, "--appendonly", "yes") })
}

// TestFrozenMember: while a member is frozen, writes wait for it, and reads of what they change; reads of other keys do not. When the set has shrunk, writes go on
// without it.
func TestFrozenMember(t *testing.T) {
	s := startShard(t, 3, 2)
	s.lead(1)
	shown := false
	for try := 0; !shown; try++ {
		s.calm()
		s.rest() // so that the set stays as it is until the test has looked
		primary := s.primary()
		frozen := s.members[(slices.Index(s.members, primary)+1)%len(s.members)]
		writer, reader, late := wireTo(t, primary), wireTo(t, primary), wireTo(t, primary)
		for _, w := range []*clients.Wire{writer, reader, late} {
			for _, key := range []string{"touched", "untouched"} {
				if reply, err := w.Do("SET", key, "before"); err != nil || string(reply) != "+OK\r\n" {
					t.Fatalf("SET: %q, %v", reply, err)
				}
			}
		}
		frozen.Freeze(t)
		const soon = 10 * time.Millisecond
		_, written := writer.DoWithin(soon, "SET", "touched", "after")
		_, seen := late.DoWithin(soon, "GET", "touched")
		reply, err := reader.DoWithin(200*time.Millisecond, "GET", "untouched")
		_, writtenYet := writer.ReplyWithin(soon)
		_, seenYet := late.ReplyWithin(soon)
		shown = err == nil && string(reply) == "$6\r\nbefore\r\n" && timedOut(written) && timedOut(writtenYet) && timedOut(seen) && timedOut(seenYet)
		if !shown && try == 10 { // else the primary's leases may have run out before the test had looked
			t.Fatalf("SET: %v, then %v; GET of it: %v, then %v; GET of another key: %q, %v", written, writtenYet, seen, seenYet, reply, err)
		}
		s.lead(1)
		eventually(t, "writes go on", func() bool {
			w, err := clients.Open(s.primary().Addr)
			if err != nil {
				return false
			}
			defer w.Close()
			reply, err := w.DoWithin(time.Second, "SET", "touched", "again")
			return err == nil && string(reply) == "+OK\r\n"
		})
		if r := s.registry.Record(); len(r.Set) != 2 {
			t.Errorf("writes go on with the set %v", r.Set)
		}
		frozen.Thaw(t)
	}
	s.calm()
}

func wireTo(t *testing.T, m *member) *clients.Wire {
	t.Helper()
	w, err := clients.Open(m.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func timedOut(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
