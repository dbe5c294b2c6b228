package engine

import (
	"fmt"
	"strconv"
	"strings"
)

// noID is what INFO shows where the stream never had another name.
const noID = "0000000000000000000000000000000000000000"

// infoReplication: the lines of Redis 7.0 server.c, genRedisInfoString, in their order.
func infoReplication(s *session, b *strings.Builder) {
	p := s.p
	if p.link != nil {
		b.WriteString("role:slave\r\n")
		p.link.writeInfo(b)
	} else {
		b.WriteString("role:master\r\n")
	}
	fmt.Fprintf(b, "connected_slaves:%d\r\n", len(p.replicas.all))
	if set := &p.set.repl; set.wanted > 0 && set.lagMaxS > 0 {
		fmt.Fprintf(b, "min_slaves_good_slaves:%d\r\n", p.replicas.good)
	}
	for i, r := range p.replicas.all {
		b.WriteString(r.line(i))
	}
	past := p.stream.past
	oldID, second := noID, int64(-1)
	if past.OldID != "" {
		oldID, second = past.OldID, past.Shared+1
	}
	fmt.Fprintf(b, "master_failover_state:%s\r\nmaster_replid:%s\r\nmaster_replid2:%s\r\nmaster_repl_offset:%d\r\nsecond_repl_offset:%d\r\n",
		p.failover.state, past.ID, oldID, past.End(), second)
	active, first, length := 0, int64(0), int64(0)
	if p.streaming() {
		active, first, length = 1, past.First(), past.Len()
	}
	fmt.Fprintf(b, "repl_backlog_active:%d\r\nrepl_backlog_size:%d\r\nrepl_backlog_first_byte_offset:%d\r\nrepl_backlog_histlen:%d\r\n",
		active, past.KeepBytes(), first, length)
}

// role tells who follows this node, of those who get the stream, and how far each is (Redis 7.0 replication.c, roleCommand).
func role(s *session, _ [][]byte) {
	p, w := s.p, &s.p.w
	if p.link != nil {
		p.link.writeRole(w)
		return
	}
	online := 0
	for _, r := range p.replicas.all {
		if r.isOnline() {
			online++
		}
	}
	w.Array(3)
	w.Bulk("master")
	w.Int(p.stream.past.End())
	w.Array(online)
	for _, r := range p.replicas.all {
		if r.isOnline() {
			w.Array(3)
			w.Bulk(r.ip())
			w.Bulk(strconv.Itoa(r.told.port))
			w.Bulk(strconv.FormatInt(r.ackedAt, 10))
		}
	}
}

// isOnline: it is sent the stream, or is about to be.
func (r *replica) isOnline() bool { return r.phase == phaseOnline || r.phase == phaseLoading }
