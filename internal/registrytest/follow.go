package registrytest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"larder/backends/registry"
)

func dice() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// follow changes two keys many times while somebody follows them, who must be told their last values.
func follow(t *testing.T, r registry.Registry) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	told := make(chan string, 1000)
	followed := background(func() error {
		defer close(told) // also at the end of patience
		registry.Follow(ctx, r, registry.Follower{Prefix: "f/", Dice: dice(), Lost: func(err error) { told <- fmt.Sprint("lost ", err) }, Told: func(entries []registry.Entry) {
			text := ""
			for _, e := range entries {
				text += e.Key + "=" + string(e.Value) + " "
			}
			told <- text
		}})
		return nil
	})
	for i := range 50 {
		put(t, r, "f/a", strings.Repeat("x", i))
		put(t, r, "f/b", strings.Repeat("y", i))
	}
	put(t, r, "f/a", "last")
	want(t, "delete", r.Delete(bounded(t), "f/b"), nil)
	const wanted = "f/a=last "
	last := ""
	for text := range told {
		if strings.HasPrefix(text, "lost") {
			t.Error(text)
		}
		if last = text; last == wanted {
			break
		}
	}
	if last != wanted {
		t.Errorf("the last that was told is %q, want %q", last, wanted)
	}
	cancel()
	<-followed
}

// announce keeps a service that somebody deregisters, tells of a change, and takes it away at the end.
func announce(t *testing.T, r registry.Registry) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	const every = 10 * time.Millisecond
	notes := make(chan string, 1)
	note := "well"
	announced := background(func() error {
		registry.Announce(ctx, r, registry.Announcement{
			Service: registry.Service{ID: "announced", Name: "cache-b-gateway", Addr: "127.0.0.1:6379", TTL: time.Second}, Every: every, Dice: dice(),
			Look: func(context.Context) (registry.Health, string) {
				select {
				case note = <-notes:
				default:
				}
				return map[string]registry.Health{"well": registry.Passing, "slow": registry.Warning}[note], note
			},
			Lost: func(err error) { t.Errorf("lost: %v", err) },
		})
		return nil
	})
	agree := func(wanted string) {
		t.Helper()
		eventually(t, patience, wanted, func() bool { return instances(t, r, "cache-b-gateway") == wanted })
	}
	agree("[announced 127.0.0.1:6379 [] passing well]")
	want(t, "deregister behind its back", r.Deregister(bounded(t), "announced"), nil)
	notes <- "slow"
	agree("[announced 127.0.0.1:6379 [] warning slow]")
	notes <- "ill"
	agree("[announced 127.0.0.1:6379 [] critical ill]")
	notes <- "well"
	agree("[announced 127.0.0.1:6379 [] passing well]")
	cancel()
	<-announced
	agree("")
}
