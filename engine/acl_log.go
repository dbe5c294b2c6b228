package engine

import (
	"strconv"
	"strings"
	"time"
)

// refusals is ACL LOG: what was refused to users lately, newest first. The same thing refused again within a minute counts as one entry (Redis 7.2
// acl.c's documented behaviour).
type refusals struct {
	entries []refusal
	nextID  int64
	most    int // acllog-max-len
}

type refusal struct {
	id                int64
	count             int64
	reason            string // command, key, channel or auth
	context           string // toplevel, multi or lua
	object            string
	user              string
	client            string
	createdMS, lastMS int64
}

const aclLogMaxDefault = 128

// limit changes how many entries are kept.
func (l *refusals) limit(most int) {
	l.most = most
	l.entries = l.entries[:min(len(l.entries), most)]
}

const refusalTogetherMS = int64(60 * time.Second / time.Millisecond)

// note keeps a refusal.
func (l *refusals) note(s *session, reason, object, user string) {
	info, context := s.info(), "toplevel"
	if s.state&inMulti != 0 {
		context = "multi"
	}
	e := refusal{
		id: l.nextID, count: 1, reason: reason, context: context, object: object, user: user,
		client:    strings.TrimSuffix(string(info.AppendLine(nil)), "\n"),
		createdMS: s.p.nowMS, lastMS: s.p.nowMS,
	}
	for i := range l.entries {
		old := &l.entries[i]
		if old.reason == reason && old.context == e.context && old.object == object && old.user == user && s.p.nowMS-old.lastMS <= refusalTogetherMS {
			old.count++
			old.client, old.lastMS = e.client, e.lastMS
			again := *old
			copy(l.entries[1:i+1], l.entries[:i])
			l.entries[0] = again
			return
		}
	}
	l.nextID++
	l.entries = append([]refusal{e}, l.entries[:min(len(l.entries), max(0, l.most-1))]...)
	l.entries = l.entries[:min(len(l.entries), l.most)]
}

// write is the entry as ACL LOG shows it.
func (e *refusal) write(s *session) {
	w := &s.p.w
	w.Map(10)
	w.Bulk("count")
	w.Int(e.count)
	for _, pair := range [][2]string{{"reason", e.reason}, {"context", e.context}, {"object", e.object}, {"username", e.user}} {
		w.Bulk(pair[0])
		w.Bulk(pair[1])
	}
	w.Bulk("age-seconds")
	age := float64(s.p.nowMS-e.lastMS) / 1000
	if w.Proto == 3 {
		w.Double(age)
	} else {
		w.Bulk(strconv.FormatFloat(age, 'g', -1, 64))
	}
	w.Bulk("client-info")
	w.Bulk(e.client)
	w.Bulk("entry-id")
	w.Int(e.id)
	w.Bulk("timestamp-created")
	w.Int(e.createdMS)
	w.Bulk("timestamp-last-updated")
	w.Int(e.lastMS)
}
