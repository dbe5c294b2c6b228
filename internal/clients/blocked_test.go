package clients_test

import (
	"strings"
	"testing"

	"larder/internal/peers"
)

// TestBlockedNodeFails: a client that waits at a node is told when the node dies or hangs, and waits anew at the node that is back; other shards' clients
// go on waiting.
func TestBlockedNodeFails(t *testing.T) {
	t.Parallel()
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			gateway, nodes := overThree(t, b.start)
			one, other, pusher := peers.Dial(t, gateway.Addr, 2), peers.Dial(t, gateway.Addr, 2), peers.Dial(t, gateway.Addr, 2)
			key, elsewhere := keyOn(1, 0), keyOn(0, 0)
			waiting := func(n string) {
				t.Helper()
				eventually(t, n+" clients wait", func() bool {
					return strings.Contains(string(pusher.Do("INFO", "clients")), "blocked_clients:"+n+"\r\n")
				})
			}
			other.Send([]byte("BLPOP " + elsewhere + " 0\r\n"))
			for name, fail := range map[string]func(){"killed": nodes[1].Kill, "frozen": func() { nodes[1].Freeze(t) }} {
				one.Send([]byte("BLPOP " + key + " 0\r\n"))
				waiting("2")
				fail()
				// CLUSTERDOWN where its connection was only being made.
				if got := string(one.Reply()); !strings.HasPrefix(got, "-UNKNOWN ") && !strings.HasPrefix(got, "-CLUSTERDOWN ") {
					t.Fatalf("%s: %q", name, got)
				}
				waiting("1")
				if name == "killed" {
					nodes[1].Start(t)
				} else {
					nodes[1].Thaw(t)
				}
				eventually(t, "the node that is back", func() bool {
					// each loop has its own wait until it tries again
					return string(pusher.Do("EXISTS", key)) == ":0\r\n" && string(one.Do("EXISTS", key)) == ":0\r\n"
				})
				one.Send([]byte("BLPOP " + key + " 0\r\n"))
				waiting("2")
				want(t, pusher, ":1\r\n", "RPUSH", key, name)
				if got := string(one.Reply()); !strings.HasSuffix(got, "\r\n"+name+"\r\n") {
					t.Fatalf("%s: after its return: %q", name, got)
				}
			}
			want(t, pusher, ":1\r\n", "RPUSH", elsewhere, "x")
			if got := string(other.Reply()); !strings.HasSuffix(got, "\r\nx\r\n") {
				t.Fatalf("the other shard's client: %q", got)
			}
		})
	}
}
