package fleet

import (
	"context"

	"larder/backends"
	"larder/control/controller"
)

// managed are nodes that are reached over connections.
type managed struct{ *backends.Managed }

// NodesOver asks nodes over connections to them.
func NodesOver(m *backends.Managed) Nodes { return managed{m} }

func (m managed) State(ctx context.Context, cluster, node, addr string) (controller.NodeSays, error) {
	s, err := m.Managed.State(ctx, addr)
	if err != nil {
		return controller.NodeSays{}, err
	}
	says := controller.NodeSays{
		Cluster: cluster, Node: node, Run: s.Run, Frozen: s.Role == "frozen", Executed: s.Executed, Followers: s.Followers, Confirmed: s.Confirmed,
	}
	if s.Record != nil {
		says.Epoch = s.Record.Epoch
	}
	return says, nil
}

func (m managed) Obey(ctx context.Context, t controller.Tell) error {
	return m.Show(ctx, t.Addr, t.Record, t.Places)
}
