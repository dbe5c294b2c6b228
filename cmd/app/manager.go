package app

import (
	"math/rand/v2"
	"time"

	"larder/control/api"
	leading "larder/control/fleet"
	"larder/control/manage"
	"larder/engine"
)

// newManager makes what the management API asks about the fleet that a leader looks after. endpoint tells where a cluster's clients connect; nil: where it was told to.
func newManager(leader *leading.Leader, endpoint func(cluster string) string) api.Manager {
	return manage.New(manage.Options{
		View: leader.View, Registry: leader.Registry(), CheckParameter: engine.CheckParameter, Now: time.Now, Sleep: sleep, Chance: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
		Endpoint: endpoint,
	})
}
