package fleet_test

import (
	"encoding/json"
	"fmt"
	"strings"

	"larder/backends"
	"larder/backends/registry"
	"larder/control"
	"larder/control/controller"
	"larder/control/fleet"
	"larder/router"
)

// words say what is written under a key.
func (r *tracer) words(key string, value []byte) string {
	if len(value) == 0 {
		return "nothing any more"
	}
	text, err := registry.Unpack(value)
	if err != nil {
		return err.Error()
	}
	switch {
	case strings.HasSuffix(key, "/plan"):
		return r.planned(key, text)
	case strings.HasSuffix(key, "/topology"):
		return routed(value)
	case strings.Contains(key, "/shards/"):
		return recorded(string(text))
	case key == fleet.EventsKey:
		return happened(text)
	case strings.HasPrefix(key, controller.TaskKey("")):
		var task controller.Task
		if err := json.Unmarshal(text, &task); err != nil {
			return err.Error()
		}
		return fmt.Sprintf("%s is %s, %d of %d", task.Kind, task.State, task.Done, task.Total)
	}
	return string(text)
}

// planned says what is another way in a plan than before.
func (r *tracer) planned(key string, text []byte) string {
	var now controller.Plan
	if err := json.Unmarshal(text, &now); err != nil {
		return err.Error()
	}
	r.mu.Lock()
	was := r.plans[key]
	r.plans[key] = now
	r.mu.Unlock()
	old := map[string]controller.Node{}
	for _, n := range was.Nodes {
		old[n.ID] = n
	}
	var words []string
	for _, n := range now.Nodes {
		before, is := old[n.ID]
		delete(old, n.ID)
		switch {
		case !is:
			words = append(words, fmt.Sprintf("%s of shard %d on %s", n.ID, n.Shard, n.Host))
		case n.State != before.State:
			words = append(words, strings.TrimSpace(fmt.Sprintf("%s %s %s", n.ID, orStays(n.State), n.Why)))
		case n != before:
			words = append(words, fmt.Sprintf("%s with %s, reserved %s", n.ID, controller.Bytes(n.Memory), controller.Bytes(n.Reserved)))
		}
	}
	for _, n := range was.Nodes {
		if _, gone := old[n.ID]; gone {
			words = append(words, n.ID+" is gone")
		}
	}
	return strings.Join(words, "; ")
}

func orStays(s controller.NodeState) string {
	if s == controller.Stays {
		return "stays"
	}
	return string(s)
}

// routed says who serves.
func routed(value []byte) string {
	t, err := backends.DecodeTopology(value)
	if err != nil {
		return err.Error()
	}
	words := []string{fmt.Sprint("epoch ", t.Epoch)}
	for i, s := range t.Shards {
		text := fmt.Sprintf("%d: %s", i, s.Primary.ID)
		for _, r := range s.Replicas {
			text += " " + r.ID
		}
		words = append(words, text)
	}
	return strings.Join(words, "; ")
}

// recorded says who is who in a shard.
func recorded(text string) string {
	r, err := router.ParseRecord(text)
	if err != nil {
		return err.Error()
	}
	names := func(runs []router.Run) (all string) {
		for _, run := range runs {
			all += " " + run.Node
		}
		return all
	}
	words := fmt.Sprintf("epoch %d, %s, primary %s, set%s", r.Epoch, r.State, r.Primary.Node, names(r.Set))
	if len(r.Joining) > 0 {
		words += ", joining" + names(r.Joining)
	}
	return words
}

// happened are the last events' kinds.
func happened(text []byte) string {
	var events []control.Event
	if err := json.Unmarshal(text, &events); err != nil || len(events) == 0 {
		return fmt.Sprint("events: ", err)
	}
	return fmt.Sprintf("%d events, the last %s", len(events), events[len(events)-1].Kind)
}
