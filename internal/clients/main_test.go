package clients_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"larder/internal/clients"
	"larder/internal/fleet"
)

var seed = flag.Uint64("seed", 0, "seed of what is random; 0: a new one, which is printed")

// larder is the built binary.
var larder clients.Binary

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "larder")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if larder, err = clients.Build(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return fleet.Main(m)
}

func dice(t *testing.T) *rand.Rand {
	t.Helper()
	s := *seed
	if s == 0 {
		s = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", s)
	return rand.New(rand.NewPCG(s, 0))
}

// served are the two forms that a client library meets.
var served = []struct {
	name  string
	start func(t *testing.T) string
}{
	{"node", func(t *testing.T) string { return fleet.Node(t) }},
	{"gateway", func(t *testing.T) string { return fleet.Gateway(t, fleet.Nodes(t, 3)) }},
}
