package proxy

import (
	"fmt"

	"larder/protocol/command"
	"larder/protocol/resp"
	"larder/router"
)

// clusterHere answers CLUSTER: to a cluster-aware client the gateway is a cluster of one
// node that owns all slots, at the address the client came to.
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
		s.say(row, func(w *resp.Writer) { w.Bulk(s.p.g.id) })
	case command.CmdClusterKeySlot:
		s.say(row, func(w *resp.Writer) { w.Int(int64(router.Slot(args[2]))) })
	default:
		s.help(row)
	}
}

func (s *session) help(row *command.Row) {
	s.say(row, func(w *resp.Writer) { command.Help(w, command.ByID(row.Parent)) })
}

func (s *session) endpoint() (string, int64) {
	local := s.c.Local()
	return local.Addr().Unmap().String(), int64(local.Port())
}

func (s *session) writeSlots(w *resp.Writer) {
	ip, port := s.endpoint()
	w.Array(1)
	w.Array(3)
	w.Int(0)
	w.Int(router.Slots - 1)
	w.Array(4)
	w.Bulk(ip)
	w.Int(port)
	w.Bulk(s.p.g.id)
	w.Map(0)
}

func (s *session) writeShards(w *resp.Writer) {
	ip, port := s.endpoint()
	w.Array(1)
	w.Map(2)
	w.Bulk("slots")
	w.Array(2)
	w.Int(0)
	w.Int(router.Slots - 1)
	w.Bulk("nodes")
	w.Array(1)
	w.Map(7)
	w.Bulk("id")
	w.Bulk(s.p.g.id)
	w.Bulk("port")
	w.Int(port)
	w.Bulk("ip")
	w.Bulk(ip)
	w.Bulk("endpoint")
	w.Bulk(ip)
	w.Bulk("role")
	w.Bulk("master")
	w.Bulk("replication-offset")
	w.Int(0)
	w.Bulk("health")
	w.Bulk("online")
}

func (s *session) clusterNodes() string {
	ip, port := s.endpoint()
	return fmt.Sprintf("%s %s:%d@%d myself,master - 0 0 %d connected 0-%d\n",
		s.p.g.id, ip, port, port+10000, s.p.topo.Epoch, router.Slots-1)
}

func (s *session) clusterInfo() string {
	epoch := s.p.topo.Epoch
	return fmt.Sprintf("cluster_state:ok\r\ncluster_slots_assigned:%d\r\ncluster_slots_ok:%d\r\n"+
		"cluster_slots_pfail:0\r\ncluster_slots_fail:0\r\ncluster_known_nodes:1\r\ncluster_size:1\r\n"+
		"cluster_current_epoch:%d\r\ncluster_my_epoch:%d\r\n", router.Slots, router.Slots, epoch, epoch)
}
