package proxy

import (
	"bytes"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// gatherStreams: XREAD that does not wait asks each shard for its own streams; the reply has them in the order in which they were named.
func (j *job) gatherStreams() {
	at := j.row.KeyPositions(j.args, nil)
	keys := j.args[at[0] : at[0]+len(at)]
	ids := j.args[at[0]+len(at):]
	if len(ids) != len(keys) {
		j.askForError()
		return
	}
	idOf := map[string][][]byte{} // by key: the ids, in order
	for i, key := range keys {
		idOf[string(key)] = append(idOf[string(key)], ids[i])
	}
	groups := j.p.groups(keys)
	var questions []question
	for _, group := range groups {
		args := append([][]byte(nil), j.args[:at[0]]...)
		args = append(args, group.keys...)
		taken := map[string]int{}
		for _, key := range group.keys {
			args = append(args, idOf[string(key)][taken[string(key)]])
			taken[string(key)]++
		}
		questions = append(questions, question{row: j.row, args: args, db: j.s.db})
	}
	j.ask(func(j *job) {
		if j.failed() {
			return
		}
		j.workOut(func() []byte { return j.streamsReply(keys, groups) })
	}, questions...)
}

// namedStream is one of a reply of XREAD: a pair of name and entries, or, of a map, both one after the other.
type namedStream struct{ name, raw []byte }

// streamsReply merges the shards' replies. Each has those of its keys for which there is something, in their order.
func (j *job) streamsReply(keys [][]byte, groups []keyGroup) []byte {
	replies := map[int][]namedStream{} // by shard
	place := map[string]int{}          // by key: its shard
	for i, group := range groups {
		streams, ok := streamsOf(j.replies[i])
		if !ok {
			return []byte(errorOutOfForm)
		}
		replies[group.shard] = streams
		for _, key := range group.keys {
			place[string(key)] = group.shard
		}
	}
	var found [][]byte
	for _, key := range keys {
		shard := place[string(key)]
		if left := replies[shard]; len(left) > 0 && bytes.Equal(left[0].name, key) {
			found = append(found, left[0].raw)
			replies[shard] = left[1:]
		}
	}
	return j.writeStreams(found)
}

// writeStreams is a reply of named streams, as they came from shards.
func (j *job) writeStreams(found [][]byte) []byte {
	w := j.writer()
	if len(found) == 0 {
		w.NullArray()
		return w.Out
	}
	w.Map(len(found))
	if w.Proto == 2 { // not flat, as a map else is
		w.Out = resp.AppendArray(w.Out[:0], len(found))
	}
	for _, raw := range found {
		w.Out = append(w.Out, raw...)
	}
	return w.Out
}

func streamsOf(reply []byte) (streams []namedStream, ok bool) {
	if resp.Value(reply).IsNull() {
		return nil, true
	}
	it := resp.Elements(reply)
	for it.Left() > 0 {
		first, _ := it.Next()
		switch resp.Value(reply).Kind() {
		case resp.KindArray:
			pair := resp.Elements(first)
			name, _ := pair.Next()
			text, isText := resp.BulkOf(name)
			if !isText {
				return nil, false
			}
			streams = append(streams, namedStream{text, first})
		case resp.KindMap:
			entries, more := it.Next()
			text, isText := resp.BulkOf(first)
			if !more || !isText {
				return nil, false
			}
			streams = append(streams, namedStream{text, append(append([]byte(nil), first...), entries...)})
		default:
			return nil, false
		}
	}
	return streams, true
}

// waitsForStreams says whether XREAD or XREADGROUP is to wait: then its streams must be one shard's.
func waitsForStreams(args [][]byte) bool {
	for _, arg := range args {
		switch {
		case command.EqualFold(arg, "block"):
			return true
		case command.EqualFold(arg, "streams"):
			return false
		}
	}
	return false
}
