package clients_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
)

// TestRueidis: a client that pipelines by itself and finds out alone whether it talks to a cluster.
func TestRueidis(t *testing.T) {
	for _, s := range served {
		for _, single := range []bool{false, true} {
			for _, resp2 := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s single=%v RESP2=%v", s.name, single, resp2), func(t *testing.T) {
					c, err := rueidis.NewClient(rueidis.ClientOption{
						InitAddress: []string{s.start(t)}, DisableCache: true, ForceSingleClient: single, AlwaysRESP2: resp2, ClientName: "rueidis-test", SelectDB: 0,
					})
					if err != nil {
						t.Fatal(err)
					}
					defer c.Close()
					rueidisAtWork(t, c)
				})
			}
		}
	}
}

func rueidisAtWork(t *testing.T, c rueidis.Client) {
	t.Helper()
	ctx := within(t, time.Minute)
	var sets rueidis.Commands
	for i := range 3000 {
		sets = append(sets, c.B().Set().Key(fmt.Sprint("k", i)).Value(fmt.Sprint("v", i)).Build())
	}
	for i, r := range c.DoMulti(ctx, sets...) {
		if err := r.Error(); err != nil {
			t.Fatalf("SET %d: %v", i, err)
		}
	}
	var keys []string
	for i := range 500 {
		keys = append(keys, fmt.Sprint("k", i*7))
	}
	got, err := rueidis.MGet(c, ctx, keys)
	if err != nil || len(got) != len(keys) {
		t.Fatalf("MGET: %d, %v", len(got), err)
	}
	for i := range 500 {
		m := got[fmt.Sprint("k", i*7)]
		if text, err := m.ToString(); i*7 < 3000 && (err != nil || text != fmt.Sprint("v", i*7)) {
			t.Fatalf("k%d: %q, %v", i*7, text, err)
		}
	}
	if n, err := c.Do(ctx, c.B().Incrby().Key("n").Increment(5).Build()).AsInt64(); err != nil || n != 5 {
		t.Errorf("INCRBY: %d, %v", n, err)
	}
	if name, err := c.Do(ctx, c.B().ClientGetname().Build()).ToString(); err != nil || name != "rueidis-test" {
		t.Errorf("CLIENT GETNAME: %q, %v", name, err)
	}
	if err := c.Do(ctx, c.B().Arbitrary("NOPE").Keys("k").Build()).Error(); err == nil || !strings.Contains(err.Error(), "unknown command") {
		t.Errorf("NOPE: %v", err)
	}
	if err := c.Do(ctx, c.B().Get().Key("none").Build()).Error(); !rueidis.IsRedisNil(err) {
		t.Errorf("GET none: %v", err)
	}
}
