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
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

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
	known := sectionNames()
	for name := range strings.SplitSeq(f.only, ",") {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("-only %q: sections are %s", name, strings.Join(known, ", "))
		}
		r.sections[name] = true
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
	for _, s := range sections() {
		if !r.sections[s.name] {
			continue
		}
		began := time.Now()
		if err := s.do(r); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Fprintf(r.out, "section %s took %s\n", s.name, time.Since(began).Round(time.Second))
	}
	return nil
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
