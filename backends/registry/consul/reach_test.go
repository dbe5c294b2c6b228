package consul_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"larder/backends/registry"
	"larder/backends/registry/consul"
	"larder/internal/peers"
)

// TestTLSAndSocket: an agent that wants to see a certificate, by https, and one on a socket.
func TestTLSAndSocket(t *testing.T) {
	ours, others := peers.NewAuthority(t, "ours"), peers.NewAuthority(t, "others")
	ours.Issue("agent.consul")
	ours.Issue("client")
	others.Issue("client")
	port, socket := peers.FreePort(t), filepath.Join(t.TempDir(), "s")
	server := peers.StartConsul(t, fmt.Sprintf(`ports { https = %d } tls { https { ca_file = %q cert_file = %q key_file = %q verify_incoming = true } }`,
		port, ours.File("ca.pem"), ours.File("agent.consul.pem"), ours.File("agent.consul.key")), fmt.Sprintf(`addresses { http = "127.0.0.1 unix://%s" }`, socket))
	ask := func(change func(*consul.Options)) error {
		o := optionsOf(server)
		o.Address = fmt.Sprintf("https://127.0.0.1:%d", port)
		o.CAFile, o.CertFile, o.KeyFile, o.ServerName = ours.File("ca.pem"), ours.File("client.pem"), ours.File("client.key"), "agent.consul"
		change(&o)
		_, err := open(t, o).Get(bounded(t), "k")
		return err
	}
	if err := ask(func(*consul.Options) {}); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("with our certificates: %v", err)
	}
	if err := ask(func(o *consul.Options) { *o = consul.DefaultOptions(); o.Address = "unix://" + socket }); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("by the socket: %v", err)
	}
	for _, c := range []struct {
		says   string
		change func(*consul.Options)
	}{
		{"certificate signed by unknown authority", func(o *consul.Options) { o.CAFile = others.File("ca.pem") }},
		{"not other.consul", func(o *consul.Options) { o.ServerName = "other.consul" }},
		{"", func(o *consul.Options) { o.CertFile, o.KeyFile = "", "" }},                                               // the agent's alert may come too late to be read
		{"", func(o *consul.Options) { o.CertFile, o.KeyFile = others.File("client.pem"), others.File("client.key") }}, // it is not one of those asked for
		{"HTTP request to an HTTPS server", func(o *consul.Options) { o.Address = strings.Replace(o.Address, "https", "http", 1) }},
	} {
		if err := ask(c.change); !errors.Is(err, registry.ErrUnavailable) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("got %v, want something with %q", err, c.says)
		}
	}
}

// TestDNS: applications find what passes, by name and port, over UDP and TCP.
func TestDNS(t *testing.T) {
	server := peers.StartConsul(t)
	r := open(t, optionsOf(server))
	ctx := bounded(t)
	for i, health := range []registry.Health{registry.Passing, registry.Failing, registry.Warning} {
		s := registry.Service{ID: fmt.Sprint("g", i), Name: "cache-orders-gateway", Addr: fmt.Sprintf("127.0.0.%d:637%d", i+1, i), TTL: time.Minute}
		if err := errors.Join(r.Register(ctx, s), r.Report(ctx, s.ID, health, "")); err != nil {
			t.Fatal(err)
		}
	}
	everywhere := registry.Service{ID: "e", Name: "cache-everywhere-gateway", Addr: "[::]:6379", TTL: time.Minute}
	if err := errors.Join(r.Register(ctx, everywhere), r.Report(ctx, "e", registry.Passing, "")); err != nil {
		t.Fatal(err)
	}
	for _, network := range []string{"udp", "tcp"} {
		resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, server.DNS)
		}}
		found := ""
		for end := time.Now().Add(peers.Patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			hosts, err := resolver.LookupHost(ctx, "cache-orders-gateway.service.consul.")
			_, ports, srvErr := resolver.LookupSRV(ctx, "", "", "cache-orders-gateway.service.consul.")
			own, ownErr := resolver.LookupHost(ctx, "cache-everywhere-gateway.service.consul.")
			found = fmt.Sprint(len(hosts), len(ports), own, errors.Join(err, srvErr, ownErr))
			if found == "2 2 [127.0.0.1] <nil>" {
				break
			}
		}
		if found != "2 2 [127.0.0.1] <nil>" {
			t.Errorf("%s: found %s", network, found)
		}
	}
}
