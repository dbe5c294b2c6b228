package engine

import (
	"fmt"
	"strings"
	"time"
)

// writeInfo is what INFO replication tells of the primary (Redis 7.0 server.c, genRedisInfoString).
func (k *link) writeInfo(b *strings.Builder) {
	p := k.p
	status, lastS := "down", int64(-1)
	if k.phase == linkFollowing {
		status, lastS = "up", k.silentS()
	}
	syncing := 0
	if k.phase == linkLoading {
		syncing = 1
	}
	applied := p.stream.past.End()
	read := applied
	if k.phase == linkFollowing {
		read += int64(len(k.c.In()))
	}
	fmt.Fprintf(b, "master_host:%s\r\nmaster_port:%d\r\nmaster_link_status:%s\r\nmaster_last_io_seconds_ago:%d\r\nmaster_sync_in_progress:%d\r\nslave_read_repl_offset:%d\r\nslave_repl_offset:%d\r\n",
		k.host, k.port, status, lastS, syncing, read, applied)
	if k.phase == linkLoading {
		t, perc := &k.transfer, 0.0
		if t.size > 0 {
			const percent = 100
			perc = percent * float64(t.read) / float64(t.size)
		}
		fmt.Fprintf(b, "master_sync_total_bytes:%d\r\nmaster_sync_read_bytes:%d\r\nmaster_sync_left_bytes:%d\r\nmaster_sync_perc:%.2f\r\nmaster_sync_last_io_seconds_ago:%d\r\n",
			t.size, t.read, t.size-t.read, perc, k.silentS())
	}
	if k.phase != linkFollowing {
		fmt.Fprintf(b, "master_link_down_since_seconds:%d\r\n", (p.nowNS-k.downNS)/int64(time.Second))
	}
	r := &p.set.link
	fmt.Fprintf(b, "slave_priority:%d\r\nslave_read_only:%d\r\nreplica_announced:%d\r\n", r.priority, bit(r.readOnly), bit(r.announced))
}

func (k *link) silentS() int64 { return (k.p.nowNS - k.heardNS) / int64(time.Second) }
