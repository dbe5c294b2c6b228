package shard_test

import (
	"slices"
	"testing"

	"larder/engine/shard"
	"larder/router"
)

// control is a step of one of many controllers, each of which may act on reports that are old, as long as the registry's epoch is still the one they are of.
func (w *world) control() {
	switch w.record.State {
	case router.Normal:
		w.controlNormal()
	case router.Electing:
		w.ask()
		w.elect()
	case router.Switching:
		w.switchOver()
	}
}

func (w *world) controlNormal() {
	m, _ := pick(w, w.nodes)
	p := w.machineOf(w.record.Primary)
	what := w.dice.IntN(24)
	if (p.Me() != w.record.Primary || p.cutNS > w.nowNS) && w.dice.IntN(2) == 0 {
		what = 17
	}
	switch what {
	case 0: // one falls out of the set
		if w.record.Counted(m.Me()) && m.Me() != w.record.Primary {
			r := w.next()
			r.Set = slices.DeleteFunc(r.Set, func(run router.Run) bool { return run.Node == m.Me().Node })
			r.Joining = slices.DeleteFunc(r.Joining, func(run router.Run) bool { return run.Node == m.Me().Node })
			w.put(r)
		}
	case 1, 20, 21, 22: // a run that is gone falls out
		r := w.next()
		gone := func(run router.Run) bool { return run != r.Primary && w.machineOf(run).Me() != run }
		r.Set, r.Joining = slices.DeleteFunc(r.Set, gone), slices.DeleteFunc(r.Joining, gone)
		w.put(r)
	case 2, 3, 4, 5, 6, 7, 8: // one joins
		r := w.next()
		named := slices.ContainsFunc(slices.Concat(r.Set, r.Joining), func(run router.Run) bool { return run.Node == m.Me().Node })
		if l := m.link; !named && l != nil && l.run == r.Primary && l.reign == r.Reign {
			if w.faults.joinAtOnce {
				r.Set = append(r.Set, m.Me())
			} else {
				r.Joining = append(r.Joining, m.Me())
			}
			w.put(r)
		}
	case 9, 10, 11, 12, 13, 14, 15, 16: // one that joins becomes a member, by a report of the primary
		if p.up && p.Me() == w.record.Primary {
			for _, run := range p.Confirmed() {
				w.joined = append(w.joined, joined{p.Record().Epoch, run})
			}
		}
		for _, j := range w.joined {
			if at := slices.Index(w.record.Joining, j.run); at >= 0 && j.epoch == w.record.Epoch {
				r := w.next()
				r.Set, r.Joining = append(r.Set, j.run), slices.Delete(r.Joining, at, at+1)
				w.put(r)
				return
			}
		}
	case 17:
		r := w.next()
		r.State, r.Term = router.Electing, r.Epoch
		w.put(r)
	case 18:
		r := w.next()
		r.State, r.Term = router.Switching, r.Epoch
		w.put(r)
	}
}

// ask asks a member to promise.
func (w *world) ask() {
	m, _ := pick(w, w.nodes)
	if !m.up || m.cutNS > w.nowNS {
		return
	}
	record := w.record
	_ = m.Obey(&record, int64(len(m.data)))
	exited := router.Run{}
	for _, other := range w.nodes {
		if len(other.exited) > 0 && w.dice.IntN(2) == 0 {
			exited = other.exited[len(other.exited)-1]
		}
	}
	if wait, ok := m.Promise(record.Epoch, exited, w.nowNS); ok && (wait == 0 || w.faults.noWait) {
		w.promises = append(w.promises, promise{record.Epoch, m.Me(), int64(len(m.data)), slices.Clone(m.data)})
	}
}

// elect chooses of those that promised this epoch.
func (w *world) elect() {
	var best *promise
	var set []router.Run
	for i := range w.promises {
		p := &w.promises[i]
		if p.epoch != w.record.Epoch || slices.Contains(set, p.run) {
			continue
		}
		set = append(set, p.run)
		if best == nil || p.offset > best.offset {
			best = p
		}
	}
	if best == nil || w.dice.IntN(2) != 0 {
		return
	}
	r := w.next()
	r.State, r.Term, r.Reign, r.Primary = router.Normal, r.Epoch, r.Epoch, best.run
	set = slices.DeleteFunc(set, func(run router.Run) bool { return run == best.run })
	r.Set, r.Joining = append([]router.Run{best.run}, set...), nil
	w.put(r)
}

// switchOver hands the frozen primary's place to a member that has all, or gives it back.
func (w *world) switchOver() {
	p := w.machineOf(w.record.Primary)
	if p.up && p.Me() == w.record.Primary && p.Role() == shard.Frozen {
		w.finals = append(w.finals, final{p.Record().Epoch, int64(len(p.data))})
	}
	r := w.next()
	r.State, r.Term = router.Normal, r.Epoch
	if w.dice.IntN(4) == 0 {
		w.put(r)
		return
	}
	target, _ := pick(w, w.nodes)
	if !target.up || !w.record.Member(target.Me()) || target == p {
		return
	}
	for _, f := range w.finals {
		if f.epoch == w.record.Epoch && int64(len(target.data)) == f.offset {
			r.Reign, r.Primary, r.Returned = r.Epoch, target.Me(), true
			r.Set = append([]router.Run{r.Primary}, slices.DeleteFunc(r.Set, func(run router.Run) bool { return run == r.Primary })...)
			w.put(r)
			return
		}
	}
}

// play runs a world and gives what went wrong, and how much was shown in how many reigns.
func play(seed uint64, steps int, f faults) (w *world) {
	w = newWorld(seed, f)
	for range steps {
		if w.step(); w.wrong != "" {
			return w
		}
	}
	return w
}

// TestNothingShownIsLost plays worlds from seeds.
func TestNothingShownIsLost(t *testing.T) {
	worlds, steps := 1000, 3000
	if testing.Short() {
		worlds = 300
	}
	shown, reigns := 0, uint64(0)
	for seed := range worlds {
		w := play(uint64(seed), steps, faults{})
		if w.wrong != "" {
			t.Fatalf("seed %d: %s", seed, w.wrong)
		}
		shown += len(w.shown)
		reigns += w.record.Reign
	}
	t.Logf("%d writes shown in %d worlds", shown, worlds)
	if shown < 5*worlds || reigns < uint64(10*worlds) {
		t.Errorf("only %d writes were shown, the last reigns' epochs sum up to %d: the worlds prove nothing", shown, reigns)
	}
}

// TestEachCureIsNeeded switches the protocol's rules off one by one: each time something that was shown is lost.
func TestEachCureIsNeeded(t *testing.T) {
	for name, f := range map[string]faults{
		"replies leave without a last look at the lease":            {noLastLook: true},
		"who was asked to promise goes on acknowledging":            {lateAcks: true},
		"a member promises while its lease runs":                    {noWait: true},
		"a newcomer is a member at once":                            {joinAtOnce: true},
		"a process that starts empty has the name of its last run":  {sameRun: true},
		"a member drops its data when it likes, and keeps its name": {dropEarly: true},
	} {
		t.Run(name, func(t *testing.T) {
			const worlds = 6000
			for seed := range uint64(worlds) {
				if play(seed, 3000, f).wrong != "" {
					return
				}
			}
			t.Errorf("nothing went wrong in %d worlds", worlds)
		})
	}
}
