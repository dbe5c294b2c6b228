package engine_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/engine"
	"larder/protocol/resp"
	"larder/router"
)

// battlefield is a realm in which everything goes wrong by chance, and clients who push numbers onto a list and read it.
type battlefield struct {
	*realm
	dice   *rand.Rand
	left   map[int]time.Duration // for so long a node hears nothing of others
	paused map[int]bool          // and nothing of anybody: its machine stands still
	made   []caller
	pushed int
	shown  []string     // numbers that somebody was told of, as pushed or as read
	exited []router.Run // runs that have ended
	agreed map[string]map[string]string
	wrong  string
	elects int // elections that have come to an end
}

// caller is a client with one command under way.
type caller struct {
	*talker
	node   int
	number string // that it pushes; "": it reads
	busy   bool
	before int // how many numbers were shown when it began
}

const battleNodes = 3

func newBattlefield(t *testing.T, seed uint64) *battlefield {
	e := reigning(t, battleNodes, true, func(o *engine.Options) { o.HoldTime = 700 * time.Millisecond })
	return &battlefield{realm: e, dice: rand.New(rand.NewPCG(seed, 7)), left: map[int]time.Duration{}, paused: map[int]bool{}, agreed: map[string]map[string]string{}}
}

func (f *battlefield) step() {
	f.time()
	for _, w := range slices.Clone(f.wires) {
		if f.dice.IntN(3) != 0 {
			f.carry(w)
		}
	}
	for i, b := range f.nodes {
		for _, d := range b.m.Dials() {
			f.dialled(i, d)
		}
	}
	f.calls()
	switch f.dice.IntN(100) {
	case 0, 1, 2:
		i := f.dice.IntN(battleNodes)
		f.left[i], f.paused[i] = time.Duration(f.dice.IntN(1500))*time.Millisecond, f.dice.IntN(2) == 0
	case 3, 4:
		f.breaks(f.dice.IntN(battleNodes))
	case 5:
		if f.dice.IntN(4) == 0 {
			f.crash(f.dice.IntN(battleNodes))
		}
	}
	if f.dice.IntN(3) == 0 {
		f.control()
	}
}

// time passes by a few milliseconds, now and then by more.
func (f *battlefield) time() {
	d := time.Duration(1+f.dice.IntN(12)) * time.Millisecond
	if f.dice.IntN(150) == 0 {
		d = time.Duration(f.dice.IntN(600)) * time.Millisecond
	}
	for i, b := range f.nodes {
		if f.left[i] -= d; f.left[i] <= 0 {
			f.paused[i] = false
		}
		f.cut[i] = f.left[i] > 0
		if f.paused[i] {
			b.m.Pass(d)
		} else {
			b.m.Advance(d)
		}
	}
}

// breaks ends all connections of a node to others.
func (f *battlefield) breaks(node int) {
	f.wires = slices.DeleteFunc(f.wires, func(w *wireBetween) bool {
		if w.from != node && w.to != node {
			return false
		}
		for _, end := range w.ends {
			end.Hangup(errors.New("reset"))
		}
		return true
	})
}

// crash ends a node, which comes back empty; not the last of the set.
func (f *battlefield) crash(node int) {
	alive := 0
	for i := range f.nodes {
		if f.record.Member(f.run(i)) {
			alive++
		}
	}
	if f.record.Member(f.run(node)) && alive < 2 {
		return
	}
	f.exited = append(f.exited, f.run(node))
	f.breaks(node)
	f.made = slices.DeleteFunc(f.made, func(c caller) bool { return c.node == node })
	b := newBed(f.t, func(o *engine.Options) { o.Managed, o.ID = true, string(rune('a'+node)) })
	b.m.Pass(f.nodes[0].m.Loop.Uptime() - b.m.Loop.Uptime())
	f.nodes[node], f.admins[node], f.left[node] = b, b.client(), 0
}

// calls has clients hear and say something.
func (f *battlefield) calls() {
	for i := range f.made {
		f.hears(&f.made[i])
	}
	f.made = slices.DeleteFunc(f.made, func(c caller) bool { return c.c.Closed })
	node := f.dice.IntN(battleNodes)
	if f.dice.IntN(3) != 0 {
		node = int(f.record.Primary.Node[0] - 'a')
	}
	if f.paused[node] {
		return
	}
	at := slices.IndexFunc(f.made, func(c caller) bool { return c.node == node && !c.busy })
	if at < 0 {
		if len(f.made) > 30 {
			return
		}
		at = len(f.made)
		f.made = append(f.made, caller{talker: f.nodes[node].client(), node: node})
	}
	c := &f.made[at]
	c.busy, c.before, c.number = true, len(f.shown), ""
	say := []string{"LRANGE", "l", "0", "-1"}
	if f.dice.IntN(4) == 0 {
		f.pushed++
		c.number = strconv.Itoa(f.pushed)
		say = []string{"RPUSH", "l", c.number}
	}
	c.c.Feed(resp.AppendCommandStrings(nil, say...))
	if f.dice.IntN(20) == 0 { // nobody's machine goes on before this turn's replies are written
		d := time.Duration(f.dice.IntN(700)) * time.Millisecond
		for _, b := range f.nodes {
			b.m.Pass(d)
		}
	}
	f.nodes[node].m.EndTurn()
}

// hears judges what a client is told.
func (f *battlefield) hears(c *caller) {
	got := c.got()
	if got == "" || !c.busy {
		return
	}
	c.busy = false
	switch got[0] {
	case ':':
		f.show(c.number)
	case '*':
		all := numbersOf(got)
		for _, number := range f.shown[:c.before] {
			if !slices.Contains(all, number) && f.wrong == "" {
				f.wrong = fmt.Sprintf("node %c: a read gives %v and lacks %s, which was shown before it began; record %s", 'a'+c.node, all, number, f.record.Line())
			}
		}
		for _, number := range all {
			f.show(number)
		}
	}
}

func (f *battlefield) show(number string) {
	if !slices.Contains(f.shown, number) {
		f.shown = append(f.shown, number)
	}
}

func numbersOf(reply string) (all []string) {
	for it := resp.Elements([]byte(reply)); ; {
		e, ok := it.Next()
		if !ok {
			return all
		}
		number, _ := resp.BulkOf(e)
		all = append(all, string(number))
	}
}

// reach tells whether the controller reaches a node.
func (f *battlefield) reach(i int) bool { return !f.cut[i] }

// control is a step of a controller, which knows what it is told and nothing else.
func (f *battlefield) control() {
	for i := range f.nodes {
		if f.reach(i) && f.dice.IntN(2) == 0 {
			f.shows(i)
		}
	}
	switch primary := int(f.record.Primary.Node[0] - 'a'); f.record.State {
	case router.Normal:
		f.controlNormal(primary)
	case router.Electing:
		f.elect()
	case router.Switching:
		f.switchOver(primary)
	}
}

// shows shows a node the record. What it answers may be that it knows a newer one, never of this controller, which is the only one.
func (f *battlefield) shows(i int) {
	words := []string{"LARDER", "RECORD", f.record.Line()}
	for n := range f.nodes {
		words = append(words, string(rune('a'+n))+"="+place(n))
	}
	if f.admins[i].c.Closed {
		f.admins[i] = f.nodes[i].client()
	}
	f.admins[i].says("+OK\r\n", words...)
}

func (f *battlefield) controlNormal(primary int) {
	what := f.dice.IntN(40)
	if !f.reach(primary) || f.run(primary) != f.record.Primary {
		what = f.dice.IntN(8)
	}
	switch {
	case what == 0:
		f.agreed = map[string]map[string]string{}
		f.next(func(r *router.Record) { r.State, r.Term = router.Electing, r.Epoch })
	case what == 1 && f.reach(primary) && f.dice.IntN(3) == 0:
		f.next(func(r *router.Record) { r.State, r.Term = router.Switching, r.Epoch })
	case what < 16:
		gone := func(run router.Run) bool {
			i := int(run.Node[0] - 'a')
			return i != primary && (!f.reach(i) || f.run(i) != run)
		}
		if slices.ContainsFunc(slices.Concat(f.record.Set, f.record.Joining), gone) {
			f.next(func(r *router.Record) {
				r.Set, r.Joining = slices.DeleteFunc(r.Set, gone), slices.DeleteFunc(r.Joining, gone)
			})
		}
	case what < 30 && f.reach(primary):
		f.grow(f.state(primary))
	}
}

// grow takes in who follows, by what the primary tells under the present epoch.
func (f *battlefield) grow(told map[string]string) {
	if told["record"] != f.record.Line() {
		return
	}
	if confirmed := strings.Fields(told["confirmed"]); len(confirmed) > 0 {
		run, _ := router.ParseRun(confirmed[0])
		f.next(func(r *router.Record) {
			r.Set = append(r.Set, run)
			r.Joining = slices.DeleteFunc(r.Joining, func(o router.Run) bool { return o == run })
		})
		return
	}
	followers := strings.Fields(told["followers"])
	for ; len(followers) > 1; followers = followers[2:] {
		run, _ := router.ParseRun(followers[0])
		named := func(o router.Run) bool { return o.Node == run.Node }
		if i := int(run.Node[0] - 'a'); f.run(i) == run && !slices.ContainsFunc(slices.Concat(f.record.Set, f.record.Joining), named) {
			f.next(func(r *router.Record) { r.Joining = append(r.Joining, run) })
			return
		}
	}
}

func (f *battlefield) elect() {
	for i := range f.nodes {
		if !f.reach(i) || !f.record.Member(f.run(i)) {
			continue
		}
		words := []string{"LARDER", "PROMISE", f.record.Line()}
		if len(f.exited) > 0 && f.dice.IntN(2) == 0 {
			words = append(words, "EXITED", f.exited[len(f.exited)-1].String())
		}
		got := f.admins[i].do(words...)
		if got[0] == '-' {
			continue
		}
		if told := fieldsOf(f.t, got); told["promised"] == fmt.Sprint(f.record.Epoch) {
			f.agreed[told["run"]] = told
		}
	}
	if len(f.agreed) == 0 || f.dice.IntN(2) == 0 {
		return
	}
	var set []router.Run
	best := int64(-1)
	for i := range f.nodes {
		for text, told := range f.agreed {
			run, _ := router.ParseRun(text)
			if int(run.Node[0]-'a') != i {
				continue
			}
			offset, _ := strconv.ParseInt(told["offset"], 10, 64)
			if offset > best {
				best, set = offset, append([]router.Run{run}, set...)
			} else {
				set = append(set, run)
			}
		}
	}
	f.elects++
	f.next(chosen(set...))
}

func (f *battlefield) switchOver(primary int) {
	target := f.dice.IntN(battleNodes)
	if f.reach(primary) && f.reach(target) && target != primary && f.record.Member(f.run(target)) {
		from, to := f.state(primary), f.state(target)
		if from["role"] == "frozen" && from["record"] == f.record.Line() && to["record"] == f.record.Line() && from["executed"] == to["executed"] {
			run := f.run(target)
			f.elects++
			f.next(func(r *router.Record) {
				rest := slices.DeleteFunc(slices.Clone(r.Set), func(o router.Run) bool { return o == run })
				chosen(append([]router.Run{run}, rest...)...)(r)
				r.Returned = true
			})
			return
		}
	}
	if f.dice.IntN(10) == 0 { // it is given up
		f.next(func(r *router.Record) { r.State, r.Term = router.Normal, r.Epoch })
	}
}

// TestNothingShownIsLostHere plays nodes, wires and clocks from seeds: nothing that a client was shown, as its own write or in a read, is missing in a read that
// began later, whoever was the primary then.
func TestNothingShownIsLostHere(t *testing.T) {
	worlds, steps := uint64(12), 3000
	if testing.Short() {
		worlds = 4
	}
	shown, elects := 0, 0
	for seed := range worlds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			f := newBattlefield(t, seed)
			for i := range steps {
				if f.step(); f.wrong != "" {
					t.Fatalf("step %d: %s", i, f.wrong)
				}
			}
			shown += len(f.shown)
			elects += f.elects
		})
	}
	t.Logf("%d numbers were shown, %d primaries were chosen", shown, elects)
	if shown < 20*int(worlds) || elects < 3*int(worlds) {
		t.Errorf("only %d numbers were shown and %d primaries chosen: the worlds prove nothing", shown, elects)
	}
}
