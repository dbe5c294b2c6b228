package fleet

import (
	"context"
	"testing"
	"time"

	"larder/internal/peers"
)

// part is a node or a gateway.
type part interface {
	Run(ctx context.Context) error
	Ready() <-chan struct{}
}

// keep runs a part until the test ends.
func keep(t testing.TB, what string, p part) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	select {
	case <-p.Ready():
	case err := <-ended:
		cancel()
		t.Fatalf("%s did not start: %v", what, err)
	case <-time.After(peers.Patience):
		cancel()
		t.Fatalf("%s is not ready within %v", what, peers.Patience)
	}
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("%s ended with: %v", what, err)
			}
		case <-time.After(peers.Patience):
			t.Errorf("%s does not end", what)
		}
	})
}
