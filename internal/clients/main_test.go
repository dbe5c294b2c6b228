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

var seed = flag.Uint64("seed", 1, "seed of what is random; 0: a new one, which is printed")

var (
	larder  clients.Binary // the built one
	scratch string         // a folder of all tests
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	const atOnce = 8
	err := fleet.AtOnce(atOnce)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if scratch, err = os.MkdirTemp("", "larder"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(scratch)
	if larder, err = clients.Build(scratch); err != nil {
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
