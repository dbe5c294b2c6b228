package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"net"
	"strconv"
	"time"

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

// answerWithin is how long a gateway that ends waits for what nodes are to answer.
const answerWithin = time.Second

// drain has the gateway serve on for a while when it is to end: it is not in the registry any more, and clients that ask are told of the others. Then it takes no
// more commands and answers those that are under way, so that none has run whose client does not know.
func (f *fleet) drain(gateway *proxy.Gateway) error {
	run := func(ctx context.Context) error {
		<-ctx.Done()
		gateway.Leave()
		last := context.WithoutCancel(ctx)
		_ = sleep(last, f.config.Drain)
		last, cancel := context.WithTimeout(last, answerWithin)
		defer cancel()
		if err := gateway.Halt(last, answerWithin); err != nil {
			f.env.Log.Warn("not every command that was under way is answered", "error", err)
		}
		return nil
	}
	started := make(chan struct{})
	close(started)
	return f.stack.start("drain", run, started)
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
