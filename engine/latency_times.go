package engine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"larder/engine/commands"
	"larder/metrics"
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
	switch is := p.set.watching.tracking; {
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

// latencyHistogram tells of the commands named, of a container those of its subcommands, or of all that ran.
func latencyHistogram(s *session, args [][]byte) {
	rows := command.Rows()
	if len(args) > 2 {
		rows = nil
		for _, name := range args[2:] {
			rows = append(rows, command.Named(name)...)
		}
	}
	var ran []*command.Row
	var times []metrics.Times
	for _, row := range rows {
		if t := s.p.times(row.ID); t.Count() > 0 {
			ran, times = append(ran, row), append(times, t)
		}
	}
	w := &s.p.w
	w.Map(len(ran))
	for i, row := range ran {
		w.Bulk(row.Name)
		w.Map(2)
		w.Bulk("calls")
		w.Int(int64(times[i].Count()))
		w.Bulk("histogram_usec")
		var bounds []int64
		times[i].Each(func(us, n uint64) { bounds = append(bounds, int64(us), int64(n)) })
		w.Map(len(bounds) / 2)
		for _, n := range bounds {
			w.Int(n)
		}
	}
}

// infoTimes is INFO's section of the percentiles.
func infoTimes(s *session, b *strings.Builder) {
	w := &s.p.set.watching
	if !w.tracking {
		return
	}
	for _, row := range command.Rows() {
		t := s.p.times(row.ID)
		if t.Count() == 0 {
			continue
		}
		fields := make([]string, len(w.percentiles))
		for i, percent := range w.percentiles {
			fields[i] = fmt.Sprintf("p%s=%.3f", percentText(percent), t.Percentile(percent)/1000)
		}
		fmt.Fprintf(b, "latency_percentiles_usec_%s:%s\r\n", row.Name, strings.Join(fields, ","))
	}
}

// percentText has up to six digits behind the point.
func percentText(percent float64) string {
	const digits = 6
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(percent, 'f', digits, 64), "0"), ".")
}

var timesParameter = client.Parameter[*session, settings]{
	Name: "latency-tracking",
	Get: func(s *session) string {
		if s.p.set.watching.tracking {
			return noYes[1]
		}
		return noYes[0]
	},
	Set: func(set *settings, value string) string {
		at := slices.Index(noYes, strings.ToLower(value))
		if at < 0 {
			return "argument must be 'yes' or 'no'"
		}
		set.watching.tracking = at == 1
		return ""
	},
}

var percentilesParameter = client.Parameter[*session, settings]{
	Name: "latency-tracking-info-percentiles",
	Get: func(s *session) string {
		words := make([]string, len(s.p.set.watching.percentiles))
		for i, percent := range s.p.set.watching.percentiles {
			words[i] = percentText(percent)
		}
		return strings.Join(words, " ")
	},
	Set: func(set *settings, value string) string {
		percentiles, wrong := parsePercentiles(value)
		if wrong == "" {
			set.watching.percentiles = percentiles
		}
		return wrong
	},
}

// parsePercentiles reads numbers with one blank between them; nothing at all is none (Redis 7.0 config.c, setConfigLatencyTrackingInfoPercentilesOutputOption).
func parsePercentiles(value string) (percentiles []float64, wrong string) {
	const most = 100
	if value == "" {
		return nil, ""
	}
	for word := range strings.SplitSeq(value, " ") {
		percent, ok := commands.ParseDouble([]byte(word))
		switch {
		case !ok:
			return nil, "Invalid latency-tracking-info-percentiles parameters"
		case percent < 0 || percent > most:
			return nil, "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"
		}
		percentiles = append(percentiles, percent)
	}
	return percentiles, ""
}
