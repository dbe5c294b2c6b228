package controller_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"larder/control/controller"
)

// TestExternalScenarios plays testdata/external/*.txt: behind each line stands what the controller wanted done because of it. What it writes comes about at once.
//
//	external NAME SERVERS      a cluster is wanted, or wanted with other servers
//	delete NAME
//	server ADDR primary history=H [before=H] [loading]
//	server ADDR replica of=ADDR history=H [unlinked]
//	server ADDR silent WHY     it does not answer
//	task KIND CLUSTER [SUBJECT]
//	controller                 another controller takes over
//	tick D                     time passes; each second all servers are asked
//	show                       what waits, and whether it is settled
func TestExternalScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/external/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := playExternal(t, string(text))
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(text) {
				t.Errorf("what is wanted now (-update writes it down, to be reviewed):\n%s", firstDifference(string(text), got))
			}
		})
	}
}

// stocks is a world of servers of others.
type stocks struct {
	fleet   controller.Fleet
	now     time.Time
	entries []controller.Entry
	index   uint64
	says    map[string]controller.ServerSays
	out     strings.Builder
}

func playExternal(t *testing.T, text string) string {
	t.Helper()
	w := &stocks{now: time.Unix(1_700_000_000, 0), says: map[string]controller.ServerSays{}}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "| ") {
			continue
		}
		w.out.WriteString(line + "\n")
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if err := w.do(words); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	return w.out.String()
}

func (w *stocks) do(words []string) error {
	switch words[0] {
	case "external":
		servers, err := controller.ParseServers(words[2])
		if err != nil {
			return err
		}
		spec := controller.ExternalSpec(servers)
		if err := spec.Validate(controller.Limits{}); err != nil {
			return err
		}
		return w.write(controller.SpecKey(words[1]), spec)
	case "delete":
		spec := &controller.Spec{}
		for _, e := range w.entries {
			if e.Key == controller.SpecKey(words[1]) {
				if err := json.Unmarshal(e.Value, spec); err != nil {
					return err
				}
			}
		}
		spec.Deleted = true
		return w.write(controller.SpecKey(words[1]), spec)
	case "task":
		task := controller.Task{ID: fmt.Sprint("t", w.index), Kind: words[1], Cluster: words[2], State: controller.TaskRunning, Began: w.now}
		if len(words) > 3 {
			task.Subject = words[3]
		}
		return w.write(controller.TaskKey(task.ID), task)
	case "server":
		w.says[words[1]] = saysOf(words[1], words[2:])
		w.ask()
	case "controller":
		w.fleet = controller.Fleet{}
		w.tell()
	case "tick":
		d, err := time.ParseDuration(words[1])
		if err != nil {
			return err
		}
		for range d / time.Second {
			w.now = w.now.Add(time.Second)
			w.ask()
			w.step(controller.Tick{})
		}
	case "show":
		for _, e := range w.entries {
			if name, is := strings.CutSuffix(strings.TrimPrefix(e.Key, "larder/clusters/"), "/spec"); is {
				fmt.Fprintf(&w.out, "| %s unsettled: %q\n", name, w.fleet.Unsettled(name))
				for _, reason := range w.fleet.Reasons(name) {
					fmt.Fprintf(&w.out, "| %s waits: %s\n", name, reason)
				}
			}
		}
	default:
		return fmt.Errorf("unknown word %q", words[0])
	}
	return nil
}

func saysOf(addr string, words []string) controller.ServerSays {
	says := controller.ServerSays{Addr: addr, Primary: words[0] == "primary", Linked: words[0] == "replica"}
	if words[0] == "silent" {
		return controller.ServerSays{Addr: addr, Wrong: strings.Join(words[1:], " ")}
	}
	for _, word := range words[1:] {
		switch key, value, _ := strings.Cut(word, "="); key {
		case "history":
			says.History = value
		case "before":
			says.Before = value
		case "of":
			says.Follows = value
		case "unlinked":
			says.Linked = false
		case "loading":
			says.Loading = true
		}
	}
	return says
}

// ask has all servers of all clusters say what they say.
func (w *stocks) ask() {
	for _, server := range w.fleet.Servers() {
		says, known := w.says[server.Addr]
		if !known {
			says = controller.ServerSays{Addr: server.Addr, Wrong: "connection refused"}
		}
		says.Cluster, says.At = server.Cluster, w.now
		w.step(says)
	}
}

func (w *stocks) write(key string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	w.set(key, text)
	w.tell()
	w.ask()
	return nil
}

func (w *stocks) set(key string, value []byte) {
	w.index++
	at := slices.IndexFunc(w.entries, func(e controller.Entry) bool { return e.Key == key })
	if at < 0 {
		at = len(w.entries)
		w.entries = append(w.entries, controller.Entry{Key: key})
	}
	w.entries[at].Value, w.entries[at].Version = value, w.index
}

func (w *stocks) tell() {
	w.step(controller.Registry{Index: w.index, Entries: slices.Clone(w.entries)})
}

// step has the fleet hear an event, and what it puts come about.
func (w *stocks) step(e controller.Event) {
	fleet, effects := w.fleet.Step(w.now, controller.Limits{}, e)
	w.fleet = fleet
	told := false
	for _, effect := range effects {
		switch effect := effect.(type) {
		case controller.Report:
			fmt.Fprintf(&w.out, "| %s: %s\n", effect.Kind, effect.Text)
		case controller.Put:
			fmt.Fprintf(&w.out, "| put %s: %s\n", effect.Key, oneLine(effect.Value))
			w.set(effect.Key, effect.Value)
			told = true
		default:
			fmt.Fprintf(&w.out, "| %T, of an external cluster\n", effect)
		}
	}
	if told {
		w.tell()
	}
}

func oneLine(value []byte) string { return strings.Join(strings.Fields(string(value)), " ") }

// TestExternalSpec: what cannot be is refused, in words that say where.
func TestExternalSpec(t *testing.T) {
	for _, c := range []struct{ text, wrong string }{
		{"a:1", ""},
		{"a:1,b:1;c:1,[::1]:6379", ""},
		{"", "empty address"},
		{"a:1;", "empty address"},
		{"a:1,", "empty address"},
		{"a", "want host:port"},
		{"a:1,b:1;a:1", `"a:1" is already shard 0: primary`},
		{"a:1,b:1,c:1,d:1,e:1,f:1,g:1", "7 servers: want 1 to 6"},
	} {
		servers, err := controller.ParseServers(c.text)
		if err == nil {
			err = controller.ExternalSpec(servers).Validate(controller.Limits{})
		}
		if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%q: got %v, want %q", c.text, err, c.wrong)
		}
	}
	ours := &controller.Spec{Engine: controller.Redis, Memory: 1 << 30, Shards: 1, Durability: controller.Async}
	theirs := controller.ExternalSpec([][]string{{"a:1", "b:1"}})
	if err := theirs.ValidateChange(ours, controller.Limits{}); err == nil || !strings.Contains(err.Error(), "migrate") {
		t.Errorf("a cluster of ours becomes one of others: %v", err)
	}
	if err := controller.ExternalSpec([][]string{{"c:1"}}).ValidateChange(theirs, controller.Limits{}); err != nil {
		t.Error(err)
	}
	theirs.Replicas = 2
	if err := theirs.Validate(controller.Limits{}); err == nil || !strings.Contains(err.Error(), "list of servers") {
		t.Errorf("replicas that are not in the list: %v", err)
	}
	theirs.Replicas, theirs.Memory = 1, 1
	if err := theirs.Validate(controller.Limits{}); err == nil {
		t.Error("memory of servers that are not ours was taken")
	}
}
