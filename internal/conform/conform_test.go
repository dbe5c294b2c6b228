package conform_test

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"larder/internal/conform"
	"larder/internal/fleet"
	"larder/internal/peers"
)

var seed = flag.Uint64("seed", 1, "seed of generated commands; 0: a new one, which is printed")

const reference = "redis-server"

// differences are shared by all tests of the run, so that TestDifferencesAreMet can tell which were needed.
var differences = conform.NewDifferences()

func redisEndpoint(t *testing.T, name string) conform.Endpoint {
	t.Helper()
	return conform.Endpoint{Name: name, Addr: peers.StartRedis(t), Tags: []string{conform.TagRedis}}
}

// sections are all scripts.
func sections(t *testing.T) []conform.Section {
	t.Helper()
	return parsed(t, "testdata/*.txt", conform.Parse)
}

// parsed is what stands in all files of a pattern, of which there must be some.
func parsed[T any](t *testing.T, pattern string, parse func(name string, r io.Reader) ([]T, error)) (all []T) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: nothing there: %v", pattern, err)
	}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		found, err := parse(filepath.Base(path), f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return all
}

// TestRedisAgainstItself shows that the scripts and the generators compare what can be compared: two real servers never differ.
func TestRedisAgainstItself(t *testing.T) {
	compareAll(t, conform.Endpoint{Name: "another redis-server", Addr: peers.StartRedis(t), Tags: []string{conform.TagRedis}})
}

// compareAll plays all scripts, one by one and as pipelines, and generated commands.
func compareAll(t *testing.T, sub conform.Endpoint) {
	ref := redisEndpoint(t, reference)
	for _, proto := range []int{2, 3} {
		t.Run(fmt.Sprintf("scripts RESP%d", proto), func(t *testing.T) {
			playScripts(t, conform.Player{Ref: ref, Sub: sub, Proto: proto, Differences: differences})
		})
		t.Run(fmt.Sprintf("pipelined RESP%d", proto), func(t *testing.T) {
			playScripts(t, conform.Player{Ref: ref, Sub: sub, Proto: proto, Differences: differences, Rand: dice(t, uint64(proto))})
		})
		t.Run(fmt.Sprintf("generated RESP%d", proto), func(t *testing.T) {
			const rounds = 30
			playGenerated(t, conform.Player{Ref: ref, Sub: sub, Proto: proto, Differences: differences}, rounds)
		})
	}
}

// dice follow from -seed; the seed of this run is printed.
func dice(t *testing.T, stream uint64) *rand.Rand {
	t.Helper()
	s := *seed
	if s == 0 {
		s = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", s)
	return rand.New(rand.NewPCG(s, stream))
}

// errorsMax ends a test that has gone wrong altogether.
const errorsMax = 40

func playScripts(t *testing.T, p conform.Player) {
	t.Helper()
	playSections(t, p, sections(t))
}

func playSections(t *testing.T, p conform.Player, all []conform.Section) {
	t.Helper()
	found := 0
	for _, sec := range all {
		if !sec.RunsOn(&p.Sub) || len(sec.Protos) == 1 && sec.Protos[0] != p.Proto {
			continue
		}
		wrong, err := p.Section(&sec)
		for i := range wrong {
			t.Errorf("%v", &wrong[i])
		}
		if err != nil {
			t.Errorf("%s RESP%d %s: %v", p.Sub.Name, p.Proto, sec.Name, err)
			found += errorsMax / 4
		}
		if found += len(wrong); found >= errorsMax {
			t.Fatalf("that is enough")
		}
	}
}

// playGenerated draws sections of commands. Of the first that differs it says how little is needed to see it, and stops.
func playGenerated(t *testing.T, p conform.Player, rounds int) {
	const commands = 250
	rng := dice(t, 10+uint64(p.Proto))
	g := conform.NewGenerator(rng, time.Now(), p.Sub.Has(conform.TagNode))
	for round := range rounds {
		sec := g.Section(fmt.Sprintf("round %d", round), commands)
		p.Rand = nil
		if round%3 > 0 {
			p.Rand = rand.New(rand.NewPCG(rng.Uint64(), 0))
		}
		wrong, err := p.Section(&sec)
		if err != nil {
			t.Fatalf("%s RESP%d %s: %v", p.Sub.Name, p.Proto, sec.Name, err)
		}
		if len(wrong) > 0 {
			t.Errorf("%v", &wrong[0])
			explain(t, p, sec, wrong[0])
			return
		}
	}
}

// explain prints the fewest commands that still show the difference.
func explain(t *testing.T, p conform.Player, sec conform.Section, m conform.Mismatch) {
	t.Helper()
	p.Rand = nil
	last := m.Where
	fails := func(steps []conform.Step) bool {
		wrong, err := p.Section(&conform.Section{Name: "shrunk", Steps: steps, LockStep: true})
		for i := range wrong {
			if err == nil && wrong[i].Where == last {
				return true
			}
		}
		return false
	}
	steps := sec.Steps[:m.At+1]
	if !fails(steps) {
		t.Errorf("only as a pipeline, or by chance: one by one it does not differ")
		return
	}
	for _, s := range conform.Shrink(steps, 300, fails) {
		t.Logf("    %s", conform.Quote(s.Args(time.Now())))
	}
}

// TestMain also sees that every intended difference was met, if all tests have run: what nobody needed goes.
func TestMain(m *testing.M) {
	flag.Parse()
	const atOnce = 6
	if err := fleet.AtOnce(atOnce); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := fleet.Main(m)
	if unmet := differences.Unmet(); code == 0 && len(unmet) > 0 && flag.Lookup("test.run").Value.String() == "" {
		fmt.Fprintf(os.Stderr, "no difference, so no exception is needed: %v\n", unmet)
		code = 1
	}
	os.Exit(code)
}
