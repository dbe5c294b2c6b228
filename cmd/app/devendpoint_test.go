package app_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"larder/cmd/app"
	"larder/configs"
	operator "larder/control/api/client"
)

// TestDevEndpoint: a cluster's address in dev is pointed to another cluster under a connected client, is there again at the next start, and is the cluster's own
// again when the endpoint is deleted.
func TestDevEndpoint(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	begin := func() *role {
		r := start(t, app.Dev, config(t, configs.RoleDev, "--dir", dir, "--shards", "2", "--replicas", "0"))
		r.find(t, r.out, `(Ctrl-C)`)
		return r
	}
	dial := func(c *operator.Client) *redis.Conn { // one connection, which is not made again
		t.Helper()
		told, err := c.Cluster(ctx, "main")
		if err != nil {
			t.Fatal(err)
		}
		conn := client(t, told.Endpoint).Conn()
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	r := begin()
	c := operate(t, dir)
	conn := dial(c)
	task, err := c.CreateCluster(ctx, wish("two", "", 1, 0))
	over(t, c, task, err)
	where := func(want string) {
		t.Helper()
		eventually(t, "the connection is at "+want, func() bool {
			got, err := conn.Get(ctx, "where").Result()
			if err != nil && err != redis.Nil {
				t.Fatal(err)
			}
			return got == want
		})
	}
	conn.Set(ctx, "where", "main", 0)
	where("main")
	if _, err := c.PointEndpoint(ctx, "main", "two"); err != nil {
		t.Fatal(err)
	}
	where("")
	conn.Set(ctx, "where", "two", 0)
	where("two")

	r.stop()
	if err := r.wait(t); err != nil {
		t.Fatal(err)
	}
	begin()
	c = operate(t, dir)
	conn = dial(c)
	if got, err := conn.Get(ctx, "where").Result(); got != "two" {
		t.Errorf("after a restart: %q %v", got, err)
	}
	if err := c.DeleteEndpoint(ctx, "main"); err != nil {
		t.Fatal(err)
	}
	where("main")
}
