package config

import (
	"context"
	"sync"
)

// Run follows the settings, and says in the registry which of them run here, until ctx ends. id is the process's name, as a part of a key.
func (f *Follower) Run(ctx context.Context, id string) error {
	f.set(func(r *Running) { r.ID = id })
	var saying sync.WaitGroup
	saying.Go(func() { f.say(ctx) })
	f.watch(ctx)
	saying.Wait()
	return nil
}
