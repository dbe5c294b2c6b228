package consul

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/hashicorp/consul/api"

	"larder/backends/registry"
)

// checkOf is the id of a service's check.
func checkOf(service string) string { return "service:" + service }

// Register implements registry.Services, at the agent: it tells the servers, and tells them again what they lose.
func (r *Registry) Register(ctx context.Context, s registry.Service) error {
	if err := registry.CheckService(s); err != nil {
		return err
	}
	host, port, err := s.HostPort()
	if err != nil {
		return err
	}
	wanted := &api.AgentServiceRegistration{
		ID: s.ID, Name: s.Name, Tags: s.Tags, Address: host, Port: port,
		Checks: checks(s, host, port),
	}
	return r.do(ctx, 0, "register service "+s.ID, func(ctx context.Context) error {
		return r.client.Agent().ServiceRegisterOpts(wanted, api.ServiceRegisterOpts{ReplaceExistingChecks: true}.WithContext(ctx))
	})
}

// probeWithin is how long the agent waits for a connection. Somebody listens there all the time or not at all.
const probeWithin = 2 * time.Second

// checks are what says how a service is. What the agent looks at by itself counts as well at first: the reports speak for the service until it has looked,
// and what nobody reports on was started by who registers it.
func checks(s registry.Service, host string, port int) (all api.AgentServiceChecks) {
	if s.TTL > 0 {
		all = append(all, &api.AgentServiceCheck{
			CheckID: checkOf(s.ID), Name: "what the process says of itself", TTL: s.TTL.String(), Status: api.HealthCritical,
			DeregisterCriticalServiceAfter: registry.ForgottenAfter.String(),
		})
	}
	if s.Probe > 0 {
		if host == "" {
			host = "localhost" // the agent is on this machine
		}
		all = append(all, &api.AgentServiceCheck{
			CheckID: "probe:" + s.ID, Name: "whether something listens there", TCP: net.JoinHostPort(host, strconv.Itoa(port)), Status: api.HealthPassing,
			Interval: s.Probe.String(), Timeout: probeWithin.String(), DeregisterCriticalServiceAfter: registry.ForgottenAfter.String(),
		})
	}
	return all
}

// Report implements registry.Services.
func (r *Registry) Report(ctx context.Context, id string, health registry.Health, note string) error {
	return r.do(ctx, 0, "report on service "+id, func(ctx context.Context) error {
		return unknown(r.client.Agent().UpdateTTLOpts(checkOf(id), note, health.String(), query(ctx)))
	})
}

// unknown turns the answer about a service that the agent does not have into registry's word for it.
func unknown(err error) error {
	if status := (api.StatusError{}); errors.As(err, &status) && status.Code == http.StatusNotFound {
		return registry.ErrNotFound
	}
	return err
}

// Deregister implements registry.Services.
func (r *Registry) Deregister(ctx context.Context, id string) error {
	return r.do(ctx, 0, "deregister service "+id, func(ctx context.Context) error {
		err := unknown(r.client.Agent().ServiceDeregisterOpts(id, query(ctx)))
		if errors.Is(err, registry.ErrNotFound) {
			return nil
		}
		return err
	})
}

// Instances implements registry.Services. A service on a machine whose agent is lost counts as failing, as it does for Consul's DNS.
func (r *Registry) Instances(ctx context.Context, name string) (found []registry.Instance, err error) {
	err = r.do(ctx, 0, "list service "+name, func(ctx context.Context) error {
		found, _, err = r.listed(ctx, name, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// WatchInstances implements registry.Services by blocking queries, which wake for services of that name only.
func (r *Registry) WatchInstances(ctx context.Context, name string, after uint64) (found []registry.Instance, next uint64, err error) {
	err = r.do(ctx, forEver, "watch service "+name, func(ctx context.Context) error {
		found, next, err = until(r, after, func() ([]registry.Instance, uint64, error) { return r.listed(ctx, name, after) })
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return found, next, nil
}

// listed is one request, which waits for a change if after says what is known.
func (r *Registry) listed(ctx context.Context, name string, after uint64) ([]registry.Instance, uint64, error) {
	q, done := r.waiting(ctx, after)
	defer done()
	entries, meta, err := r.client.Health().Service(name, "", false, q)
	if err != nil {
		return nil, 0, err
	}
	found := make([]registry.Instance, 0, len(entries))
	for _, e := range entries {
		found = append(found, instance(e))
	}
	slices.SortFunc(found, func(a, b registry.Instance) int { return cmp.Compare(a.ID, b.ID) })
	return found, max(meta.LastIndex, 1), nil
}

func instance(e *api.ServiceEntry) registry.Instance {
	host := e.Service.Address
	if host == "" {
		host = e.Node.Address
	}
	i := registry.Instance{Service: registry.Service{
		ID: e.Service.ID, Name: e.Service.Service, Addr: net.JoinHostPort(host, strconv.Itoa(e.Service.Port)), Tags: e.Service.Tags,
	}}
	switch e.Checks.AggregatedStatus() {
	case api.HealthPassing:
		i.Health = registry.Passing
	case api.HealthWarning:
		i.Health = registry.Warning
	default:
		i.Health = registry.Failing
	}
	for _, check := range e.Checks {
		if check.CheckID == checkOf(i.ID) {
			i.Note = check.Output
		}
	}
	return i
}
