package consul

import (
	"context"
	"time"
)

// bound is a context that ends with ctx, with the registry, and after the time given. done must be called.
func (r *Registry) bound(ctx context.Context, within time.Duration) (bounded context.Context, done func()) {
	bounded, cancel := context.WithTimeout(ctx, within)
	stop := context.AfterFunc(r.open, cancel)
	return bounded, func() {
		stop()
		cancel()
	}
}
