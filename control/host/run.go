package host

import "context"

// Run looks after the host's nodes until ctx ends. They run on then, but for those that Rest has ended.
func (h *Host) Run(ctx context.Context) error {
	nudge(h.news)
	for {
		select {
		case <-h.news:
			h.begin(ctx)
		case <-ctx.Done():
			h.work.Wait()
			return nil
		}
	}
}

// begin has every node be looked after.
func (h *Host) begin(ctx context.Context) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, k := range h.keepers {
		if k.kept {
			continue
		}
		k.kept = true
		h.kept++
		h.work.Go(func() {
			k.keep(ctx)
			h.mu.Lock()
			h.kept--
			h.mu.Unlock()
			nudge(h.left)
		})
	}
}
