package clients_test

import (
	"fmt"
	"strings"
	"testing"

	"larder/internal/peers"
)

// TestThousandWait: a thousand clients that wait for one list are given what is pushed in the order in which they came, each once, and can wait again: the
// second time on the connections that are there.
func TestThousandWait(t *testing.T) {
	t.Parallel()
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			gateway, nodes := overThree(t, b.start)
			key := keyOn(1, 0)
			node, pusher := peers.Dial(t, nodes[1].Addr, 2), peers.Dial(t, gateway.Addr, 2)
			waiters := make([]*peers.Conn, 1000)
			for i := range waiters {
				waiters[i] = peers.Dial(t, gateway.Addr, 2)
			}
			for round := range 2 {
				for i, c := range waiters {
					c.Send([]byte("BLPOP " + key + " 0\r\n"))
					at := fmt.Sprintf("blocked_clients:%d\r\n", i+1)
					eventually(t, at, func() bool { return strings.Contains(string(node.Do("INFO", "clients")), at) })
				}
				var pushes strings.Builder
				for i := range waiters {
					fmt.Fprintf(&pushes, "RPUSH %s %d:%d\r\n", key, round, i)
				}
				pusher.Send([]byte(pushes.String()))
				for i, c := range waiters {
					text := fmt.Sprintf("%d:%d", round, i)
					if got, want := string(c.Reply()), fmt.Sprintf("*2\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(key), key, len(text), text); got != want {
						t.Fatalf("client %d was given %q", i, got)
					}
					if got := string(pusher.Reply()); got != ":1\r\n" {
						t.Fatalf("push %d: %q", i, got)
					}
				}
			}
		})
	}
}
