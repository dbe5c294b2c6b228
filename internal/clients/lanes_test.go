package clients_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"larder/internal/peers"
)

// TestRedisFollowsLanes: a redis-server follows a node whose lanes are numbered from a full copy on, under commands of all types, and another node follows that
// redis-server; a third one follows the node itself. All have the same data, and nodes know how far the lanes have come.
func TestRedisFollowsLanes(t *testing.T) {
	d := changes{rand: dice(t)}
	node := debugNode(t)
	c := peers.Dial(t, node.Addr, 2)
	var lanes []*peers.Conn
	load := func(more int) {
		for range more {
			lane := peers.Dial(t, node.Addr, 2)
			want(t, lane, "+OK\r\n", "LARDER", "LANE", fmt.Sprint("lane-", len(lanes)))
			lanes = append(lanes, lane)
		}
		for range 50 {
			d.say(t, lanes[d.rand.IntN(len(lanes))], 1+d.rand.IntN(200))
		}
	}
	load(3)
	behind := follower(t, node.Addr)
	redis := peers.Dial(t, behind.Addr, 2)
	var nodes []*peers.Conn
	for _, addr := range []string{node.Addr, behind.Addr} {
		load(3)
		eventually(t, "the redis-server follows", func() bool { return info(t, redis, "master_link_status") == "up" })
		n := peers.Dial(t, debugNode(t).Addr, 2)
		replicate(t, n, addr)
		nodes = append(nodes, n)
		eventually(t, "a node follows", func() bool { return info(t, n, "master_link_status") == "up" })
	}
	errors := string(redis.Do("INFO", "errorstats")) // a word of the greeting that it does not know
	load(3)
	for _, lane := range lanes {
		lane.Do("DISCARD")
		want(t, lane, "+OK\r\n", "SET", "last", "1")
	}
	upToDate(t, c, redis)
	for _, n := range nodes {
		upToDate(t, c, n)
		want(t, n, "+OK\r\n", "REPLICAOF", "NO", "ONE")
	}
	if got := string(redis.Do("INFO", "errorstats")); got != errors || strings.Count(got, "errorstat_") > 1 {
		t.Errorf("the redis-server met errors: %s", got)
	}
	for i := range lanes {
		id := fmt.Sprint("lane-", i)
		number := ended(t, c, id)
		if n, err := strconv.Atoi(number); err != nil || n < 2 {
			t.Errorf("%s has come to %q", id, number)
		}
		for where, n := range nodes {
			if got := ended(t, n, id); got != number {
				t.Errorf("%s has come to %s, by follower %d to %s", id, number, where, got)
			}
		}
	}
}

// ended asks about a lane.
func ended(t *testing.T, c *peers.Conn, id string) (number string) {
	t.Helper()
	got := string(c.Do("LARDER", "ENDED", id))
	lines := strings.Split(got, "\r\n")
	if len(lines) < 2 || lines[0] != "*4" {
		t.Fatalf("LARDER ENDED %s: %q", id, got)
	}
	return strings.TrimPrefix(lines[1], ":")
}
