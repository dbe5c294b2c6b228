package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

const profileLength = 10 * time.Second

// profile runs the first chosen cell against ours alone, profiled, instead of measuring pairs.
func (r *runner) profile(ctx context.Context, path string) error {
	defer r.bed.stop()
	switch {
	case r.sections["types"]:
		return r.profileTypes(ctx, path)
	case r.sections["pubsub"] && len(r.sections) == 1:
		return r.profileAudience(ctx, path)
	}
	ours, w, err := r.profiled()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := fetchProfile(ctx, ours.Metrics, path, profileLength)
	p := r.plan
	p.run, p.requests = profileLength, unlimitedRequests
	turns, err := newTurnCounter(ours)
	if err != nil {
		return err
	}
	s, err := p.measure(ours, w)
	if err == nil {
		err = turns.fill(&s)
	}
	if err != nil {
		return err
	}
	select {
	case err = <-done:
	case <-time.After(readyMax):
		err = fmt.Errorf("fetch profile: nothing came within %s of the load's end", readyMax)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(r.out, "%s on %s: %.3f µs an operation (%.0f %% in user space), %.0f/s, %s commands a turn; profile in %s\n",
		w, ours.Name, s.CPU, 100*s.User, s.PerSecond, orDash(s.PerTurn), path)
	return nil
}

// profileAudience has the first chosen load heard by all subscribers.
func (r *runner) profileAudience(ctx context.Context, path string) error {
	loads := r.matching(audienceLoads(r.sizes()))
	if len(loads) == 0 {
		return errors.New("-pprof: no load on subscribers matches -cell")
	}
	ours, _, err := r.studios()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := fetchProfile(ctx, ours.Metrics, path, profileLength)
	r.plan.run = profileLength
	s, err := r.heard(ours, loads[0])
	if err != nil {
		return err
	}
	fmt.Fprintf(r.out, "%s on %s: %.3f µs a delivery (%.0f %% in user space), %.0f/s; profile in %s\n", loads[0], ours.Name, s.CPU, 100*s.User, s.PerSecond, path)
	return <-done
}

// profileTypes runs the chosen loads on collections, one after the other and again until the profile is made.
func (r *runner) profileTypes(ctx context.Context, path string) error {
	ours, err := r.bed.engine()
	if err != nil {
		return err
	}
	loads := slices.DeleteFunc(typeLoads(), func(l typeLoad) bool { return !r.only.MatchString(l.name) })
	if len(loads) == 0 {
		return errors.New("-pprof: no load on collections matches -cell")
	}
	for _, load := range loads {
		if err := ours.tell(load.before); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := fetchProfile(ctx, ours.Metrics, path, profileLength*time.Duration(min(len(loads), 4)))
	for {
		for _, load := range loads {
			if _, err := r.plan.typed(ours, load); err != nil {
				return err
			}
			select {
			case err := <-done:
				return err
			default:
			}
		}
	}
}

// profiled starts the server of the first section asked for, with keys, and picks the first cell asked for.
func (r *runner) profiled() (*Server, Workload, error) {
	for _, value := range []int{64, 1024} {
		if r.sections["gateway"] {
			if cells := r.gatewayCells(value); len(cells) > 0 {
				s, err := r.gatewayOver(value)
				return s, cells[0], err
			}
		}
		if r.sections["node"] {
			if cells := r.nodeCells(value); len(cells) > 0 {
				s, err := r.bed.engine()
				if err == nil {
					err = r.plan.fill(s.Addr, fill{value: value, keys: r.plan.keys})
				}
				return s, cells[0], err
			}
		}
	}
	return nil, Workload{}, fmt.Errorf("-pprof: no gateway or node cell matches -only and -cell")
}
