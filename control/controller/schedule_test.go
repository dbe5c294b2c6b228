package controller_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"larder/control/controller"
)

var first = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func window(t *testing.T, text string) controller.Window {
	t.Helper()
	w, err := controller.ParseWindow(text)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWindow(t *testing.T) {
	for _, text := range []string{"03:00-05:00", "23:30-00:30", "00:00-23:59"} {
		if got := window(t, text).String(); got != text {
			t.Errorf("%s is read as %s", text, got)
		}
	}
	for _, wrong := range []string{"", "03:00", "3-5", "24:00-25:00", "03:00-03:59", "03:0-05:00", "a-b", "03:00-05:60"} {
		if _, err := controller.ParseWindow(wrong); err == nil || !strings.Contains(err.Error(), "window") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

// play lets a story happen: at each step the hours since the beginning, what happens, and what is to be done then.
func play(t *testing.T, want controller.Schedule, story string) {
	t.Helper()
	var s controller.Snapshots
	for line := range strings.Lines(story) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		when, expected, _ := strings.Cut(line, "=>")
		words := strings.Fields(when)
		after, err := time.ParseDuration(words[0])
		if err != nil {
			t.Fatal(err)
		}
		var e controller.Event
		switch words[1] {
		case "tick":
			e = controller.Tick{}
		case "taken":
			e = controller.Taken{Name: words[2]}
		case "postponed":
			e = controller.Postponed{Name: words[2]}
		case "failed":
			e = controller.Failed{Name: words[2], Why: "of no reason"}
		case "listed":
			l := controller.Listed{}
			for i, name := range words[2:] {
				l.Known = append(l.Known, controller.Automatic{Name: name, At: first.Add(time.Duration(i-100) * time.Hour)})
			}
			e = l
		}
		var effects []controller.Effect
		s, effects = s.Step(first.Add(after), want, e)
		var told []string
		for _, effect := range effects {
			switch x := effect.(type) {
			case controller.Take:
				told = append(told, "take "+x.Name)
			case controller.Delete:
				told = append(told, "delete "+x.Name)
			case controller.Keep:
				told = append(told, "keep")
			case controller.Report:
				told = append(told, x.Kind)
			}
		}
		if got := strings.Join(told, ", "); got != strings.TrimSpace(expected) {
			t.Fatalf("%s\nis to be done: %s", line, got)
		}
	}
}

func TestStories(t *testing.T) {
	daily := controller.Schedule{Window: window(t, "03:00-05:00"), Retain: 2}
	for name, story := range map[string]string{
		"the first is taken in the next window, then one a day; the oldest goes": `
			0s     tick                          =>
			1s     listed                        =>
			2s     tick                          => keep
			14h59m tick                          =>
			15h    tick                          => take auto-20261201-0300
			15h1m  tick                          =>
			15h2m  taken auto-20261201-0300      => keep
			16h    tick                          =>
			39h    tick                          => take auto-20261202-0300
			39h1m  taken auto-20261202-0300      => keep
			63h    tick                          => take auto-20261203-0300
			63h1m  taken auto-20261203-0300      => keep, delete auto-20261201-0300`,
		"one that fails is tried again, later each time": `
			1s     listed                        =>
			2s     tick                          => keep
			15h    tick                          => take auto-20261201-0300
			15h1m  failed auto-20261201-0300     => keep, snapshot-failed
			15h1m30s tick                        =>
			15h2m  tick                          => take auto-20261201-0302
			15h3m  failed auto-20261201-0302     => keep, snapshot-failed
			15h4m  tick                          =>
			15h5m  tick                          => take auto-20261201-0305
			15h6m  taken auto-20261201-0305      => keep
			20h    tick                          =>`,
		"one that ends in the next window is the one before's": `
			1s     listed                        =>
			2s     tick                          => keep
			15h    tick                          => take auto-20261201-0300
			39h1m  tick                          =>
			39h2m  taken auto-20261201-0300      => keep
			39h3m  tick                          => take auto-20261202-0303`,
		"one that has to wait for another has not failed": `
			1s     listed                        =>
			2s     tick                          => keep
			15h    tick                          => take auto-20261201-0300
			15h1s  postponed auto-20261201-0300  =>
			15h1m  tick                          =>
			15h1m1s tick                         => take auto-20261201-0301
			15h2m  failed auto-20261201-0301     => keep, snapshot-failed
			15h3m  tick                          => take auto-20261201-0303`,
		"a window that nobody was there for is made up for and told once": `
			1s     listed                        =>
			2s     tick                          => keep
			20h    tick                          => snapshot-missed, take auto-20261201-0800
			20h1m  failed auto-20261201-0800     => keep, snapshot-failed
			20h2m  tick                          => take auto-20261201-0802
			20h3m  taken auto-20261201-0802      => keep
			21h    tick                          =>`,
		"what is not its own does not end one": `
			1s     listed                        =>
			2s     tick                          => keep
			15h    tick                          => take auto-20261201-0300
			15h1m  taken other                   =>
			15h1m  failed other                  =>
			15h2m  tick                          =>`,
		"nothing is done before it is known what there is, and too many are deleted then": `
			2s     tick                          =>
			15h    tick                          =>
			15h1s  listed a b c d                => delete a, delete b
			15h2s  listed c d                    =>`,
	} {
		t.Run(name, func(t *testing.T) { play(t, daily, story) })
	}
	t.Run("without retention nothing is taken or deleted", func(t *testing.T) {
		play(t, controller.Schedule{Window: daily.Window}, `
			1s  listed a b c =>
			20h tick         =>`)
	})
	t.Run("the last one stays", func(t *testing.T) {
		play(t, controller.Schedule{Window: daily.Window, Retain: 1}, `
			1s  listed a b c => delete a, delete b
			2s  listed c     =>`)
	})
}

// TestStepsDoNotShare: a state that was kept is not changed by later steps.
func TestStepsDoNotShare(t *testing.T) {
	want := controller.Schedule{Window: window(t, "03:00-05:00"), Retain: 1}
	var s controller.Snapshots
	s, _ = s.Step(first, want, controller.Listed{Known: []controller.Automatic{{Name: "a", At: first}}})
	before := fmt.Sprint(s)
	s.Window = first.Add(-48 * time.Hour)
	next, _ := s.Step(first, want, controller.Tick{})
	next, _ = next.Step(first, want, controller.Taken{Name: next.Running})
	s.Window = time.Time{}
	if len(next.Known) != 2 || fmt.Sprint(s) != before {
		t.Errorf("%v became %v by the steps to %v", before, s, next)
	}
}
