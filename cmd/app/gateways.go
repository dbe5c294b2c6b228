package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"net"
	"strconv"

	"larder/backends/registry"
	"larder/proxy"
)

// followGateways keeps the gateway told of the others of its endpoint: those whose services do not fail. They are followed as services, not as entries under keys:
// there they stand anyway, the registry itself notices one that is gone, it is the same list that DNS gives, and whoever follows another cluster is not woken.
// Without the registry those that were told last count.
func (f *fleet) followGateways(gateway *proxy.Gateway, own registry.Service) error {
	gateway.Know(clusterID(own.ID), nil)
	run := func(ctx context.Context) error {
		registry.FollowInstances(ctx, f.registry, registry.InstanceFollower{
			Name: own.Name, Dice: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
			Told: func(all []registry.Instance) { gateway.Know(clusterID(own.ID), peersAmong(all, own.ID)) },
			Lost: func(err error) {
				if err == nil {
					f.env.Log.Info("the other gateways are known again", "service", own.Name)
					return
				}
				f.env.Log.Warn("the other gateways cannot be watched; those that were known last are told to clients", "service", own.Name, "error", err)
			},
		})
		return nil
	}
	started := make(chan struct{})
	close(started) // clients can be served meanwhile
	return f.stack.start("gateways", run, started)
}

// drain has the gateway leave without an error to anybody when it is to end. First it serves on for a while: it is not in the registry any more, is not ready, and
// clients that ask are told of the others, so that who sends clients here can see it. Then it sends them away, each when nothing of it is pending.
func (p *process) drain(gateway *proxy.Gateway) error {
	run := func(ctx context.Context) error {
		<-ctx.Done()
		gateway.Leave()
		last := context.WithoutCancel(ctx)
		_ = sleep(last, p.config.DrainDelay)
		if err := gateway.Dismiss(last, p.config.DrainTimeout); err != nil {
			p.env.Log.Warn("not every client has left by itself", "error", err)
		}
		return nil
	}
	started := make(chan struct{})
	close(started)
	return p.stack.start("drain", run, started)
}

// peersAmong are the gateways that live. The one that asks is among them however its service is: whether it can serve is known better where it is asked.
func peersAmong(all []registry.Instance, own string) []proxy.Peer {
	var peers []proxy.Peer
	for _, i := range all {
		host, digits, err := net.SplitHostPort(i.Addr)
		port, bad := strconv.Atoi(digits)
		if err != nil || bad != nil || i.Health == registry.Failing && i.ID != own {
			continue
		}
		peers = append(peers, proxy.Peer{ID: clusterID(i.ID), Host: host, Port: port})
	}
	return peers
}

// clusterID is a gateway's node id in CLUSTER replies: all gateways reckon the same one.
func clusterID(service string) string {
	sum := sha256.Sum256([]byte(service))
	return hex.EncodeToString(sum[:20])
}
