package registry

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// leaveWithin is how long a service that ends tries to say so; if it cannot, its check fails after its TTL.
const leaveWithin = 2 * time.Second

// Announcement is a service that is to stay registered.
type Announcement struct {
	Service Service
	// Look says how the service is, every Every; what has changed is reported at once, else a report comes at a third of
	// the TTL.
	Look  func(context.Context) (Health, string)
	Every time.Duration
	// Lost is called when the registry begins to fail, and with nil when it answers again.
	Lost func(error)
	// Dice spread the attempts of many at a registry that comes back. Announce is their only user meanwhile.
	Dice *rand.Rand
}

// Announce keeps the service registered and reported on until ctx ends, and then deregisters it. It outlives a registry
// that fails, and one that has forgotten the service, as an agent that lost its files has.
func Announce(ctx context.Context, r Services, a Announcement) {
	n := announcer{Announcement: a, registry: r}
	again := backoff{dice: a.Dice}
	for ctx.Err() == nil {
		err := n.turn(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			if again.first() {
				a.Lost(err)
			}
			sleep(ctx, again.next())
		default:
			if !again.first() {
				a.Lost(nil)
				again.reset()
			}
			sleep(ctx, a.Every)
		}
	}
	leave, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveWithin)
	defer cancel()
	_ = r.Deregister(leave, a.Service.ID) // nobody is left to try again
}

type announcer struct {
	Announcement
	registry   Services
	registered bool
	health     Health // as reported
	note       string
	reported   time.Time
}

// turn looks and says what there is to say.
func (n *announcer) turn(ctx context.Context) error {
	health, note := n.Look(ctx)
	if n.registered && health == n.health && note == n.note && time.Since(n.reported) < n.Service.TTL/3 {
		return nil
	}
	err := n.report(ctx, health, note)
	if n.registered && errors.Is(err, ErrNotFound) { // it was, and is forgotten
		n.registered = false
		err = n.report(ctx, health, note)
	}
	return err
}

func (n *announcer) report(ctx context.Context, health Health, note string) error {
	if !n.registered {
		if err := n.registry.Register(ctx, n.Service); err != nil {
			return err
		}
		n.registered = true
	}
	if err := n.registry.Report(ctx, n.Service.ID, health, note); err != nil {
		return err
	}
	n.health, n.note, n.reported = health, note, time.Now()
	return nil
}
