package clients_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"larder/internal/peers"
)

// call is one of an application's calls: what go-redis makes of the reply.
type call struct {
	name string
	do   func(ctx context.Context, c *redis.Client) any
}

// TestSameAsOneServer makes the same calls of a redis-server and of each form of ours. What go-redis gives must be the same.
func TestSameAsOneServer(t *testing.T) {
	for _, proto := range []int{2, 3} {
		want := transcript(t, peers.StartRedis(t), proto)
		for _, s := range served {
			t.Run(fmt.Sprintf("%s RESP%d", s.name, proto), func(t *testing.T) {
				got := transcript(t, s.start(t), proto)
				for i, call := range calls {
					if got[i] != want[i] {
						t.Errorf("%s:\nredis-server: %s\nours:         %s", call.name, want[i], got[i])
					}
				}
			})
		}
	}
}

func transcript(t *testing.T, addr string, proto int) (lines []string) {
	ctx := within(t, time.Minute)
	c := goRedis(t, redis.Options{Addr: addr, Protocol: proto, PoolSize: 4})
	if err := c.FlushAll(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	for _, call := range calls {
		lines = append(lines, said(call.do(ctx, c)))
	}
	return lines
}

var passing = regexp.MustCompile(`\d{13}-\d+|127\.0\.0\.1:\d+|0x[0-9a-f]+`)

// said writes a result down, without what is another each time.
func said(result any) string {
	if cmd, ok := result.(redis.Cmder); ok {
		if err := cmd.Err(); err != nil {
			return "error " + err.Error()
		}
		_, text, _ := strings.Cut(cmd.String(), ": ")
		result = text
	}
	return passing.ReplaceAllString(fmt.Sprintf("%+v", result), "…")
}

// orWrong is a result without its error, or the error.
func orWrong[T any](v T, err error) any {
	if err != nil {
		return errors.New("error " + err.Error())
	}
	return v
}

// inAnyOrder is for replies that have none.
func inAnyOrder(v []string, err error) any {
	sort.Strings(v)
	return orWrong(v, err)
}
