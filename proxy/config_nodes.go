package proxy

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// setNodes is CONFIG SET on all nodes: all take it, or none keeps it. They are asked first what they have; where one refuses, those that took it are set back.
// A node that was out of reach in between may have either, and the client is told so. then runs when all have taken it.
func (s *session) setNodes(row *command.Row, words [][]byte, then func(seq uint32)) bool {
	p, shards := s.p, s.p.allShards()
	words = copied(words)
	if len(shards) == 1 { // a node takes all of it or nothing
		return s.poll(row, shards, kindReads, words, func(seq uint32, replies [][]byte) {
			if text := p.failedText(replies); text != "" {
				s.later(seq, func(w *resp.Writer) { w.Error(text) })
				return
			}
			then(seq)
		})
	}
	asks := [][]byte{words[0], []byte("GET")}
	for i := 2; i < len(words); i += 2 {
		asks = append(asks, words[i])
	}
	nodes := slices.Clone(p.shards)
	return s.poll(row, shards, kindReads, asks, func(seq uint32, replies [][]byte) {
		if at := firstFailed(replies); at >= 0 {
			text := ofNode(at, nodes[at], replies[at]) + "; nothing was changed"
			s.later(seq, func(w *resp.Writer) { w.Error(text) })
			return
		}
		var before [][][]byte
		for _, reply := range replies {
			before = append(before, settingBack(reply, words))
		}
		s.pollFor(seq, row, nodes, kindReads, func(int) [][]byte { return words }, func(seq uint32, replies [][]byte) {
			if firstFailed(replies) < 0 {
				then(seq)
				return
			}
			s.setBack(seq, row, nodes, before, replies)
		})
	})
}

// setBack undoes what some nodes have done and others refused.
func (s *session) setBack(seq uint32, row *command.Row, nodes []*upstream, before [][][]byte, replies [][]byte) {
	at := firstFailed(replies)
	text, same := ofNode(at, nodes[at], replies[at]), true
	var took []*upstream
	var words [][][]byte
	for i, reply := range replies {
		same = same && bytes.Equal(reply, replies[at])
		if !resp.IsError(reply) && len(before[i]) > 2 {
			took, words = append(took, nodes[i]), append(words, before[i])
		}
	}
	if same {
		text = strings.TrimSpace(string(replies[at][1:]))
	}
	if len(took) == 0 {
		s.later(seq, func(w *resp.Writer) { w.Error(text) })
		return
	}
	s.pollFor(seq, row, took, kindReads, func(i int) [][]byte { return words[i] }, func(seq uint32, replies [][]byte) {
		text += "; the others were set back"
		if at := firstFailed(replies); at >= 0 {
			text += ", but for " + took[at].addr + ": " + firstLine(string(replies[at][1:]))
		}
		s.later(seq, func(w *resp.Writer) { w.Error(text) })
	})
}

// settingBack is the CONFIG SET that gives parameters the values which CONFIG GET told of. Of each it has the name as it was asked for: a name with a star
// in it is none, though CONFIG GET takes it for many.
func settingBack(reply []byte, words [][]byte) [][]byte {
	back := [][]byte{words[0], words[1]}
	for it := resp.Elements(reply); ; {
		name, _ := it.Next()
		value, ok := it.Next()
		if !ok {
			return back
		}
		n, _ := resp.BulkOf(name)
		v, _ := resp.BulkOf(value)
		for i := 2; i < len(words); i += 2 {
			if bytes.EqualFold(n, words[i]) {
				back = append(back, bytes.Clone(n), bytes.Clone(v))
				break
			}
		}
	}
}

// ofNode is an error with the node that gave it.
func ofNode(shard int, u *upstream, reply []byte) string {
	code, rest, _ := strings.Cut(strings.TrimSpace(string(reply[1:])), " ")
	return code + " shard " + strconv.Itoa(shard) + " (" + u.addr + "): " + rest
}
