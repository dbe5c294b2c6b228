package engine

import (
	"strings"

	"larder/metrics"
	"larder/metrics/slow"
	"larder/protocol/client"
	"larder/protocol/command"
)

// times are those of a command that are to be shown.
func (p *part) times(id command.ID) metrics.Times {
	return p.tracking.Times(id, &p.count.commands, &p.base0.commands)
}

// trackTimes notes that tracking was turned on or off; was says how it was before.
func (p *part) trackTimes(was bool) {
	p.tracking = p.tracking.Switched(was, p.set.watching.Tracking, &p.count.commands)
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
