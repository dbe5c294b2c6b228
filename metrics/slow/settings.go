// Package slow keeps what took long: the commands of SLOWLOG, and the events of LATENCY with their graph and report; and it shows how long commands took.
// It is the same for a node and for a gateway.
//
// What must hold: entries, replies and texts are those of Redis 7.2 where it has them (slowlog.c, latency.c). What is kept has a limit. All of it belongs to
// one goroutine.
package slow

import (
	"math"
	"strconv"
	"strings"
	"time"

	"larder/protocol/encoding/decimal"
)

// Never is longer than anything takes.
const Never = math.MaxInt64

// Settings are those of what looks for slow commands.
type Settings struct {
	SlowUS      int64 // slowlog-log-slower-than; negative: off
	SlowMax     int64 // slowlog-max-len
	LatencyMS   int64 // latency-monitor-threshold; 0 = off
	Tracking    bool  // latency-tracking
	Percentiles []float64
}

// Defaults are Redis's.
func Defaults() Settings {
	return Settings{SlowUS: 10_000, SlowMax: 128, Tracking: true, Percentiles: []float64{50, 99, 99.9}}
}

// SlowNS is from when on a command is in the slow log.
func (s *Settings) SlowNS() int64 {
	if s.SlowUS < 0 || s.SlowMax == 0 {
		return Never
	}
	return inNS(s.SlowUS, time.Microsecond)
}

// SpikeNS is from when on the latency monitor notes what was slow.
func (s *Settings) SpikeNS() int64 {
	if s.LatencyMS == 0 {
		return Never
	}
	return inNS(s.LatencyMS, time.Millisecond)
}

// inNS is n units in nanoseconds; what is more than there is stands for never.
func inNS(n int64, unit time.Duration) int64 {
	if n > Never/int64(unit) {
		return Never
	}
	return n * int64(unit)
}

// PercentilesText is latency-tracking-info-percentiles as CONFIG GET shows it.
func (s *Settings) PercentilesText() string {
	words := make([]string, len(s.Percentiles))
	for i, percent := range s.Percentiles {
		words[i] = percentText(percent)
	}
	return strings.Join(words, " ")
}

// percentText has up to six digits behind the point.
func percentText(percent float64) string {
	const digits = 6
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(percent, 'f', digits, 64), "0"), ".")
}

// SetPercentiles reads numbers with one blank between them; nothing at all is none (Redis 7.0 config.c, setConfigLatencyTrackingInfoPercentilesOutputOption).
func (s *Settings) SetPercentiles(value string) (wrong string) {
	const most = 100
	var percentiles []float64
	if value != "" {
		for word := range strings.SplitSeq(value, " ") {
			percent, ok := decimal.ParseDouble([]byte(word))
			switch {
			case !ok:
				return "Invalid latency-tracking-info-percentiles parameters"
			case percent < 0 || percent > most:
				return "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"
			}
			percentiles = append(percentiles, percent)
		}
	}
	s.Percentiles = percentiles
	return ""
}

// SetTracking reads latency-tracking.
func (s *Settings) SetTracking(value string) (wrong string) {
	switch strings.ToLower(value) {
	case "yes":
		s.Tracking = true
	case "no":
		s.Tracking = false
	default:
		return "argument must be 'yes' or 'no'"
	}
	return ""
}

// TrackingText is latency-tracking as CONFIG GET shows it.
func (s *Settings) TrackingText() string {
	if s.Tracking {
		return "yes"
	}
	return "no"
}
