package proxy

import (
	"bytes"
	"fmt"

	"larder/protocol/resp"
)

// appendAnd joins arrays of 0 and 1: an element is 1 if all shards say so.
func (m *merge) appendAnd(dst []byte) ([]byte, bool) {
	m.iters = m.iters[:0]
	n := 0
	for i, sub := range m.subs {
		if !isArray(sub) {
			return dst, false
		}
		it := resp.Elements(sub)
		if i > 0 && it.Left() != n {
			return dst, false
		}
		n = it.Left()
		m.iters = append(m.iters, it)
	}
	dst = resp.AppendArray(dst, n)
	for range n {
		all := int64(1)
		for i := range m.iters {
			elem, _ := m.iters[i].Next()
			one, ok := resp.ParseInt(elem)
			if !ok {
				return dst, false
			}
			all = min(all, one)
		}
		dst = resp.AppendInt(dst, all)
	}
	return dst, true
}

// notBusy is what a shard says that runs no script.
var notBusy = []byte("-NOTBUSY ")

// pickOne is the reply to a command that concerns the one shard that can obey it: success, or else what says more than that there was nothing to do.
func (m *merge) pickOne() []byte {
	best := m.subs[0]
	for _, sub := range m.subs {
		if len(sub) > 0 && sub[0] != '-' {
			return sub
		}
		if bytes.HasPrefix(best, notBusy) {
			best = sub
		}
	}
	return best
}

// pickRunning is FUNCTION STATS of a shard that runs a function, or else of the first that answers.
func (m *merge) pickRunning() []byte {
	var first []byte
	for _, sub := range m.subs {
		if len(sub) == 0 || sub[0] == '-' {
			continue
		}
		it := resp.Elements(sub)
		it.Next()
		if running, ok := it.Next(); ok && !resp.Value(running).IsNull() {
			return sub
		}
		if first == nil {
			first = sub
		}
	}
	if first == nil {
		return m.subs[0]
	}
	return first
}

// appendEvery is the reply to a change that every shard has to make: the reply if all have, the error if none has.
func (m *merge) appendEvery(dst []byte) []byte {
	var failed []byte
	done := 0
	for _, sub := range m.subs {
		switch {
		case len(sub) > 0 && sub[0] != '-':
			done++
		case failed == nil:
			failed = sub
		}
	}
	switch {
	case failed == nil:
		return append(dst, m.subs[0]...)
	case done == 0:
		return append(dst, failed...)
	}
	// In words that no driver sends again by itself: a second FUNCTION LOAD without REPLACE would be refused where the first has run.
	return appendError(dst, fmt.Sprintf("ERR done on %d of %d shards only, send it again (FUNCTION LOAD and RESTORE with REPLACE): %s",
		done, len(m.subs), bytes.TrimSpace(failed[1:])))
}
