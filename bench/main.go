// Package main (bench) measures Larder beside its peers: server CPU per operation, latency at a fixed rate, and memory
// per key, and writes bench/RESULTS.md.
//
// What must hold: a figure is of work that was really done (every reply is checked against the keys its command
// named; one wrong reply fails the run); ours and theirs are measured in turns on the same machine, backends and load;
// the server under test has a core for itself, generator and backends share another; every process started is stopped
// by its PID. Everything runs on the main goroutine, except the fetching of a profile (run.go).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const unlimitedRequests = math.MaxInt

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
	s.BoolVar(&f.quick, "quick", false, "short runs, 64-byte values only: about two minutes, for direction")
	s.StringVar(&f.only, "only", "gateway,node,latency,memory", "sections to run, separated by commas")
	s.StringVar(&f.cell, "cell", "", "only loads whose name matches this expression, e.g. '^GET/64B/d16$'")
	s.IntVar(&f.rounds, "rounds", 3, "interleaved pairs a load")
	s.IntVar(&f.requests, "requests", 0, "most requests a run; 0: only time limits it")
	s.Float64Var(&f.seconds, "seconds", 0, "length of a run; 0: 2 s, quick 0.6 s")
	s.IntVar(&f.conns, "conns", 50, "connections (the latency section has its own numbers)")
	s.IntVar(&f.keys, "keys", keysMax, "size of the key space")
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
	case f.rounds < 1 || f.conns < 1 || f.requests < 0 || f.seconds < 0:
		return errors.New("-rounds and -conns must be at least 1, -requests and -seconds not negative")
	case f.keys < 1 || f.keys > keysMax:
		return fmt.Errorf("-keys %d: want 1 to %d", f.keys, keysMax)
	case f.generator != "own" && f.generator != "redis-benchmark":
		return fmt.Errorf("-generator %q: want own or redis-benchmark", f.generator)
	case f.serverCore == f.otherCore:
		return fmt.Errorf("-server-core and -load-core are both %d: the server under test needs a core for itself", f.otherCore)
	}
	if f.requests == 0 {
		f.requests = unlimitedRequests
	}
	if f.seconds == 0 {
		f.seconds = 2
		if f.quick {
			f.seconds = 0.6
		}
	}
	return nil
}

// whole says whether the run is what RESULTS.md stands for.
func (f *flags) whole() bool {
	return !f.quick && f.cell == "" && f.generator == "own" && f.requests == unlimitedRequests && f.keys == keysMax &&
		f.only == "gateway,node,latency,memory"
}

// runner is one run of the bench.
type runner struct {
	quick    bool
	sections map[string]bool
	only     *regexp.Regexp
	plan     plan
	bed      *bed
	out      io.Writer
	results  Results
}

func main() {
	runtime.LockOSThread()         // servers die with the thread that started them: server.go
	signal.Ignore(syscall.SIGPIPE) // a reader of our output that went away is no reason to leave things behind
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	f, err := parseFlags(args)
	if err != nil {
		return err
	}
	if err := pin(f.otherCore); err != nil {
		return err
	}
	r, err := newRunner(f)
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	dir, err := os.MkdirTemp("", "larder-bench-")
	if err != nil {
		return fmt.Errorf("make a folder for the run: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	r.plan.stopped = func() error {
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
		return nil
	}
	r.bed = &bed{dir: dir, larder: f.larder, serverCore: f.serverCore, otherCore: f.otherCore}
	defer r.bed.stop()
	if err := r.bed.build(ctx); err != nil {
		return err
	}
	if f.profile != "" {
		return r.profile(ctx, f.profile)
	}
	if err := r.run(); err != nil {
		return err
	}
	r.results.markdown(r.out)
	if f.out == "" && f.whole() {
		f.out = filepath.Join("bench", "RESULTS.md")
	}
	if f.out == "" {
		return nil
	}
	return r.results.write(f.out)
}

func newRunner(f flags) (*runner, error) {
	only, err := regexp.Compile(f.cell)
	if err != nil {
		return nil, fmt.Errorf("-cell: %w", err)
	}
	r := &runner{quick: f.quick, sections: map[string]bool{}, only: only, out: os.Stdout}
	for name := range strings.SplitSeq(f.only, ",") {
		switch name {
		case "gateway", "node", "latency", "memory":
			r.sections[name] = true
		default:
			return nil, fmt.Errorf("-only %q: sections are gateway, node, latency, memory", name)
		}
	}
	r.plan = plan{
		rounds: f.rounds, run: time.Duration(f.seconds * float64(time.Second)), requests: f.requests, conns: f.conns, keys: f.keys,
		redisBenchmark: f.generator == "redis-benchmark",
	}
	cpus := strings.Count(string(fileOrNothing("/proc/cpuinfo")), "processor\t:")
	r.results = Results{
		Machine: describe(time.Now(), cpus), Rounds: f.rounds, Seconds: f.seconds, Conns: f.conns, Keys: f.keys, Quick: f.quick,
	}
	return r, nil
}

// run measures the chosen sections.
func (r *runner) run() error {
	sizes := []int{64, 1024}
	if r.quick {
		sizes = sizes[:1]
	}
	bySize := func(f func(int) error) func() error {
		return func() error {
			for _, v := range sizes {
				if err := f(v); err != nil {
					return err
				}
			}
			return nil
		}
	}
	steps := []struct {
		name string
		do   func() error
	}{{"gateway", bySize(r.gateway)}, {"node", bySize(r.node)}, {"latency", r.latency}, {"memory", bySize(r.memory)}}
	for _, s := range steps {
		if !r.sections[s.name] {
			continue
		}
		began := time.Now()
		if err := s.do(); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Fprintf(r.out, "section %s took %s\n", s.name, time.Since(began).Round(time.Second))
	}
	return nil
}

func (r *runner) say(who string, c *Cell) {
	fmt.Fprintf(r.out, "%-20s %-14s CPU an operation %.3f / %.3f µs = %.2f (target %s)\n", who, c.Workload,
		mid(c.Ours, cpuOf), mid(c.Theirs, cpuOf), c.Ratio(), atMost(c.Target))
}

// pin moves this process to a core by starting itself anew under taskset: a Go program can't move threads that its
// runtime has already started.
func pin(core int) error {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return fmt.Errorf("ask for the CPUs allowed: %w", err)
	}
	if set.Count() == 1 && set.IsSet(core) {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("pin to CPU %d: %w", core, err)
	}
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		return fmt.Errorf("pin to CPU %d: %w", core, err)
	}
	argv := append([]string{"taskset", "-c", strconv.Itoa(core), self}, os.Args[1:]...)
	return fmt.Errorf("pin to CPU %d: %w", core, unix.Exec(taskset, argv, os.Environ()))
}

// build makes the larder binary once, on both cores, unless one was given.
func (b *bed) build(ctx context.Context) error {
	if b.larder != "" {
		path, err := filepath.Abs(b.larder)
		b.larder = path
		return err
	}
	b.larder = filepath.Join(b.dir, "larder")
	cores := fmt.Sprintf("%d,%d", b.serverCore, b.otherCore)
	out, err := exec.CommandContext(ctx, "taskset", "-c", cores, "go", "build", "-o", b.larder, "./cmd/larder").CombinedOutput()
	if err != nil {
		return fmt.Errorf("build ./cmd/larder (run it at the project's root): %w\n%s", err, out)
	}
	return nil
}
