package controller

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Schedule is what the user wants of automatic snapshots.
type Schedule struct {
	Window Window
	Retain int    // how many automatic snapshots stay; 0: none is taken
	Mark   string // in their names, so that clusters of one store have others; may be empty
}

// Window is a part of each day, in UTC, in which a snapshot may begin.
type Window struct {
	Start  time.Duration // since midnight
	Length time.Duration
}

const day = 24 * time.Hour

// ParseWindow reads a window as users write it, "03:00-05:00". It may pass midnight, and lasts at least an hour.
func ParseWindow(text string) (Window, error) {
	from, to, ok := strings.Cut(text, "-")
	start, err1 := parseClock(from)
	end, err2 := parseClock(to)
	if err := errors.Join(err1, err2); err != nil || !ok {
		return Window{}, fmt.Errorf("window %q: it must be two times of a day in UTC, such as 03:00-05:00", text)
	}
	w := Window{Start: start, Length: end - start}
	if w.Length <= 0 {
		w.Length += day
	}
	if w.Length < time.Hour {
		return Window{}, fmt.Errorf("window %q: it must be at least an hour long", text)
	}
	return w, nil
}

func parseClock(text string) (time.Duration, error) {
	hours, minutes, ok := strings.Cut(text, ":")
	h, err1 := strconv.ParseUint(hours, 10, 8)
	m, err2 := strconv.ParseUint(minutes, 10, 8)
	if !ok || err1 != nil || err2 != nil || h > 23 || m > 59 || len(minutes) != 2 {
		return 0, errors.New("no time of a day")
	}
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute, nil
}

func (w Window) String() string {
	clock := func(d time.Duration) string {
		d %= day
		return fmt.Sprintf("%02d:%02d", d/time.Hour, d%time.Hour/time.Minute)
	}
	return clock(w.Start) + "-" + clock(w.Start+w.Length)
}

// last is when the last window began.
func (w Window) last(now time.Time) time.Time {
	began := now.UTC().Truncate(day).Add(w.Start)
	if began.After(now) {
		began = began.Add(-day)
	}
	return began
}

// Snapshots is what is known of a cluster's automatic snapshots. It can be kept as JSON.
type Snapshots struct {
	Window time.Time `json:"window"` // the beginning of the last one for which there is a snapshot, or that is not to be made up for
	Failed int       `json:"failed"` // attempts in a row since
	Again  time.Time `json:"again"`  // no attempt before

	Running string      `json:"-"` // the automatic snapshot that is under way
	Known   []Automatic `json:"-"` // those that are there, of which none is damaged
	Listed  bool        `json:"-"` // Known has been told
	told    time.Time   // the window that was reported as missed
	since   time.Time   // when Running began
}

// Automatic is an automatic snapshot that is there.
type Automatic struct {
	Name string
	At   time.Time
}

// What can happen to snapshots.
type (
	// Listed says which automatic snapshots are there.
	Listed struct{ Known []Automatic }
	// Taken says that the automatic snapshot that was asked for is there.
	Taken struct{ Name string }
	// Failed says that it is not, and why.
	Failed struct {
		Name string
		Why  string
	}
	// Postponed says that it was not begun, because another snapshot is being taken.
	Postponed struct{ Name string }
)

func (Listed) event()    {}
func (Taken) event()     {}
func (Failed) event()    {}
func (Postponed) event() {}

// What can be to do about snapshots. They are reported as snapshot-missed and snapshot-failed.
type (
	// Take takes an automatic snapshot of that name, and tells Taken, Failed or Postponed.
	Take struct{ Name string }
	// Delete removes an automatic snapshot, and tells Listed.
	Delete struct{ Name string }
	// Keep keeps Snapshots where another process finds it.
	Keep struct{}
)

func (Take) effect()   {}
func (Delete) effect() {}
func (Keep) effect()   {}

const (
	againFirst = time.Minute // after an attempt that failed
	againMost  = time.Hour
)

// Step says what follows.
func (s Snapshots) Step(now time.Time, want Schedule, e Event) (Snapshots, []Effect) {
	switch e := e.(type) {
	case Listed:
		s.Known, s.Listed = slices.Clone(e.Known), true
		slices.SortFunc(s.Known, func(a, b Automatic) int { return a.At.Compare(b.At) })
		return s, s.prune(want)
	case Taken:
		return s.taken(now, want, e)
	case Failed:
		return s.failed(now, e)
	case Postponed:
		if e.Name == s.Running {
			s.Running, s.Again = "", now.Add(againFirst)
		}
		return s, nil
	}
	return s.tick(now, want)
}

// tick takes a snapshot if one is due: once a window, and for one that was missed as soon as it can be.
func (s Snapshots) tick(now time.Time, want Schedule) (Snapshots, []Effect) {
	if want.Retain <= 0 || s.Running != "" || !s.Listed {
		return s, nil
	}
	began := want.Window.last(now)
	if s.Window.IsZero() { // the first is taken in the next window
		s.Window = began
		return s, []Effect{Keep{}}
	}
	if !began.After(s.Window) || now.Before(s.Again) {
		return s, nil
	}
	var effects []Effect
	if over := now.Sub(began) >= want.Window.Length; over && !s.told.Equal(began) {
		s.told = began
		effects = append(effects, Report{Kind: "snapshot-missed", Text: fmt.Sprintf("no automatic snapshot was taken in the window of %s; it is made up for now", began.Format(time.DateTime))})
	}
	s.since = now
	name := "auto-" + want.Mark + now.UTC().Format("20060102-1504")
	s.Running = name
	for i := 2; s.has(s.Running); i++ {
		s.Running = fmt.Sprintf("%s-%d", name, i)
	}
	return s, append(effects, Take{s.Running})
}

func (s Snapshots) has(name string) bool {
	return slices.ContainsFunc(s.Known, func(a Automatic) bool { return a.Name == name })
}

func (s Snapshots) taken(now time.Time, want Schedule, e Taken) (Snapshots, []Effect) {
	if e.Name != s.Running {
		return s, nil
	}
	s.Running, s.Failed, s.Again, s.Window = "", 0, time.Time{}, want.Window.last(s.since)
	s.Known = append(slices.Clone(s.Known), Automatic{e.Name, now})
	return s, append([]Effect{Keep{}}, s.prune(want)...)
}

func (s Snapshots) failed(now time.Time, e Failed) (Snapshots, []Effect) {
	if e.Name != s.Running {
		return s, nil
	}
	wait := againMost
	if s.Failed < 6 {
		wait = min(againMost, againFirst<<s.Failed)
	}
	s.Running, s.Again = "", now.Add(wait)
	s.Failed++
	return s, []Effect{Keep{}, Report{Kind: "snapshot-failed", Text: fmt.Sprintf("automatic snapshot %s: %s; it is tried again in %s", e.Name, e.Why, wait)}}
}

// prune has the oldest removed that are too many. The last one stays whatever is wanted.
func (s Snapshots) prune(want Schedule) (effects []Effect) {
	if want.Retain <= 0 {
		return nil
	}
	for i := range max(0, len(s.Known)-want.Retain) {
		effects = append(effects, Delete{s.Known[i].Name})
	}
	return effects
}
