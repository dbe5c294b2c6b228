package engine

import (
	"strings"

	"larder/metrics"
	"larder/metrics/slow"
	"larder/protocol/client"
	"larder/protocol/command"
)

// commandTimes is what latency-tracking shows of how long commands took: what the metrics count, since CONFIG RESETSTAT and without what came while
// tracking was off.
type commandTimes struct {
	ended  *metrics.Commands // the counts when tracking was turned off, nil while it is on
	missed *metrics.Commands // what came while it was off before, nil if nothing
}

// times are those of a command that are to be shown.
func (p *part) times(id command.ID) metrics.Times {
	t, at := &p.tracking, int(id)
	all := &p.count.commands
	if t.ended != nil {
		all = t.ended
	}
	shown := all.Times(at).Less(p.base0.commands.Times(at))
	if t.missed != nil {
		shown = shown.Less(t.missed.Times(at))
	}
	return shown
}

// trackTimes notes that tracking was turned on or off; was says how it was before.
func (p *part) trackTimes(was bool) {
	t, all := &p.tracking, &p.count.commands
	switch is := p.set.watching.Tracking; {
	case was && !is:
		ended := metrics.NewCommands()
		ended.Set(all)
		t.ended = &ended
	case is && !was:
		missed := metrics.NewCommands()
		missed.Set(all)
		missed.Take(t.ended)
		if t.missed != nil {
			missed.Add(t.missed)
		}
		t.ended, t.missed = nil, &missed
	}
}

// reset begins anew; what there is of commands is the base then.
func (t *commandTimes) reset(all *metrics.Commands) {
	t.missed = nil
	if t.ended != nil {
		t.ended.Set(all)
	}
}

func latencyHistogram(s *session, args [][]byte) { slow.WriteHistogram(&s.p.w, args, s.p.times) }

// infoTimes is INFO's section of the percentiles.
func infoTimes(s *session, b *strings.Builder) { s.p.set.watching.AppendInfo(b, s.p.times) }

var timesParameter = client.Parameter[*session, settings]{
	Name: "latency-tracking",
	Get:  func(s *session) string { return s.p.set.watching.TrackingText() },
	Set:  func(set *settings, value string) string { return set.watching.SetTracking(value) },
}

var percentilesParameter = client.Parameter[*session, settings]{
	Name: "latency-tracking-info-percentiles",
	Get:  func(s *session) string { return s.p.set.watching.PercentilesText() },
	Set:  func(set *settings, value string) string { return set.watching.SetPercentiles(value) },
}
