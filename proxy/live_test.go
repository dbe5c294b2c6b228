package proxy_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"larder/internal/fleet"
	"larder/internal/peers"
	"larder/proxy"
)

// TestChange: options that may change do so for clients that are connected, on all loops, and no connection ends but those that are no longer let in.
func TestChange(t *testing.T) {
	var o proxy.Options
	g, addr := fleet.StartGateway(t, fleet.Nodes(t, 2), prometheus.NewRegistry(), func(to *proxy.Options) {
		to.Access = []string{"127.0.0.1"}
		o = *to
	})
	change := func(edit func(*proxy.Options)) {
		t.Helper()
		edit(&o)
		ctx, cancel := context.WithTimeout(t.Context(), peers.Patience)
		defer cancel()
		if err := g.Change(ctx, o); err != nil {
			t.Fatal(err)
		}
	}
	get := func(k *talker, name, want string) {
		t.Helper()
		k.says(fmt.Sprintf("*2\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(name), name, len(want), want), "CONFIG", "GET", name)
	}
	k, other := talk(t, addr), talk(t, addr) // on both loops
	k.says("+OK\r\n", "CONFIG", "SET", "slowlog-max-len", "7")
	change(func(o *proxy.Options) {
		o.IdleTimeout, o.ClientsMax, o.SlowUS, o.TrackedMax, o.MultiMaxBytes, o.OutputLimits = time.Hour, 2, 0, 12, 64<<10, "pubsub 1mb 0 0"
		o.Databases, o.Listen, o.Loops, o.Password = 3, "127.0.0.1:1", 7, "no"
	})
	for _, k := range []*talker{k, other} {
		get(k, "timeout", "3600")
		get(k, "maxclients", "2")
		get(k, "slowlog-log-slower-than", "0")
		get(k, "slowlog-max-len", "7") // a client's word stays
		get(k, "tracking-table-max-keys", "12")
		get(k, "client-output-buffer-limit", "normal 0 0 0 slave 268435456 67108864 60 pubsub 1048576 0 0")
		get(k, "databases", "16") // what may not change does not
		k.says("+OK\r\n", "SELECT", "15")
		k.says("+OK\r\n", "SET", "k", "v")
	}
	late := talk(t, addr)
	late.closed() // there are two already
	change(func(o *proxy.Options) { o.ClientsMax = 100 })
	talk(t, addr).says("+OK\r\n", "SET", "k", "v")

	k.says("+OK\r\n", "MULTI")
	change(func(o *proxy.Options) { o.MultiMaxBytes = 1 << 20 })
	k.says("+QUEUED\r\n", "SET", "k", string(make([]byte, 100<<10)))
	k.says("*1\r\n+OK\r\n", "EXEC")

	bad := o
	bad.Access = []string{"nowhere"}
	if err := g.Change(t.Context(), bad); err == nil {
		t.Error("a bad access list is taken")
	}
	k.says("+PONG\r\n", "PING")
	change(func(o *proxy.Options) { o.Access = []string{"192.0.2.0/24"} })
	k.closed()
	other.closed()
	talk(t, addr).closed()
	change(func(o *proxy.Options) { o.Access = []string{"127.0.0.1"} })
	talk(t, addr).says("+PONG\r\n", "PING")
}
