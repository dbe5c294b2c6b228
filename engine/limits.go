package engine

import (
	"math"
	"strconv"

	"larder/engine/commands"
	"larder/protocol/client"
)

// countLimit is a parameter that is a limit of collections' small forms, a number of elements; at is its place.
func countLimit(name string, at func(*commands.Limits) *int) client.Parameter[*session, settings] {
	return limit(name, at, func(value string) (int64, string) { return client.ParseNumber(value, 0, math.MaxInt64) })
}

// sizeLimit is countLimit of a number of bytes.
func sizeLimit(name string, at func(*commands.Limits) *int) client.Parameter[*session, settings] {
	return limit(name, at, func(value string) (int64, string) { return client.ParseMemory(value, 0) })
}

func limit(name string, at func(*commands.Limits) *int, parse func(string) (int64, string)) client.Parameter[*session, settings] {
	return client.Parameter[*session, settings]{
		Name: name,
		Get:  func(s *session) string { return strconv.Itoa(*at(&s.p.set.collections)) },
		Set: func(set *settings, value string) string {
			n, wrong := parse(value)
			if wrong == "" {
				*at(&set.collections) = int(n)
			}
			return wrong
		},
	}
}

func trackedMax(s *settings) *int64 { return &s.trackedMax }
func slowUS(s *settings) *int64     { return &s.watching.SlowUS }
func slowMax(s *settings) *int64    { return &s.watching.SlowMax }
func latencyMS(s *settings) *int64  { return &s.watching.LatencyMS }

func hllSparse(l *commands.Limits) *int     { return &l.HLL.SparseMax }
func hashEntries(l *commands.Limits) *int   { return &l.Hash.Entries }
func hashValue(l *commands.Limits) *int     { return &l.Hash.Value }
func zsetEntries(l *commands.Limits) *int   { return &l.ZSet.EntriesMax }
func zsetValue(l *commands.Limits) *int     { return &l.ZSet.ValueMax }
func setInts(l *commands.Limits) *int       { return &l.Set.Ints }
func setEntries(l *commands.Limits) *int    { return &l.Set.Packed }
func streamBytes(l *commands.Limits) *int   { return &l.Stream.NodeMaxBytes }
func streamEntries(l *commands.Limits) *int { return &l.Stream.NodeMaxEntries }
func setValue(l *commands.Limits) *int      { return &l.Set.Value }

// listSize is a parameter that limits lists by elements or by a class of bytes.
func listSize(name string) client.Parameter[*session, settings] {
	return limit(name, func(l *commands.Limits) *int { return &l.List.Size }, func(value string) (int64, string) {
		return client.ParseNumber(value, math.MinInt32, math.MaxInt32)
	})
}
