package clients_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"larder/internal/clients"
	"larder/internal/fleet"
	"larder/protocol/resp"
	"larder/proxy"
)

// TestGatherLarge: what takes long to work out is worked out beside the loops, for several clients at a time, and is right all the same; what is too much is
// refused, and the session goes on.
func TestGatherLarge(t *testing.T) {
	gateway := fleet.Gateway(t, fleet.Nodes(t, 3), func(o *proxy.Options) { o.GatherMaxBytes = 8 << 20 })
	w := open(t, gateway)
	const members, common, batch = 20_000, 5000, 1000
	for i, key := range []string{"foo", "bar"} { // of different shards
		for from := 0; from < members; from += batch {
			args := []string{"SADD", key}
			for n := range batch {
				args = append(args, fmt.Sprint("member:", from+n+i*(members-common)))
			}
			answers(t, w, fmt.Sprintf(":%d\r\n", batch), args...)
		}
	}
	ask(t, w, "SET", "large", strings.Repeat("x", 9<<20))
	var group errgroup.Group
	for range 4 {
		group.Go(func() error {
			left := 1
			return eachOwn(gateway, func(own *clients.Wire) (bool, error) {
				for _, c := range []struct {
					args []string
					want int
				}{
					{[]string{"SUNION", "foo", "bar"}, 2*members - common},
					{[]string{"SINTER", "foo", "bar"}, common},
					{[]string{"SDIFF", "bar", "foo"}, members - common},
					{[]string{"ZUNION", "2", "foo", "bar"}, 2*members - common},
				} {
					reply, err := own.Do(c.args...)
					if err != nil {
						return false, err
					}
					if got := resp.Value(reply).Len(); got != c.want {
						return false, fmt.Errorf("%q: %d members, want %d: %.100q", c.args, got, c.want, reply)
					}
				}
				reply, err := own.Do("PFCOUNT", "large", "foo", "bar")
				if err == nil && !strings.HasPrefix(string(reply), "-ERR what pfcount needs of several shards is more than gateway.gather-max") {
					err = fmt.Errorf("PFCOUNT: %.100q", reply)
				}
				left--
				return left > 0, err
			})
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, w, "SINTERCARD", "2", "foo", "bar", "LIMIT", "5"); got != ":5\r\n" {
		t.Errorf("SINTERCARD: %q", got)
	}
}
