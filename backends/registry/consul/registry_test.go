package consul_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"larder/backends/registry"
	"larder/backends/registry/consul"
	"larder/internal/peers"
	"larder/internal/registrytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, o consul.Options) *consul.Registry {
	t.Helper()
	r, err := consul.New(o, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func optionsOf(c *peers.Consul) consul.Options {
	o := consul.DefaultOptions()
	o.Address = c.Addr
	return o
}

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), peers.Patience)
	t.Cleanup(cancel)
	return ctx
}

// clean deregisters all services of an agent.
func clean(t *testing.T, c *peers.Consul, token string) {
	t.Helper()
	var services map[string]any
	if err := json.Unmarshal([]byte(c.Ask(http.MethodGet, "/v1/agent/services", token, "", nil)), &services); err != nil {
		t.Fatal(err)
	}
	for id := range services {
		c.Ask(http.MethodPut, "/v1/agent/service/deregister/"+id, token, "", nil)
	}
}

var opened atomic.Int64

// form is Consul for the suite: each registry of it has a prefix of its own, so all are one server's.
func form(t *testing.T, server *guarded, token string) registrytest.Form {
	t.Helper()
	return registrytest.Form{Open: func(t *testing.T) registry.Registry {
		clean(t, server.Consul, root)
		o := optionsOf(server.Consul)
		o.Token = token
		o.Wait = 2 * time.Second // so that requests of a watch follow one another
		o.Prefix = fmt.Sprintf("larder/suite%d/", opened.Add(1))
		r, err := consul.New(o, prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}}
}

// TestSuite runs it as a controller with the policy that is shipped.
func TestSuite(t *testing.T) {
	server := startGuarded(t)
	f := form(t, server, server.token(t, "control"))
	registrytest.Run(t, f)
}
