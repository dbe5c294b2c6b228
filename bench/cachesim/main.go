// Package main (cachesim) replays traces of requests through the node's real eviction and through models of others, and prints how many requests each
// of them missed: the larder's keyspace under a limit on memory, sampled LRU and LFU as Redis does them, and segmented LRU as memcached does it.
//
// What must hold: all caches see the same requests and hold the same number of keys: the mean of what the keyspace held in its second half, overhead
// included; everything runs from a seed. One goroutine does it all.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
)

const usage = `usage: cachesim [flags] [trace file]…
A trace file has a request a line: key, or key and size of its value, parted by a comma or space.
Without files the generator's patterns are replayed.`

func main() {
	var o options
	f := flag.NewFlagSet("cachesim", flag.ExitOnError)
	f.Uint64Var(&o.seed, "seed", 1, "of traces and dice")
	f.IntVar(&o.requests, "requests", 6_000_000, "of each generated trace")
	f.IntVar(&o.value, "value", 100, "bytes of a value, where a trace does not say")
	f.StringVar(&o.policy, "policy", "allkeys-lru", "of the keyspace")
	megabytes := f.Int("memory", 16, "limit of the keyspace, MiB; 0 = a sixteenth, a quarter and half of the trace's bytes")
	f.StringVar(&o.only, "only", "", "replay only patterns whose name contains this")
	f.Usage = func() {
		fmt.Fprintln(f.Output(), usage)
		f.PrintDefaults()
	}
	_ = f.Parse(os.Args[1:]) // ExitOnError
	o.limit = int64(*megabytes) << 20
	if err := run(os.Stdout, o, f.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "cachesim:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, o options, files []string) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "trace\tkeys held\tlarder\tsampled LRU\tsampled LFU\tsegmented LRU\tmisses against sampled LRU\t")
	report := func(name string, trace []request) error {
		limits := []int64{o.limit}
		if o.limit == 0 {
			all := footprint(trace)
			limits = []int64{all / 16, all / 4, all / 2}
		}
		for _, limit := range limits {
			r, err := compare(o, limit, trace)
			if err != nil {
				return err
			}
			fmt.Fprintf(t, "%s\t%d\t%.2f%%\t%.2f%%\t%.2f%%\t%.2f%%\t%+.1f%%\t\n", name, r.held, r.percent(r.larder), r.percent(r.lru), r.percent(r.lfu), r.percent(r.segmented), r.against())
		}
		return nil
	}
	for _, p := range patterns {
		if len(files) > 0 || !strings.Contains(p.name, o.only) {
			continue
		}
		if err := report(p.name, p.trace(o)); err != nil {
			return err
		}
	}
	for _, file := range files {
		trace, err := readTrace(file, o.value)
		if err != nil {
			return err
		}
		if err := report(file, trace); err != nil {
			return err
		}
	}
	return t.Flush()
}
