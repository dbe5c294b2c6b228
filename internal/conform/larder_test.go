package conform_test

import (
	"testing"

	"larder/internal/conform"
	"larder/internal/fleet"
	"larder/internal/peers"
	"larder/proxy"
)

func stockNodes(t *testing.T, n int) []string {
	t.Helper()
	addrs := make([]string, n)
	for i := range addrs {
		addrs[i] = peers.StartRedis(t)
	}
	return addrs
}

// endpoints are our forms that must answer as a redis-server does.
var endpoints = []struct {
	name  string
	tags  []string
	start func(t *testing.T) string
}{
	{"node", []string{conform.TagNode}, func(t *testing.T) string { return fleet.Node(t) }},
	{"gateway over 1 node", []string{conform.TagGateway}, func(t *testing.T) string { return fleet.Gateway(t, fleet.Nodes(t, 1)) }},
	{"gateway over 3 nodes", []string{conform.TagGateway, conform.TagSharded}, func(t *testing.T) string { return fleet.Gateway(t, fleet.Nodes(t, 3)) }},
	{"gateway over 3 nodes, writes in steps", []string{conform.TagGateway, conform.TagSharded, conform.TagSteps}, func(t *testing.T) string {
		return fleet.Gateway(t, fleet.Nodes(t, 3), writesInSteps)
	}},
	{"gateway over 3 redis-servers, writes in steps", []string{conform.TagGateway, conform.TagSharded, conform.TagSteps, conform.TagStock}, func(t *testing.T) string {
		return fleet.Gateway(t, stockNodes(t, 3), writesInSteps)
	}},
	{"gateway over 3 redis-servers", []string{conform.TagGateway, conform.TagSharded, conform.TagStock}, func(t *testing.T) string { return fleet.Gateway(t, stockNodes(t, 3)) }},
}

func writesInSteps(o *proxy.Options) { o.CrossSlot = "allow" }

func TestLarder(t *testing.T) {
	for _, e := range endpoints {
		t.Run(e.name, func(t *testing.T) {
			compareAll(t, conform.Endpoint{Name: e.name, Addr: e.start(t), Tags: e.tags})
		})
	}
}
