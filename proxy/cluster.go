package proxy

import (
	"fmt"
	"slices"
	"strings"

	"larder/protocol/command"
	"larder/protocol/resp"
	"larder/router"
)

// clusterHere answers CLUSTER: to a cluster-aware client the gateways of the endpoint are a cluster's primaries, which
// have the slots between them.
func (s *session) clusterHere(row *command.Row, args [][]byte) {
	switch row.ID {
	case command.CmdClusterSlots:
		s.say(row, s.writeSlots)
	case command.CmdClusterShards:
		s.say(row, s.writeShards)
	case command.CmdClusterNodes:
		s.say(row, func(w *resp.Writer) { w.Verbatim("txt", s.clusterNodes()) })
	case command.CmdClusterInfo:
		s.say(row, func(w *resp.Writer) { w.Verbatim("txt", s.clusterInfo()) })
	case command.CmdClusterMyID:
		s.say(row, func(w *resp.Writer) { w.Bulk(s.p.g.clusterID()) })
	case command.CmdClusterKeySlot:
		s.say(row, func(w *resp.Writer) { w.Int(int64(router.Slot(args[2]))) })
	default:
		s.help(row)
	}
}

func (s *session) help(row *command.Row) {
	s.say(row, func(w *resp.Writer) { command.Help(w, command.ByID(row.Parent)) })
}

func (s *session) writeSlots(w *resp.Writer) {
	all := slices.DeleteFunc(s.gateways(), func(g listed) bool { return len(g.slots) == 0 })
	w.Array(len(all))
	for _, g := range all {
		w.Array(3)
		w.Int(int64(g.slots[0].From))
		w.Int(int64(g.slots[0].To))
		w.Array(4)
		w.Bulk(g.Host)
		w.Int(int64(g.Port))
		w.Bulk(g.ID)
		w.Map(0)
	}
}

func (s *session) writeShards(w *resp.Writer) {
	all := s.gateways()
	w.Array(len(all))
	for _, g := range all {
		w.Map(2)
		w.Bulk("slots")
		w.Array(2 * len(g.slots))
		for _, run := range g.slots {
			w.Int(int64(run.From))
			w.Int(int64(run.To))
		}
		w.Bulk("nodes")
		w.Array(1)
		g.writeNode(w)
	}
}

// writeNode writes a gateway as CLUSTER SHARDS does a node.
func (g *listed) writeNode(w *resp.Writer) {
	fields := 7
	if g.named {
		fields++
	}
	w.Map(fields)
	w.Bulk("id")
	w.Bulk(g.ID)
	w.Bulk("port")
	w.Int(int64(g.Port))
	w.Bulk("ip")
	w.Bulk(g.Host)
	w.Bulk("endpoint")
	w.Bulk(g.Host)
	if g.named {
		w.Bulk("hostname")
		w.Bulk(g.Host)
	}
	w.Bulk("role")
	w.Bulk("master")
	w.Bulk("replication-offset")
	w.Int(0)
	w.Bulk("health")
	w.Bulk("online")
}

func (s *session) clusterNodes() string {
	var b strings.Builder
	for _, g := range s.gateways() {
		flags, name := "master", ""
		if g.own {
			flags = "myself,master"
		}
		if g.named {
			name = "," + g.Host
		}
		fmt.Fprintf(&b, "%s %s:%d@%d%s %s - 0 0 %d connected", g.ID, g.Host, g.Port, g.Port+10000, name, flags, s.p.topo.Epoch)
		for _, run := range g.slots {
			fmt.Fprintf(&b, " %d-%d", run.From, run.To)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (s *session) clusterInfo() string {
	epoch, size := s.p.topo.Epoch, len(s.gateways())
	return fmt.Sprintf("cluster_state:ok\r\ncluster_slots_assigned:%d\r\ncluster_slots_ok:%d\r\n"+
		"cluster_slots_pfail:0\r\ncluster_slots_fail:0\r\ncluster_known_nodes:%d\r\ncluster_size:%d\r\n"+
		"cluster_current_epoch:%d\r\ncluster_my_epoch:%d\r\n", router.Slots, router.Slots, size, size, epoch, epoch)
}
