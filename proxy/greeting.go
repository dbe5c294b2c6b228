package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"larder/protocol/resp"
)

// greeting is what a lane says before its first command, and how far it is
// (docs/formats/upstream.md). All words that need no earlier answer leave at once.
type greeting struct {
	words     []greetingWord
	larder    bool
	epoch     uint64 // the node's, 0 = it has none
	ordered   bool   // it gets orders
	managed   bool   // and its shard has a record
	said      uint64 // the part's vouches for which the lane does
	functions int    // libraries that the node has
	settled   bool   // it was looked after that it has those of the other shards
	asked     int    // other shards whose answer to that is awaited
	untilNS   int64  // and not for longer
	waits     bool   // all is said, and other lanes are to be ready before
	databases int
}

type greetingWord func(ln *lane, reply []byte) error

// dialectVersion is the dialect this release speaks.
const dialectVersion = "1"

// begin greets the node: the connection is open.
func (ln *lane) begin() {
	o := ln.p.opts
	ln.state = laneGreeting
	ln.deadNS = ln.p.nowNS + int64(o.Upstream.DialTimeout)
	ln.greet = greeting{databases: o.Databases}
	if ln.aside {
		ln.beginAside()
		return
	}
	auth := authWords(o.Upstream)
	switch {
	case ln.proto == 3:
		args := append([][]byte{[]byte("HELLO"), []byte("3")}, auth...)
		ln.ask(mustSucceed, args...)
	case len(auth) > 0:
		ln.ask(mustSucceed, auth...)
	}
	ln.ask((*lane).heardDialect, []byte("LARDER"), []byte("HELLO"), []byte(dialectVersion))
	if ln.lentTo != nil {
		ln.ask((*lane).heardID, []byte("CLIENT"), []byte("ID"))
	}
	ln.ask((*lane).heardLastDatabase, []byte("SELECT"), strconv.AppendInt(nil, int64(o.Databases-1), 10))
	ln.ask(mustSucceed, []byte("SELECT"), []byte("0"))
	ln.askTracking()
}

func authWords(o Upstream) [][]byte {
	if o.Password == "" {
		return nil
	}
	user := o.User
	if user == "" {
		user = "default"
	}
	return [][]byte{[]byte("AUTH"), []byte(user), []byte(o.Password)}
}

func (ln *lane) ask(then greetingWord, args ...[]byte) {
	ln.c.Out = resp.AppendCommand(ln.c.Out, args...)
	ln.greet.words = append(ln.greet.words, then)
	if ln.id != "" {
		ln.done++ // answered before the first command
	}
	ln.c.Touch()
}

// greeted takes the next answer; after the last one the lane is ready.
func (ln *lane) greeted(reply []byte) {
	if len(ln.greet.words) == 0 {
		ln.fail(errUnasked(reply))
		return
	}
	word := ln.greet.words[0]
	ln.greet.words = ln.greet.words[1:]
	if err := word(ln, reply); err != nil {
		ln.fail(err)
		return
	}
	if ln.state != laneClosed {
		ln.goOn()
	}
}

// greetedOn goes on when all that was asked is answered.
func (ln *lane) greetedOn() {
	if ln.aside {
		ln.readyAside()
		return
	}
	if ln.greet.larder && ln.greet.said != ln.p.vouches {
		ln.vouch() // the topology has changed meanwhile, and what waits was routed by the new one
		if len(ln.greet.words) > 0 {
			return
		}
	}
	if ln.settle() {
		return
	}
	u := ln.u
	u.known, u.larder, u.databases = true, ln.greet.larder, ln.greet.databases
	u.up()
	if ln.dbMax >= u.databases {
		ln.fail(fmt.Errorf("it has %d databases, %d is asked for", u.databases, ln.dbMax))
		return
	}
	if !u.letsIn(ln) {
		return
	}
	ln.state = laneReady
	ln.term = ln.p.vouches
	if ln.queue.len() > 0 {
		ln.c.Touch()
	}
	if ln.ear != nil {
		ln.ear.ready()
	}
	if ln.line >= lineReads2 {
		ln.tellingReady()
	}
	ln.wakeWaiters()
	if s := ln.lentTo; s != nil {
		s.wake(stallStream)
	}
	u.arrived(ln)
	u.recovered()
	if len(u.p.inquests) > 0 {
		u.p.holdInquests()
	}
}

func mustSucceed(_ *lane, reply []byte) error {
	if reply[0] == '-' {
		return fmt.Errorf("node refused the gateway: %s", bytes.TrimSpace(reply[1:]))
	}
	return nil
}

// heardDialect tells a Larder node from a stock one, which does not know the word.
func (ln *lane) heardDialect(reply []byte) error {
	if reply[0] == '-' {
		if bytes.HasPrefix(reply, []byte("-ERR unknown command")) {
			if ln.u.replica { // of a Redis Cluster, else it refuses the word and reads all the same
				ln.ask(func(*lane, []byte) error { return nil }, []byte("READONLY"))
			}
			return nil
		}
		return mustSucceed(ln, reply)
	}
	if err := ln.heardDescription(reply); err != nil || ln.state == laneClosed {
		return err // closed: the record that it told has others serve
	}
	ln.ask(func(*lane, []byte) error { return nil }, wordLarder, wordStamps, wordOn)
	ln.askNumber()
	ln.vouch()
	return nil
}

// heardDescription takes what a node says of itself.
func (ln *lane) heardDescription(reply []byte) error {
	fields := resp.Elements(reply)
	if fields.Left() == 0 {
		return errors.New("node's LARDER HELLO is not a map")
	}
	ln.greet.larder = true
	var record []byte
	for {
		name, ok1 := fields.Next()
		value, ok2 := fields.Next()
		if !ok1 || !ok2 {
			break
		}
		switch word, _ := resp.BulkOf(name); string(word) {
		case "epoch":
			n, _ := resp.ParseInt(value)
			ln.greet.epoch = uint64(n)
		case "functions":
			n, _ := resp.ParseInt(value)
			ln.greet.functions = int(n)
		case "databases":
			n, _ := resp.ParseInt(value)
			ln.greet.databases = min(ln.greet.databases, int(n))
		case "id":
			id, _ := resp.BulkOf(value)
			ln.u.name = string(id)
		case "run":
			ln.greet.ordered = true
		case "record":
			record, _ = resp.BulkOf(value)
		}
	}
	if len(record) > 0 {
		ln.heardRecord(record)
	}
	return nil
}

// heardID: the number by which the node lets others unblock who waits on this lane.
func (ln *lane) heardID(reply []byte) error {
	ln.nodeID, _ = resp.ParseInt(reply) // 0, which no client has, of a server older than CLIENT ID
	return nil
}

// vouch says by which topology the lane's commands are routed. To a node that has an epoch it is the gateway's, even when the node's is another: its
// -STALE then tells which. A node that has none is told its slots, for its scripts, if it does not have all; one of an earlier release does not know the word.
func (ln *lane) vouch() {
	ln.greet.said = ln.p.vouches
	if ln.greet.epoch != 0 {
		ln.greet.epoch = ln.p.topo.Epoch
	}
	if ln.greet.epoch != 0 || ln.greet.managed {
		ln.ask(mustSucceed, ln.termWords()...)
	}
	if ln.greet.epoch == 0 && len(ln.p.shards) > 1 {
		ln.ask(func(*lane, []byte) error { return nil }, wordLarder, wordSlots, ln.u.slots())
	}
}

// heardLastDatabase: a word that can fail is tried here, where nothing follows it. On a
// server with 4 databases a SELECT 5 on the shared lane would fail and the commands
// behind it would write into the wrong database.
func (ln *lane) heardLastDatabase(reply []byte) error {
	if reply[0] != '-' {
		return nil
	}
	if bytes.HasPrefix(reply, []byte("-ERR SELECT is not allowed in cluster mode")) {
		ln.greet.databases = 1
		return nil
	}
	if !bytes.HasPrefix(reply, []byte("-ERR DB index")) {
		return mustSucceed(ln, reply)
	}
	ln.greet.databases = min(ln.greet.databases, 1)
	ln.ask((*lane).heardDatabases, []byte("CONFIG"), []byte("GET"), []byte("databases"))
	return nil
}

func (ln *lane) heardDatabases(reply []byte) error {
	fields := resp.Elements(reply) // of none, if CONFIG is not allowed: database 0 alone is sure
	fields.Next()
	if value, ok := fields.Next(); ok {
		word, _ := resp.BulkOf(value)
		if n, err := strconv.Atoi(string(word)); err == nil && n > 0 {
			ln.greet.databases = min(ln.p.opts.Databases, n)
		}
	}
	return nil
}
