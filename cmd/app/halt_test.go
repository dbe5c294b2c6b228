package app

import (
	"context"
	"log/slog"
	"testing"

	"larder/proxy"
	"larder/proxy/mirror"
	"larder/router"
)

// TestHaltFails: clients that a second attempt has let go do not count as held back by the first.
func TestHaltFails(t *testing.T) {
	topology, err := router.Even(clusterName, 1, []router.Node{{Addr: "127.0.0.1:1", External: true}})
	if err != nil {
		t.Fatal(err)
	}
	src, log, parts := fixed{topology}, slog.New(slog.DiscardHandler), newStack(t.Context())
	defer func() {
		if err := parts.finish(nil); err != nil {
			t.Error(err)
		}
	}()
	s := &shadow{}
	o := mirror.DefaultOptions()
	o.Target = "127.0.0.1:1"
	if s.mirror, err = mirror.New(o, src, log); err != nil {
		t.Fatal(err)
	}
	gateway := proxy.DefaultOptions()
	gateway.Listen = "127.0.0.1:0"
	if s.gateway, err = proxy.New(gateway, src, log, nil); err != nil {
		t.Fatal(err)
	}
	if err := parts.start("gateway", s.gateway.Run, s.gateway.Ready()); err != nil {
		t.Fatal(err)
	}
	if err := s.halt(t.Context()); err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for s.halt(over) == nil { // it may be done before it looks whether it may go on
	}
	if err := s.begin(true); err == nil || s.halted {
		t.Errorf("both sides count as the same, though clients write: %v", err)
	}
}
