package proxy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"larder/internal/fleet"
	"larder/internal/peers"
	"larder/proxy"
)

// TestGatewaysTold: what a gateway tells of itself and others: alone, with names for hosts, without knowing its own address, and when it is about to end.
func TestGatewaysTold(t *testing.T) {
	g, addr := fleet.StartGateway(t, fleet.Nodes(t, 1), prometheus.NewRegistry())
	c := peers.Dial(t, addr, 3)
	told := func() string {
		var all []string
		for line := range strings.Lines(strings.TrimPrefix(string(c.Do("CLUSTER", "NODES")), "=")) {
			if f := strings.Fields(line); len(f) > 2 {
				all = append(all, fmt.Sprint(strings.TrimPrefix(f[0], "txt:")[:1], " ", strings.ReplaceAll(f[1], addr+"@", "HERE@"), " ", f[2], " ", strings.Join(f[8:], " ")))
			}
		}
		return strings.Join(all, "; ")
	}
	id := func(digit string) string { return strings.Repeat(digit, 40) }
	port := strings.TrimPrefix(addr, "127.0.0.1:")
	bus := func(text string) string { // the second port is of no use to anybody
		at := strings.Index(text, "HERE@")
		if at < 0 {
			return text
		}
		rest := strings.TrimLeft(text[at+len("HERE@"):], "0123456789")
		return text[:at] + "HERE" + rest
	}
	agree := func(what, want string) {
		t.Helper()
		if got := bus(told()); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", what, got, want)
		}
	}
	b, d := proxy.Peer{ID: id("b"), Host: "gw-2.example", Port: 6379}, proxy.Peer{ID: id("d"), Host: "fd00::2", Port: 6380}
	if got := string(c.Do("INFO", "cluster")); !strings.Contains(got, "cluster_enabled:0\r\n") {
		t.Errorf("one of no fleet: %s", got)
	}
	g.Know(id("c"), nil)
	if got := string(c.Do("INFO", "cluster")); !strings.Contains(got, "cluster_enabled:1\r\n") {
		t.Errorf("one of a fleet: %s", got)
	}
	agree("alone", "c HERE myself,master 0-16383")
	g.Know(id("c"), []proxy.Peer{{ID: id("c"), Host: "10.0.0.1", Port: 1}})
	agree("alone, by whatever address", "c HERE myself,master 0-16383")
	g.Know(id("c"), []proxy.Peer{d, b, b})
	agree("with others", "b gw-2.example:6379@16379,gw-2.example master 0-5455; c HERE myself,master 5456-10911; d fd00::2:6380@16380 master 10912-16383")
	if got := string(c.Do("CLUSTER", "MYID")); !strings.Contains(got, id("c")) {
		t.Errorf("MYID: %s", got)
	}
	if got := string(c.Do("CLUSTER", "SHARDS")); strings.Count(got, "$8\r\nhostname\r\n$12\r\ngw-2.example\r\n") != 1 || strings.Count(got, "$8\r\nendpoint\r\n") != 3 || !strings.Contains(got, ":"+port+"\r\n") {
		t.Errorf("SHARDS: %q", got)
	}
	if got := string(c.Do("CLUSTER", "INFO")); !strings.Contains(got, "cluster_known_nodes:3\r\ncluster_size:3\r\n") {
		t.Errorf("INFO: %q", got)
	}
	g.Leave()
	agree("when it is about to end", "b gw-2.example:6379@16379,gw-2.example master 0-8191; c HERE myself,master ; d fd00::2:6380@16380 master 8192-16383")
	if got := string(c.Do("CLUSTER", "SLOTS")); !strings.HasPrefix(got, "*2\r\n") || strings.Contains(got, id("c")) {
		t.Errorf("SLOTS when it is about to end: %q", got)
	}
	g.Know(id("c"), nil)
	agree("when there is no other", "c HERE myself,master 0-16383")
}
