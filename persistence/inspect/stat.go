package inspect

import (
	"cmp"
	"io"
	"slices"
	"strings"
	"time"

	"larder/persistence/rdb"
)

// StatOptions say what is counted.
type StatOptions struct {
	Options
	Top         int // how many of the biggest keys and prefixes are told
	PrefixDepth int // how many parts of a key, each up to a ':', are its prefix
}

// prefixesMax bounds the prefixes that are counted apart; keys with others are counted together, as those of Others.
const prefixesMax = 100_000

// What stands in the place of a prefix.
const (
	NoPrefix = "(no prefix)"
	Others   = "(others)"
)

// Stats is what a file is made of.
type Stats struct {
	Summary
	Types    []TypeStat   `json:"types"`    // by database and type
	Expiries Expiries     `json:"expiries"` // of keys
	Prefixes []PrefixStat `json:"prefixes"` // those with most bytes
	Biggest  []Key        `json:"biggest"`  // by bytes
	Longest  []Key        `json:"longest"`  // by elements
}

// TypeStat counts the keys of a type in a database.
type TypeStat struct {
	DB       int    `json:"db"`
	Type     string `json:"type"`
	Keys     int64  `json:"keys"`
	Elements int64  `json:"elements"`
	Bytes    int64  `json:"bytes"`
}

// Expiries counts keys by when they expire, as seen from now.
type Expiries struct {
	Never int64 `json:"never"`
	Past  int64 `json:"past"`
	Hour  int64 `json:"within_hour"`
	Day   int64 `json:"within_day"`
	Week  int64 `json:"within_week"`
	Later int64 `json:"later"`
}

func (x *Expiries) add(atMS int64, now time.Time) {
	left := time.UnixMilli(atMS).Sub(now)
	switch {
	case atMS == 0:
		x.Never++
	case left <= 0:
		x.Past++
	case left <= time.Hour:
		x.Hour++
	case left <= 24*time.Hour:
		x.Day++
	case left <= 7*24*time.Hour:
		x.Week++
	default:
		x.Later++
	}
}

// PrefixStat counts the keys that begin with a prefix.
type PrefixStat struct {
	Prefix string `json:"prefix"`
	Keys   int64  `json:"keys"`
	Bytes  int64  `json:"bytes"`
}

// Stat reads a file and counts.
func Stat(r io.Reader, o StatOptions) (*Stats, error) {
	s := &stats{o: o, types: map[typeAt]*TypeStat{}, prefixes: map[string]*PrefixStat{}}
	summary, err := walk(r, o.Options, s.add)
	return s.result(summary), err
}

type typeAt struct {
	db   int
	name string
}

type stats struct {
	o                StatOptions
	c                counting
	types            map[typeAt]*TypeStat
	prefixes         map[string]*PrefixStat
	expiries         Expiries
	biggest, longest []Key
}

func (s *stats) add(e *rdb.Entry) error {
	n, err := s.c.elements(e)
	if err != nil {
		return err
	}
	at := typeAt{e.DB, typeOf(e)}
	t := s.types[at]
	if t == nil {
		t = &TypeStat{DB: e.DB, Type: at.name}
		s.types[at] = t
	}
	t.Keys++
	t.Elements += int64(n)
	t.Bytes += e.Size
	s.expiries.add(e.ExpiryMS, s.o.Now)
	s.addPrefix(e)
	s.biggest = s.rank(s.biggest, e, n, func(k *Key) int64 { return k.Bytes })
	if at.name != "string" {
		s.longest = s.rank(s.longest, e, n, func(k *Key) int64 { return int64(k.Elements) })
	}
	return nil
}

func (s *stats) addPrefix(e *rdb.Entry) {
	prefix := prefixOf(e.Key, s.o.PrefixDepth)
	p := s.prefixes[string(prefix)]
	if p == nil {
		name := string(prefix)
		switch {
		case name == "":
			name = NoPrefix
		case len(s.prefixes) >= prefixesMax:
			name = Others
		}
		if p = s.prefixes[name]; p == nil {
			p = &PrefixStat{Prefix: name}
			s.prefixes[name] = p
		}
	}
	p.Keys++
	p.Bytes += e.Size
}

// prefixOf is a key's front up to its depth-th ':' or as many as it has; nothing if it has none.
func prefixOf(key []byte, depth int) []byte {
	end := 0
	for i, b := range key {
		if b != ':' {
			continue
		}
		end = i + 1
		if depth--; depth == 0 {
			break
		}
	}
	return key[:end]
}

// rank keeps the keys that are first by some measure, in order.
func (s *stats) rank(best []Key, e *rdb.Entry, elements int, by func(*Key) int64) []Key {
	k := Key{Bytes: e.Size, Elements: elements}
	if s.o.Top == 0 || len(best) == s.o.Top && by(&best[len(best)-1]) >= by(&k) {
		return best
	}
	k = describe(e, elements)
	at, _ := slices.BinarySearchFunc(best, by(&k), func(have Key, want int64) int {
		if by(&have) >= want { // equal ones stay in the order of the file
			return -1
		}
		return 1
	})
	best = slices.Insert(best, at, k)
	return best[:min(len(best), s.o.Top)]
}

func (s *stats) result(summary *Summary) *Stats {
	out := &Stats{Summary: *summary, Expiries: s.expiries, Biggest: s.biggest, Longest: s.longest}
	for _, t := range s.types {
		out.Types = append(out.Types, *t)
	}
	slices.SortFunc(out.Types, func(a, b TypeStat) int { return cmp.Or(a.DB-b.DB, strings.Compare(a.Type, b.Type)) })
	for _, p := range s.prefixes {
		out.Prefixes = append(out.Prefixes, *p)
	}
	slices.SortFunc(out.Prefixes, func(a, b PrefixStat) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), strings.Compare(a.Prefix, b.Prefix))
	})
	out.Prefixes = out.Prefixes[:min(len(out.Prefixes), s.o.Top)]
	return out
}
