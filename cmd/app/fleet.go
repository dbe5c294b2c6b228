package app

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"time"

	"larder/backends"
	"larder/backends/registry"
	"larder/backends/registry/consul"
	"larder/proxy"
	"larder/router"
)

// How a gateway says in the registry that it lives.
const (
	serviceTTL   = 15 * time.Second // without a word for so long it counts as failing
	serviceLook  = 5 * time.Second
	serviceProbe = time.Second // the registry looks itself so often: a process that was killed says nothing
)

// firstRetry is the wait between attempts to read the first topology.
const firstRetry = time.Second

// fleet is this process's place among others, in Consul; nil = it is alone.
type fleet struct {
	*process
	registry registry.Registry
}

// joinFleet opens the registry that the configuration names. It asks nobody yet.
func (p *process) joinFleet() (*fleet, error) {
	if p.config.Consul.Address == "" {
		return nil, nil
	}
	r, err := consul.New(p.config.Consul, p.reg)
	if err != nil {
		return nil, err
	}
	return &fleet{process: p, registry: r}, nil
}

func (f *fleet) leave() {
	if f != nil {
		_ = f.registry.Close() // it has nothing to lose
	}
}

// topologies is the cluster's topology as the registry has it. While the registry does not answer it waits: without a topology there is nothing to serve,
// and with the registry all gateways would end and be started anew. What waiting cannot mend is an error.
func (f *fleet) topologies() (router.Source, error) {
	for waiting := false; ; waiting = true {
		src, err := f.source()
		switch {
		case err == nil:
			return src, nil
		case f.stack.ctx.Err() != nil:
			return nil, errEnding
		case errors.Is(err, registry.ErrNotFound):
			return nil, fmt.Errorf("%w: %s at %s, whose keys begin with %q (consul.prefix)", err, f.missing(), f.config.Consul.Address, f.config.Consul.Prefix+"larder/")
		case !errors.Is(err, registry.ErrUnavailable):
			return nil, err
		case !waiting:
			f.env.Log.Warn("the registry does not answer; the gateway starts when it does", "error", err)
		}
		if sleep(f.stack.ctx, firstRetry) != nil {
			return nil, errEnding
		}
	}
}

func (f *fleet) source() (router.Source, error) {
	if f.config.Endpoint != "" {
		return backends.NewPointed(f.stack.ctx, f.registry, f.config.Endpoint, f.env.Log)
	}
	return backends.NewTopologies(f.stack.ctx, f.registry, f.config.Cluster, f.env.Log)
}

// missing says what a gateway that cannot begin lacks.
func (f *fleet) missing() string {
	if f.config.Endpoint != "" {
		return fmt.Sprintf("the endpoint (--endpoint) points to no cluster that serves: larder endpoint point %s CLUSTER", f.config.Endpoint)
	}
	return "there is no cluster of that name (--cluster)"
}

// join makes the gateway one of its endpoint's, if it is in a fleet: it is announced, and told of the others. When the process ends it leaves before it stops.
func (p *process) join(f *fleet, gateway *proxy.Gateway) error {
	if f == nil {
		return p.drain(gateway)
	}
	service, err := f.service(gateway.Addr())
	if err != nil {
		return err
	}
	if err := f.followGateways(gateway, service); err != nil {
		return err
	}
	if err := f.drain(gateway); err != nil {
		return err
	}
	return f.announce(service, gateway.Healthy)
}

// followSettings begins to follow the settings under the name that the gateway of this process has as a service.
func (f *fleet) followSettings(gateway *proxy.Gateway) error {
	if f == nil {
		return nil
	}
	service, err := f.service(gateway.Addr())
	if err != nil {
		return err
	}
	return f.follow(service.ID)
}

// announce keeps the gateway's service registered until it stops, which it does before the gateway: clients are sent elsewhere first.
func (f *fleet) announce(service registry.Service, healthy func(context.Context) error) error {
	announcement := registry.Announcement{
		Service: service, Every: serviceLook, Dice: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
		Look: func(ctx context.Context) (registry.Health, string) {
			ctx, cancel := context.WithTimeout(ctx, healthWithin)
			defer cancel()
			if err := healthy(ctx); err != nil {
				return registry.Failing, err.Error()
			}
			return registry.Passing, "ready" + f.managed.note()
		},
		Lost: func(err error) {
			if err == nil {
				f.env.Log.Info("the service is registered again", "service", service.ID)
				return
			}
			f.env.Log.Warn("the service cannot be registered or reported on; the gateway serves on", "service", service.ID, "error", err)
		},
	}
	run := func(ctx context.Context) error {
		registry.Announce(ctx, f.registry, announcement)
		return nil
	}
	started := make(chan struct{})
	close(started) // the gateway serves whether the registry knows it or not
	f.env.Log.Info("gateway is announced", "service", service.Name, "id", service.ID, "addr", service.Addr)
	return f.stack.start("announcement", run, started)
}

// service is the gateway's. Its id stays the same when it is started anew, so that it replaces what it was.
func (f *fleet) service(endpoint string) (registry.Service, error) {
	name := "cache-" + f.config.Cluster + "-gateway"
	if f.config.Endpoint != "" { // another name: what serves an endpoint may serve another cluster tomorrow
		name = "cache-" + f.config.Endpoint + "-endpoint"
	}
	s := registry.Service{Name: name, Addr: endpoint, TTL: serviceTTL, Probe: serviceProbe}
	if f.config.Advertise != "" {
		s.Addr = f.config.Advertise
	}
	_, port, err := net.SplitHostPort(endpoint)
	if err != nil {
		return registry.Service{}, fmt.Errorf("announce gateway: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		return registry.Service{}, fmt.Errorf("announce gateway: %w", err)
	}
	s.ID = s.Name + "-" + host + "-" + port
	return s, nil
}
