package steward

import (
	"context"
	"sync"
	"time"

	"larder/router"
)

// step is how long a steward rests between its rounds.
const step = 20 * time.Millisecond

// Run gives orders until the context ends.
func (s *Steward) Run(ctx context.Context) {
	doors := make([]*door, len(s.nodes))
	for i, n := range s.nodes {
		doors[i] = &door{node: n}
	}
	defer func() {
		for _, d := range doors {
			if d.wire != nil {
				d.wire.Close()
			}
		}
	}()
	for s.begun = time.Now(); ; {
		s.round(doors)
		select {
		case <-ctx.Done():
			return
		case <-time.After(step):
		}
	}
}

// round visits all nodes at once, and then changes the record if it should be changed.
func (s *Steward) round(doors []*door) {
	record := s.registry.Record()
	var exited []router.Run
	if record.State == router.Electing {
		exited = s.registry.Exited([]router.Run{record.Primary})
	}
	reports, errs := make([]report, len(doors)), make([]error, len(doors))
	var all sync.WaitGroup
	for i, d := range doors {
		all.Go(func() { reports[i], errs[i] = d.visit(&record, exited, s.patience/3) })
	}
	all.Wait()
	for i, d := range doors {
		if errs[i] == nil {
			s.heard[d.node.Name] = reports[i]
		}
	}
	next, why := s.next(&record, s.registry.wish(), time.Now())
	if next == nil || !s.registry.Put(next) {
		return
	}
	if record.State == router.Switching {
		s.registry.Switch("")
	}
	s.tell("record %s: %s", next.Line(), why)
}
