package manage

import (
	"context"
	"strconv"

	"larder/control/api"
	"larder/control/controller"
)

// Failover implements api.Manager.
func (m *Manager) Failover(ctx context.Context, cluster string, want api.Failover) (controller.Task, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, err := m.fleet()
	if err != nil {
		return controller.Task{}, err
	}
	seen, known := f.Cluster(cluster)
	shards := f.Shards(cluster)
	switch {
	case !known:
		return controller.Task{}, noCluster(cluster)
	case seen.Spec.External():
		return controller.Task{}, api.Refuse(api.CodeInvalid, "the servers of cluster %s are not ours: have them fail over themselves (FAILOVER, or their Sentinel), and Larder follows", cluster)
	case want.Planned == want.Force:
		return controller.Task{}, api.Refuse(api.CodeInvalid, "say either planned, where nothing is lost, or force, where a primary is gone")
	case want.Force && want.All:
		return controller.Task{}, api.Refuse(api.CodeInvalid, "force is for one shard at a time: say which")
	case want.All && want.Shard != nil:
		return controller.Task{}, api.Refuse(api.CodeInvalid, "say one shard, or all")
	case want.Shard != nil && (*want.Shard < 0 || *want.Shard >= len(shards)):
		return controller.Task{}, api.Refuse(api.CodeInvalid, "shard %d: cluster %s has the shards 0 to %d", *want.Shard, cluster, len(shards)-1)
	case want.Shard == nil && !want.All && len(shards) > 1:
		return controller.Task{}, api.Refuse(api.CodeInvalid, "cluster %s has %d shards: say which one, or all of them", cluster, len(shards))
	}
	for _, t := range f.Tasks() {
		if want.Planned && t.State == controller.TaskRunning && t.Cluster == cluster && t.Kind == controller.TaskSwitch {
			return controller.Task{}, api.Refuse(api.CodeBusy, "cluster %s is being failed over already: task %s", cluster, t.ID)
		}
	}
	first, last := 0, len(shards)-1
	subject := ""
	if want.Shard != nil {
		first, last, subject = *want.Shard, *want.Shard, strconv.Itoa(*want.Shard)
	}
	reigns := map[int]uint64{}
	for shard := first; shard <= last; shard++ {
		if err := possibleFailover(cluster, shard, &shards[shard], want); err != nil {
			return controller.Task{}, err
		}
		reigns[shard] = shards[shard].Reign
	}
	kind := controller.TaskSwitch
	if want.Force {
		kind = controller.TaskForce
	}
	return m.start(ctx, controller.Task{Kind: kind, Cluster: cluster, Subject: subject, From: controller.FromReigns(reigns), Total: len(reigns)})
}

// possibleFailover tells why a shard cannot have another primary, or what has to be known before.
func possibleFailover(cluster string, shard int, s *controller.SeenShard, want api.Failover) error {
	switch {
	case s.Reign == 0:
		return api.Refuse(api.CodeInvalid, "shard %d has had no primary yet: larder cluster show %s says why", shard, cluster)
	case want.Planned && !s.Answers:
		return api.Refuse(api.CodeInvalid, "shard %d: its primary %s does not answer: if a member does, it takes over by itself; larder cluster show %s says what is waited for", shard, s.Primary, cluster)
	case want.Planned && !s.Ready:
		return api.Refuse(api.CodeInvalid, "shard %d: there is no other node with all keys that could be the primary (larder cluster modify %s --replicas N makes some)", shard, cluster)
	case want.Planned:
		return nil
	case s.Answers:
		return api.Refuse(api.CodeInvalid, "shard %d: its primary %s answers: a planned failover loses nothing", shard, s.Primary)
	case s.Heir == "":
		return api.Refuse(api.CodeInvalid, "shard %d: none of its nodes answers: there is nothing that could be the primary", shard)
	case !want.Yes:
		return api.Refuse(api.CodeConfirm, "shard %d: %s would be the primary with what it has; writes that were answered, and that %s or another node that does not answer now has beside, would be lost for good. "+
			"Nothing was done: say yes to have it so", shard, s.Heir, s.Primary)
	}
	return nil
}
