package proxy_test

import (
	"fmt"
	"testing"

	"larder/internal/fleet"
	"larder/internal/peers"
	"larder/proxy"
)

// SINTERCARD and ZINTERCARD with a LIMIT look at no more members of large keys than they need.
func TestCountOfLargeKeys(t *testing.T) {
	nodes := map[string][]string{"nodes": fleet.Nodes(t, 3), "redis-servers": {peers.StartRedis(t), peers.StartRedis(t), peers.StartRedis(t)}}
	for name, addrs := range nodes {
		t.Run(name, func(t *testing.T) {
			k := talk(t, fleet.Gateway(t, addrs, func(o *proxy.Options) { o.GatherMaxBytes = 5 << 19 }))
			const members, step = 30_000, 1000
			add := func(key string, scored bool, every int) {
				for from := 0; from < members; from += step {
					args := []string{"SADD", key}
					if scored {
						args[0] = "ZADD"
					}
					for i := from; i < from+step; i += every {
						if scored {
							args = append(args, "1")
						}
						args = append(args, fmt.Sprintf("member:%d", i))
					}
					k.do(args...)
				}
			}
			add("foo", false, 1)
			add("bar", false, 2)
			add("k0", true, 5) // 3000 in common with bar
			for _, test := range []struct {
				want string
				args []string
			}{
				{":3\r\n", []string{"SINTERCARD", "2", "foo", "bar", "LIMIT", "3"}},
				{":9000\r\n", []string{"SINTERCARD", "2", "foo", "bar", "LIMIT", "9000"}},
				{":15000\r\n", []string{"SINTERCARD", "2", "bar", "foo", "LIMIT", "100000"}},
				{":1\r\n", []string{"ZINTERCARD", "3", "foo", "bar", "k0", "LIMIT", "1"}},
				{":2999\r\n", []string{"ZINTERCARD", "3", "k0", "foo", "bar", "LIMIT", "2999"}},
				{":3000\r\n", []string{"ZINTERCARD", "3", "foo", "k0", "bar", "LIMIT", "5999"}},
				{":3000\r\n", []string{"ZINTERCARD", "3", "foo", "bar", "k0"}},
				{":0\r\n", []string{"ZINTERCARD", "3", "foo", "none", "k0", "LIMIT", "5"}},
				{"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n", []string{"SINTERCARD", "2", "foo", "k0", "LIMIT", "5"}},
			} {
				k.says(test.want, test.args...)
			}
		})
	}
}
