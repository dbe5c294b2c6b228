package controller_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/control/controller"
)

var update = flag.Bool("update", false, "write the scenarios' effects anew, to be reviewed")

// TestScenarios plays testdata/*.txt: behind each line stands, with a bar in front, what the controller wanted done because of it. Nothing is left to chance
// there: what it wants is done at once, unless the scenario holds it back.
//
//	host ID [zone=Z] [memory=4gb]     a machine comes, or comes back with its nodes
//	dies ID | cut ID                  a machine is gone | only its session ends
//	drain ID | undrain ID             an operator wants it empty | or not any more
//	create|modify NAME [shards=N] [replicas=N] [memory=512mb] [durability=D] [zones=a,b] [parameters=G] [min=N]
//	delete NAME
//	group NAME [parameter=value …]
//	task KIND [cluster=C] [subject=S]
//	crash NODE | fails NODE           it ends and is started again | its host gives it up
//	restart NODE                      likewise, and it has its data saved
//	kill NODE | begin NODE            it ends, and is not started again yet | it is
//	freeze|sever NODE for=D           it does nothing | no controller reaches it, for a while
//	clock NODE by=D                   its clock is off
//	failover NAME [shard=N] [force]   an operator wants other primaries
//	primary NODE                      somebody else makes it its shard's primary
//	hold put|order|tell | let         such effects are lost from here on | nothing is
//	controller                        another controller takes over
//	tick D                            time passes; with "quietly" nothing is written down
//	show                              the plan, the records and why what waits waits
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := playScenario(t, string(text))
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if !bytes.Equal([]byte(got), text) {
				t.Errorf("what is wanted now (-update writes it down, to be reviewed):\n%s", firstDifference(string(text), got))
			}
		})
	}
}

func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d:\nwas  %s\nnow  %s", i+1, a[i], b[i])
		}
	}
	return "one of them is longer"
}

func playScenario(t *testing.T, text string) string {
	t.Helper()
	var out strings.Builder
	w := newWorld(nil)
	quiet := false
	w.trace = func(format string, args ...any) {
		if !quiet {
			fmt.Fprintf(&out, "| "+format+"\n", args...)
		}
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "| ") {
			continue
		}
		out.WriteString(line + "\n")
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		quiet = slices.Contains(words, "quietly")
		if err := w.do(words); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		w.deliver()
		quiet = false
		if w.wrong != "" {
			t.Fatalf("%s: %s", line, w.wrong)
		}
	}
	return out.String()
}

// do does a line of a scenario.
func (w *world) do(words []string) error {
	name, set := "", map[string]string{}
	for i, word := range words[1:] {
		if key, value, ok := strings.Cut(word, "="); ok {
			set[key] = value
		} else if i == 0 {
			name = word
		}
	}
	switch words[0] {
	case "host":
		memory, err := size(set["memory"], 4<<30)
		if err == nil {
			w.report(w.start(name, set["zone"], memory))
		}
		return err
	case "create", "modify":
		return w.wish(name, set)
	case "delete":
		s := w.spec(name)
		s.Deleted = true
		w.setJSON(controller.SpecKey(name), s)
	case "group":
		w.setJSON(controller.ParametersKey(name), controller.Group{Engine: controller.Redis, Values: set})
	case "task":
		id := fmt.Sprintf("t%d", len(w.entries))
		w.setJSON(controller.TaskKey(id), controller.Task{ID: id, Kind: name, Cluster: set["cluster"], Subject: set["subject"], State: controller.TaskRunning, Began: w.now})
	case "hold":
		w.hold = func(e controller.Effect) bool { return strings.EqualFold(fmt.Sprintf("%T", e), "controller."+name) }
	case "let":
		w.hold = nil
	case "controller":
		w.leaders = nil
		w.takeOver()
	case "tick":
		d, err := time.ParseDuration(name)
		for range d / (100 * time.Millisecond) {
			w.step()
		}
		return err
	case "show":
		w.showAll()
	case "failover":
		w.failover(name, set["shard"], slices.Contains(words, "force"))
	default:
		long, err := time.ParseDuration(cmp.Or(set["for"], set["by"], "0s"))
		return errors.Join(err, w.doTo(words[0], name, long))
	}
	return nil
}

// doTo does something to a host or a node.
func (w *world) doTo(what, name string, long time.Duration) error {
	if m := w.machines[name]; m != nil {
		switch what {
		case "dies":
			w.stop(m)
			w.loses(m)
		case "cut":
			w.loses(m)
		case "silence":
			m.silent = true
		case "drain":
			w.set(controller.DrainKey(name), []byte("{}"))
		case "undrain":
			w.unset(controller.DrainKey(name))
		default:
			return fmt.Errorf("nothing is known of %s", what)
		}
		return nil
	}
	if p := w.proc(name); p != nil && what == "begin" {
		w.run(p)
		w.report(p.m)
		return nil
	}
	for _, p := range w.procs() {
		if p.id != name {
			continue
		}
		switch what {
		case "crash":
			w.run(p)
		case "restart":
			saved := p.data
			w.run(p)
			p.data = saved
		case "kill":
			p.up, p.exited = false, p.Me().ID
		case "freeze":
			p.frozen = w.now.Add(long)
			return nil
		case "sever":
			p.cut = w.now.Add(long)
			return nil
		case "clock":
			p.skew = long
			return nil
		case "fails":
			p.exited, p.up, p.failed = p.Me().ID, false, "it ended ten times within a minute"
		case "primary":
			w.elect(p)
		default:
			return fmt.Errorf("nothing is known of %s", what)
		}
		w.report(p.m)
		return nil
	}
	return fmt.Errorf("there is no %s to %s", name, what)
}

// failover has an operator ask for other primaries, as the management API would.
func (w *world) failover(cluster, shard string, force bool) {
	reigns := map[int]uint64{}
	for i, s := range w.leaders[len(w.leaders)-1].fleet.Shards(cluster) {
		if shard == "" || shard == strconv.Itoa(i) {
			reigns[i] = s.Reign
		}
	}
	t := controller.Task{
		ID: fmt.Sprintf("t%d", len(w.entries)), Kind: controller.TaskSwitch, Cluster: cluster, Subject: shard, From: controller.FromReigns(reigns),
		State: controller.TaskRunning, Began: w.now,
	}
	if force {
		t.Kind = controller.TaskForce
		for i := range reigns {
			delete(w.shown, controller.RecordKey(cluster, i))
		}
	}
	w.setJSON(controller.TaskKey(t.ID), t)
}

// wish writes what a user wants, as the management API would.
func (w *world) wish(name string, set map[string]string) error {
	s := w.spec(name)
	if s == nil {
		s = &controller.Spec{Engine: controller.Redis, Memory: 512 << 20, Shards: 1, Durability: controller.Async}
	}
	was := *s
	for key, value := range set {
		n, err := strconv.Atoi(value)
		switch key {
		case "shards":
			s.Shards = n
		case "replicas":
			s.Replicas = n
		case "min":
			s.MinInSync = n
		case "memory":
			s.Memory, err = size(value, 0)
		case "durability":
			s.Durability, err = value, nil
		case "parameters":
			s.Parameters, err = value, nil
		case "zones":
			s.Zones, err = strings.Split(value, ","), nil
		}
		if err != nil {
			return err
		}
	}
	if w.spec(name) != nil {
		if err := s.ValidateChange(&was, w.limits); err != nil {
			return err
		}
	} else if err := s.Validate(w.limits); err != nil {
		return err
	}
	w.setJSON(controller.SpecKey(name), s)
	return nil
}

func size(text string, usual int64) (int64, error) {
	if text == "" {
		return usual, nil
	}
	for unit, shift := range map[string]int{"gb": 30, "mb": 20} {
		if digits, ok := strings.CutSuffix(text, unit); ok {
			n, err := strconv.ParseInt(digits, 10, 64)
			return n << shift, err
		}
	}
	return 0, fmt.Errorf("size %q: want mb or gb", text)
}

// elect makes a node its shard's primary, as whoever looks after primaries that are gone does.
func (w *world) elect(p *proc) {
	r := *w.record(p.cluster, p.shard)
	r.Epoch++
	r.State, r.Term, r.Reign, r.Primary, r.Joining = 0, r.Epoch, r.Epoch, p.Me(), nil
	r.Set = r.Set[:0:0]
	r.Set = append(r.Set, p.Me())
	for _, other := range w.procs() {
		if was := w.record(p.cluster, p.shard); other != p && was.Member(other.Me()) {
			r.Set = append(r.Set, other.Me())
		}
	}
	w.set(controller.RecordKey(p.cluster, p.shard), []byte(r.Line()))
}

func (w *world) showAll() {
	fleet := w.leaders[len(w.leaders)-1].fleet
	for _, name := range w.planned() {
		settled := ""
		if text := fleet.Unsettled(name); text != "" {
			settled = " (" + text + ")"
		}
		w.trace("%s%s:%s", name, settled, showPlan(w.plan(name)))
		shards := 0
		if s := w.spec(name); s != nil {
			shards = s.Shards
		}
		for shard := range shards {
			if r := w.record(name, shard); r != nil {
				w.trace("%s %d: %s", name, shard, r.Line())
			}
		}
		for _, reason := range fleet.Reasons(name) {
			w.trace("%s waits: %s", name, reason)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(w.entries)) {
		if strings.HasPrefix(key, "larder/fleet-tasks/") {
			var task controller.Task
			_ = json.Unmarshal(w.entries[key].Value, &task)
			w.trace("task %s %s: %s, %d of %d %s", task.ID, task.Kind, task.State, task.Done, task.Total, task.Waits)
		}
	}
}
