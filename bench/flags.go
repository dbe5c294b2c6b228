package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"math"
	"strings"
)

const (
	unlimitedRequests = math.MaxInt
	keysUsual         = 1_000_000
)

// flags is the command line; zero durations and counts mean the default of the chosen form, full or quick.
type flags struct {
	quick                 bool
	only, cell            string
	rounds, requests      int
	seconds               float64
	conns, keys           int
	out, profile, larder  string
	generator             string
	serverCore, otherCore int
}

func parseFlags(args []string) (flags, error) {
	var f flags
	s := flag.NewFlagSet("bench", flag.ContinueOnError)
	s.BoolVar(&f.quick, "quick", false, "one short round, 64-byte values, fewer keys: about two minutes, for direction")
	s.StringVar(&f.only, "only", strings.Join(sectionNames(), ","), "sections to run, separated by commas")
	s.StringVar(&f.cell, "cell", "", "of gateway and node only loads whose name matches this expression, e.g. '^GET/64B/d16$'")
	s.IntVar(&f.rounds, "rounds", 0, "interleaved pairs a load; 0: 3, quick 1")
	s.IntVar(&f.requests, "requests", 0, "most requests a run; 0: only time limits it")
	s.Float64Var(&f.seconds, "seconds", 0, "length of a run; 0: 2 s, quick 0.6 s")
	s.IntVar(&f.conns, "conns", 50, "connections (behind and latency have their own numbers)")
	s.IntVar(&f.keys, "keys", 0, "size of the key space, sections with many keys take five times as many; 0: a million, quick a fifth of it")
	s.StringVar(&f.out, "out", "", "where to write the report (.md; a .json beside it); default bench/RESULTS.md for a full run, else only standard output")
	s.StringVar(&f.profile, "pprof", "", "don't compare: profile larder's first chosen load into this file")
	s.StringVar(&f.larder, "larder", "", "a larder binary to measure instead of building ./cmd/larder")
	s.StringVar(&f.generator, "generator", "own", "own, or redis-benchmark (for GET and SET, as a cross-check)")
	s.IntVar(&f.serverCore, "server-core", 0, "CPU of the server under test")
	s.IntVar(&f.otherCore, "load-core", 1, "CPU of the generator and the backends")
	if err := s.Parse(args); err != nil {
		return f, err
	}
	return f, f.validate(s.Args())
}

func (f *flags) validate(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q", rest[0])
	case f.rounds < 0 || f.requests < 0 || f.seconds < 0 || f.conns < 1:
		return errors.New("-conns must be at least 1, -rounds, -requests and -seconds not negative")
	case f.keys < 0 || f.keys > keysMax/manyFold:
		return fmt.Errorf("-keys %d: want at most %d", f.keys, keysMax/manyFold)
	case f.generator != "own" && f.generator != "redis-benchmark":
		return fmt.Errorf("-generator %q: want own or redis-benchmark", f.generator)
	case f.serverCore == f.otherCore:
		return fmt.Errorf("-server-core and -load-core are both %d: the server under test needs a core for itself", f.otherCore)
	}
	rounds, seconds, keys := 3, 2.0, keysUsual
	if f.quick {
		rounds, seconds, keys = 1, 0.6, keysUsual/5
	}
	f.rounds, f.seconds, f.keys = cmp.Or(f.rounds, rounds), cmp.Or(f.seconds, seconds), cmp.Or(f.keys, keys)
	f.requests = cmp.Or(f.requests, unlimitedRequests)
	return nil
}

// whole says whether the run is what RESULTS.md stands for.
func (f *flags) whole() bool {
	return !f.quick && f.cell == "" && f.generator == "own" && f.requests == unlimitedRequests && f.keys == keysUsual &&
		f.only == strings.Join(sectionNames(), ",")
}

func sectionNames() []string {
	var names []string
	for _, s := range sections() {
		names = append(names, s.name)
	}
	return names
}
