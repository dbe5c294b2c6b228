package proxy

import (
	"larder/metrics"
	"larder/metrics/slow"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// latencyHere answers LATENCY: what the gateway's commands took, those of all loops.
func (s *session) latencyHere(row *command.Row, args [][]byte) bool {
	if s.unanswered() {
		return s.stall(stallEmpty) // what it asked before is to be in it
	}
	args = copied(args)
	nowS := s.p.g.nowMS(s.p.l.Now()) / 1000
	switch row.ID {
	case command.CmdLatencyHistory:
		s.allSpikes(row, func(w *resp.Writer, all slow.Spikes) { all.WriteHistory(w, args[2]) })
	case command.CmdLatencyLatest:
		s.allSpikes(row, func(w *resp.Writer, all slow.Spikes) { all.WriteLatest(w) })
	case command.CmdLatencyGraph:
		s.allSpikes(row, func(w *resp.Writer, all slow.Spikes) { all.WriteGraph(w, args[2], nowS) })
	case command.CmdLatencyDoctor:
		s.allSpikes(row, func(w *resp.Writer, all slow.Spikes) {
			w.Verbatim("txt", all.Report(&s.p.g.settings.Load().watching, nowS, latencyAdvice))
		})
	case command.CmdLatencyReset:
		s.latencyReset(row, args)
	case command.CmdLatencyHistogram:
		s.counted(row, func(w *resp.Writer) { slow.WriteHistogram(w, args, s.p.g.times()) })
	default:
		s.help(row)
	}
	return s.settles()
}

// allSpikes joins the events of all loops.
func (s *session) allSpikes(row *command.Row, write func(*resp.Writer, slow.Spikes)) {
	var all slow.Spikes
	seq := s.push(row)
	s.p.everywhere(func(p *part) { all.Join(p.spikes) }, func() {
		s.later(seq, func(w *resp.Writer) { write(w, all) })
	})
}

// latencyReset counts an event once, on however many loops it happened.
func (s *session) latencyReset(row *command.Row, args [][]byte) {
	names := args[2:]
	var gone slow.Spikes
	seq := s.push(row)
	s.p.everywhere(func(p *part) {
		gone.Join(p.spikes)
		p.spikes.Reset(names)
	}, func() {
		n := gone.Reset(names)
		s.later(seq, func(w *resp.Writer) { w.Int(int64(n)) })
	})
}

// copied are arguments that outlive the callback.
func copied(args [][]byte) [][]byte {
	out := make([][]byte, len(args))
	for i, arg := range args {
		out[i] = append([]byte(nil), arg...)
	}
	return out
}

// counted answers a command by the counts of all loops, as they are now.
func (s *session) counted(row *command.Row, write func(*resp.Writer)) {
	seq := s.push(row)
	s.p.everywhere((*part).publish, func() { s.later(seq, write) })
}

// times are what LATENCY HISTOGRAM and INFO latencystats show of a command.
func (g *Gateway) times() func(command.ID) metrics.Times {
	all := g.stats.sum()
	base := metrics.NewCommands()
	if before := g.base.Load(); before != nil {
		base = before.commands
	}
	tracked := g.tracked.Load()
	return func(id command.ID) metrics.Times { return tracked.Times(id, &all.commands, &base) }
}

var latencyAdvice = append(append([]slow.Advice(nil), slow.AboutSlowLog...), slow.Advice{
	Event: slow.EventFast, Holds: slow.Always,
	Text: slow.Saying("Commands that need microseconds were answered late. SLOWLOG GET 10 SPLIT says whether they waited in this gateway or for their node; what the node " +
		"itself needed, SLOWLOG GET 10 SHARD n says. If the node was quick, look at the network between both and at the processor that this gateway has."),
})
