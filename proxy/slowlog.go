package proxy

import (
	"cmp"
	"slices"
	"strings"

	"larder/metrics/slow"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// slowLogHere answers SLOWLOG: the gateway's own, of all loops. SLOWLOG GET count SPLIT also shows where an entry's time went, SLOWLOG GET count SHARD n
// what that shard's node has.
func (s *session) slowLogHere(row *command.Row, args [][]byte) bool {
	if s.unanswered() {
		return s.stall(stallEmpty) // what it asked before is to be in it
	}
	switch row.ID {
	case command.CmdSlowLogGet:
		return s.slowLogGet(row, args)
	case command.CmdSlowLogLen:
		s.slowLogs(row, func(w *resp.Writer, all []slow.Entry) { w.Int(int64(len(all))) })
	case command.CmdSlowLogReset:
		return s.slowLogReset(row, args)
	default:
		s.help(row)
	}
	return s.settles()
}

// slowLogs collects the entries of all loops, oldest first.
func (s *session) slowLogs(row *command.Row, write func(*resp.Writer, []slow.Entry)) {
	var all []slow.Entry
	seq := s.push(row)
	s.p.everywhere(func(p *part) { all = append(all, p.slowLog.Entries()...) }, func() {
		slices.SortFunc(all, func(a, b slow.Entry) int { return cmp.Compare(a.ID, b.ID) })
		over := int64(len(all)) - s.p.g.settings.Load().watching.SlowMax
		all = all[max(0, over):]
		s.later(seq, func(w *resp.Writer) { write(w, all) })
	})
}

func (s *session) slowLogGet(row *command.Row, args [][]byte) bool {
	n := int64(slow.CountDefault)
	if len(args) > 2 {
		var wrong string
		if n, wrong = slow.ParseCount(args[2]); wrong != "" && len(args) == 3 {
			s.refuse(row, wrong)
			return true
		} else if wrong != "" {
			s.refuse(row, command.SubArgumentsError(args))
			return true
		}
	}
	switch {
	case len(args) <= 3:
		s.slowLogs(row, func(w *resp.Writer, all []slow.Entry) { slow.Write(w, all, n) })
	case len(args) == 4 && strings.EqualFold(string(args[3]), "split"):
		s.slowLogs(row, func(w *resp.Writer, all []slow.Entry) { slow.WriteSplit(w, all, n) })
	case len(args) == 5 && strings.EqualFold(string(args[3]), "shard"):
		shard, wrong := s.shardNumber(args[4])
		if wrong != "" {
			s.refuse(row, wrong)
			return true
		}
		return s.passTo(row, shard, kindReads, args[:3])
	default:
		s.refuse(row, command.SubArgumentsError(args))
	}
	return s.settles()
}

// slowLogReset forgets the gateway's entries and those of all nodes.
func (s *session) slowLogReset(row *command.Row, args [][]byte) bool {
	return s.poll(row, s.p.allShards(), kindReads, args, func(seq uint32, replies [][]byte) {
		failed := s.p.failedText(replies)
		s.p.slowLog.Reset() // at once: what comes next is kept
		s.p.elsewhere(func(p *part) { p.slowLog.Reset() }, func() {
			s.later(seq, func(w *resp.Writer) {
				if failed != "" {
					w.Error(failed)
					return
				}
				w.OK()
			})
		})
	}) && s.settles()
}

// shardNumber reads the number of a shard.
func (s *session) shardNumber(word []byte) (shard int, wrong string) {
	n, ok := resp.ParseNumber(word)
	if !ok || n < 0 || n >= int64(len(s.p.shards)) {
		return 0, "ERR no such shard: " + command.Quote(word) + ", they are numbered from 0 (INFO gateway)"
	}
	return int(n), ""
}

// passTo asks one shard's node about itself; its reply is the client's.
func (s *session) passTo(row *command.Row, shard int, kind ticketKind, args [][]byte) bool {
	return s.poll(row, []int{shard}, kind, args, func(seq uint32, replies [][]byte) {
		s.later(seq, func(w *resp.Writer) { w.Raw(replies[0]) })
	})
}

// failedText is the error of what all nodes were asked to do and some did not: of each that failed, which it was; empty if none did.
func (p *part) failedText(replies [][]byte) string {
	at := firstFailed(replies)
	if at < 0 {
		return ""
	}
	text := strings.TrimSpace(string(replies[at][1:]))
	same := true
	for _, reply := range replies {
		same = same && string(reply) == string(replies[at])
	}
	if same {
		return text
	}
	return ofNode(at, p.shards[at], replies[at]) + "; others have done it"
}

// unanswered tells whether older commands of the session are on the way, so that one that tells of them has to wait. Those of an EXEC do not.
func (s *session) unanswered() bool { return s.q.len() > 0 && !s.executing }
