package proxy_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"larder/internal/fleet"
	"larder/internal/peers"
	"larder/protocol/resp"
)

// What changes a connection may be queued too. EXEC answers it as redis-server does, byte for byte, and what a new subscription hears comes behind that.
func TestConnectionInATransaction(t *testing.T) {
	redis, node, gateway := peers.StartRedis(t), fleet.Node(t), gatewayOver3(t)
	for _, proto := range []int{2, 3} {
		for _, script := range []string{
			"MULTI|GET k|SUBSCRIBE a b|CLIENT GETNAME|EXEC#2|PING x|!a|!b|UNSUBSCRIBE a|UNSUBSCRIBE b|PING",
			"MULTI|SUBSCRIBE a|CONFIG GET maxmemory|PSUBSCRIBE a*|SSUBSCRIBE b|SUBSCRIBE a|EXEC|!a#2|PING",
			"SUBSCRIBE c|UNSUBSCRIBE c|MULTI|UNSUBSCRIBE|PUNSUBSCRIBE x|SUNSUBSCRIBE|EXEC|PING",
			"SET k v|MULTI|GET k|MONITOR|GET k|EXEC|GET k",
			"MULTI|CLIENT SETNAME me|HELLO 3|CLIENT GETNAME|CLIENT TRACKINGINFO|EXEC|GET nosuch",
			"MULTI|HELLO 2|CLIENT GETNAME|CONFIG GET maxmemory|EXEC|GET nosuch",
			"MULTI|HELLO 3|HELLO 2|HELLO 4|CLIENT GETNAME|EXEC|GET nosuch",
			"MULTI|HELLO|HELLO x|EXEC|PING",
		} {
			name := fmt.Sprintf("%d %s", proto, script)
			want := playOdd(t, redis, proto, script)
			for _, ours := range []string{node, gateway} {
				if got := playOdd(t, ours, proto, script); got != want {
					t.Errorf("%s at %s:\ngot  %q\nwant %q", name, ours, got, want)
				}
			}
		}
	}
}

var ofServer = regexp.MustCompile(`(\$2\r\nid\r\n:)\d+|(\$7\r\nversion\r\n)\$\d+\r\n[^\r]*|(\$4\r\nmode\r\n)\$\d+\r\n[^\r]*`)

// playOdd says the commands of a script, "!a" publishes to a channel, and gives all that the client hears, one reply each or as many as "#" says.
func playOdd(t *testing.T, addr string, proto int, script string) string {
	c, other := peers.Dial(t, addr, proto), peers.Dial(t, addr, 0)
	var got strings.Builder
	for act := range strings.SplitSeq(script, "|") {
		act, count, _ := strings.Cut(act, "#")
		if channel, publishes := strings.CutPrefix(act, "!"); publishes {
			other.Do("PUBLISH", channel, "hello")
		} else {
			c.Send(resp.AppendCommandStrings(nil, strings.Fields(act)...))
		}
		replies, _ := strconv.Atoi(count)
		for range max(1, replies) {
			got.Write(c.Reply())
		}
	}
	return ofServer.ReplaceAllString(got.String(), "$1$2$3")
}
