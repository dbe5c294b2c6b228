package proxy

import (
	"larder/protocol/command"
	"larder/protocol/resp"
	"larder/router"
)

// aboutSlot tells whether a command names a slot, which is where a key would stand.
func aboutSlot(id command.ID) bool {
	return id == command.CmdClusterCountKeysInSlot || id == command.CmdClusterGetKeysInSlot
}

// shardFor is the one shard that a command is for: that of its slot, or of all its keys.
func (p *part) shardFor(row *command.Row, args [][]byte) (int, router.Cross) {
	if scripted(row) {
		return p.scriptShard(row, args)
	}
	if row.ID == command.CmdPublish {
		// Everybody who hears the channel is subscribed at every shard; one that is always the same keeps the order of its messages.
		if shard := p.topo.ShardOf(args[1]); shard >= 0 {
			return shard, router.Together
		}
		return 0, router.Unserved
	}
	if !aboutSlot(row.ID) {
		p.keys = row.KeyPositions(args, p.keys[:0])
		return p.topo.OneShard(args, p.keys)
	}
	slot, ok := resp.ParseNumber(args[2])
	if !ok || slot < 0 || slot >= router.Slots {
		return 0, router.Together // any node refuses it in the right words
	}
	shard := p.topo.Owner(int(slot))
	if shard < 0 {
		return 0, router.Unserved
	}
	return shard, router.Together
}
