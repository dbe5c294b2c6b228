package fleet

import (
	"context"
	"time"

	"larder/backends"
	"larder/control/controller"
)

// managed are nodes that are reached over connections.
type managed struct{ *backends.Managed }

// NodesOver asks nodes over connections to them.
func NodesOver(m *backends.Managed) Nodes { return managed{m} }

func (m managed) State(ctx context.Context, cluster, node, addr string) (controller.NodeSays, error) {
	asked := time.Now()
	s, err := m.Managed.State(ctx, addr)
	if err != nil {
		return controller.NodeSays{}, err
	}
	doubt := time.Since(asked) / 2
	says := controller.NodeSays{
		Cluster: cluster, Node: node, Run: s.Run, Frozen: s.Role == "frozen", Loaded: s.Loaded, Promised: s.Promised, Reign: s.Reign,
		Executed: s.Executed, Committed: s.Committed, Confirmed: s.Confirmed,
	}
	for i, run := range s.Followers {
		says.Followers = append(says.Followers, controller.Follower{Run: run, Acked: s.Acked[i]})
	}
	if !s.Clock.IsZero() {
		says.Skew, says.Doubt = s.Clock.Sub(asked.Round(0).Add(doubt)), doubt
	}
	if s.Record != nil {
		says.Epoch = s.Record.Epoch
	}
	return says, nil
}

func (m managed) Obey(ctx context.Context, t controller.Tell) error {
	if t.Promise {
		return m.Promise(ctx, t.Addr, t.Record, t.Exited)
	}
	return m.Show(ctx, t.Addr, t.Record, t.Places)
}
