package proxy

import (
	"bytes"
	"strconv"

	"larder/protocol/resp"
)

// stamp is how far a node was when it wrote what follows on the lane: nothing there shows more (docs/formats/upstream.md).
type stamp struct {
	history   string // the name of the stream in which offsets count
	reign     uint64
	executed  int64
	committed int64
	confirmed int64 // up to where writes may be answered: committed, but while the shard has too few members
}

// wrote is how far a node was when it answered a session's last write there.
type wrote struct {
	u       *upstream
	history string
	at      int64
}

var wordStamps, wordOn, wordAt = []byte("STAMPS"), []byte("ON"), []byte("AT")

// stampPrefix begins every stamp behind the number of its elements.
var stampPrefix = []byte("\r\n$5\r\nstamp\r\n")

// stamped takes a stamp in. It says false for another push.
func (ln *lane) stamped(push []byte) bool {
	if len(push) < 2 || !bytes.HasPrefix(push[2:], stampPrefix) {
		return false
	}
	it := resp.Elements(push)
	it.Next()
	reign, _ := it.Next()
	executed, _ := it.Next()
	committed, ok := it.Next()
	if !ok {
		return true
	}
	n, _ := resp.ParseInt(reign)
	ln.stamp.reign = uint64(n)
	ln.stamp.executed, _ = resp.ParseInt(executed)
	ln.stamp.committed, _ = resp.ParseInt(committed)
	ln.stamp.more(&it)
	return true
}

// noteWrite notes up to where the session's writes at a node go. It is rather too far than not far enough: the stamp covers all that left with the reply.
func (s *session) noteWrite(ln *lane) {
	u := ln.u
	if u.left { // a late reply: WAIT asks the primary that there is now
		if now := ln.p.present(u); now != nil && now.record != nil {
			u = now
		}
	}
	for i := range s.writes {
		w := &s.writes[i]
		if w.u != u {
			continue
		}
		if w.history != ln.stamp.history || w.at < ln.stamp.executed {
			w.history, w.at = ln.stamp.history, ln.stamp.executed
		}
		return
	}
	s.writes = append(s.writes, wrote{u, ln.stamp.history, ln.stamp.executed})
}

// writesOf has what the session wrote at a primary count for the one that follows it, which knows of that stream how much it has.
func (s *session) writesOf(old, now *upstream) {
	if s.wrote&old.bit == 0 {
		return
	}
	s.wrote |= now.bit
	for i := range s.writes {
		if s.writes[i].u == now {
			return
		}
	}
	for i := range s.writes {
		if s.writes[i].u == old {
			s.writes[i].u = now
		}
	}
}

// sayWrites tells a node for which writes WAIT and WAITAOF come next: the session's. If it is not known up to where those go, since a reply was lost, all that
// the node has written.
func (ln *lane) sayWrites(s *session, then func(reply []byte)) {
	if !ln.u.larder {
		ln.writeForWait(s, then)
		return
	}
	if s.wrote&ln.u.bit == 0 {
		ln.query(then, wordLarder, wordAt, nil, []byte("0"))
		return
	}
	for _, w := range s.writes {
		if w.u == ln.u {
			ln.query(then, wordLarder, wordAt, []byte(w.history), strconv.AppendInt(nil, w.at, 10))
			return
		}
	}
	ln.query(then, wordLarder, wordWrote)
}

// writeForWait has a stock node count all that it has written until now for this lane's, the session's writes among it.
func (ln *lane) writeForWait(s *session, then func(reply []byte)) {
	if s.wrote&ln.u.bit == 0 {
		return
	}
	ln.query(func(reply []byte) {
		if !bytes.Contains(reply, []byte("unknown command")) {
			then(reply)
		}
	}, wordSPublish, channelWait, nil)
	ln.query(whatever, wordPing)
}
