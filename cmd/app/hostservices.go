package app

import (
	"context"

	"larder/backends/roster"
	"larder/control/controller"
	"larder/control/host"
)

// listNodes keeps the host's nodes registered as services of their clusters.
func (f *fleet) listNodes(h *host.Host, announced controller.Host, begun <-chan struct{}) error {
	nodes := func(ctx context.Context) (here []roster.Node) {
		says, err := h.Says(ctx, announced)
		if err != nil { // it is asked by its own name
			return nil
		}
		for _, n := range says.Nodes {
			here = append(here, roster.Node{Cluster: n.Cluster, ID: n.Node})
		}
		return here
	}
	return f.stack.start("services", func(ctx context.Context) error {
		roster.New(f.registry, nodes, f.env.Log).Run(ctx)
		return nil
	}, begun)
}
