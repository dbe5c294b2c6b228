package slow

import (
	"larder/metrics"
	"larder/protocol/command"
)

// Tracked is what latency-tracking shows of how long commands took: what the metrics count, since CONFIG RESETSTAT and without what came while tracking was
// off. It is never changed; the zero one is of tracking that was never off.
type Tracked struct {
	ended  *metrics.Commands // the counts when tracking was turned off, nil while it is on
	missed *metrics.Commands // what came while it was off before, nil if nothing
}

// Times are those of a command that are to be shown; base are the counts at the last CONFIG RESETSTAT.
func (t Tracked) Times(id command.ID, all, base *metrics.Commands) metrics.Times {
	at := int(id)
	if t.ended != nil {
		all = t.ended
	}
	shown := all.Times(at).Less(base.Times(at))
	if t.missed != nil {
		shown = shown.Less(t.missed.Times(at))
	}
	return shown
}

// Switched is t from now on, when tracking was so and is so.
func (t Tracked) Switched(was, is bool, all *metrics.Commands) Tracked {
	switch {
	case was && !is:
		ended := metrics.NewCommands()
		ended.Set(all)
		t.ended = &ended
	case is && !was:
		missed := metrics.NewCommands()
		missed.Set(all)
		missed.Take(t.ended)
		if t.missed != nil {
			missed.Add(t.missed)
		}
		t.ended, t.missed = nil, &missed
	}
	return t
}

// Reset begins anew; what there is of commands is the base then.
func (t Tracked) Reset(all *metrics.Commands) Tracked {
	if t.ended != nil {
		ended := metrics.NewCommands()
		ended.Set(all)
		t.ended = &ended
	}
	t.missed = nil
	return t
}
