package config

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"larder/backends/registry"
)

// KeeperOptions say what a Keeper works with. All fields must be given.
type KeeperOptions struct {
	Registry registry.Store
	Rules    Rules
	Report   func(ctx context.Context, kind, text string) // keeps an event; "config-changed" or "config-refused"
	Log      *slog.Logger
	Now      func() time.Time
}

// Keeper changes the settings and remembers their versions. Several may do so at the same time.
type Keeper struct{ o KeeperOptions }

// NewKeeper asks nobody yet.
func NewKeeper(o KeeperOptions) *Keeper { return &Keeper{o} }

// Edit is what is to be changed.
type Edit struct {
	Set   Values   `json:"set,omitempty"`
	Unset []string `json:"unset,omitempty"` // what the gateways' own files say of these counts again
	By    string   `json:"by,omitempty"`    // who asks
	If    *uint64  `json:"if,omitempty"`    // the version that must be there; nil: any
}

// tries is how often a write that met another one is made anew.
const tries = 10

// Set changes settings, and gives the version that says so: that of before if it says it already. Where what stands in the registry is not right, the last
// good version is changed, and takes its place. Errors: ErrInvalid, ErrChanged.
func (k *Keeper) Set(ctx context.Context, c Edit) (Version, error) {
	return k.write(ctx, c.By, "", c.If, func(have Values) (Values, error) {
		next := maps.Clone(have)
		if next == nil {
			next = Values{}
		}
		for _, key := range c.Unset {
			if !slices.ContainsFunc(k.o.Rules.Settings(), func(s Setting) bool { return s.Key == key }) {
				return nil, fmt.Errorf("%s: unknown key, or one that the registry may not say", key)
			}
			delete(next, key)
		}
		maps.Copy(next, c.Set)
		return next, nil
	})
}

// Rollback writes what an earlier version said, as a new one. Version 0 is before the first: nothing. Errors: ErrUnknown, ErrInvalid.
func (k *Keeper) Rollback(ctx context.Context, to uint64, by string) (Version, error) {
	old := Version{Values: Values{}}
	if to != 0 {
		var err error
		if old, err = k.recorded(ctx, to); err != nil {
			return Version{}, err
		}
	}
	if old.Refused != "" {
		return Version{}, fmt.Errorf("%w: version %d was refused: %s", ErrInvalid, to, old.Refused)
	}
	return k.write(ctx, by, fmt.Sprintf("rollback to %d", to), nil, func(Values) (Values, error) { return old.Values, nil })
}

// write makes a version of the present values. build may be called again.
func (k *Keeper) write(ctx context.Context, by, note string, only *uint64, build func(Values) (Values, error)) (Version, error) {
	for try := 1; ; try++ {
		have, err := k.present(ctx)
		if err != nil {
			return Version{}, err
		}
		if only != nil && *only != have.Version {
			return Version{}, fmt.Errorf("%w: the settings are at version %d, not %d", ErrChanged, have.Version, *only)
		}
		base := have.Values
		if have.Refused != "" {
			if base, err = k.newestGood(ctx); err != nil {
				return Version{}, err
			}
		}
		next, err := build(base)
		if err == nil {
			next, err = k.o.Rules.Check(next)
		}
		if err != nil {
			return Version{}, fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		if have.Refused == "" && maps.Equal(next, have.Values) {
			return have, nil
		}
		if have.Version != 0 && have.By == ByHand {
			_ = k.remember(ctx, have) // if it cannot be, the write behind it cannot either
		}
		made := Version{At: k.o.Now().UTC(), By: by, Note: note, Values: next}
		made.Version, err = k.o.Registry.CompareAndSet(ctx, Key, k.o.Rules.Format(next), have.Version)
		switch {
		case errors.Is(err, registry.ErrConflict) && only == nil && try < tries:
			continue
		case errors.Is(err, registry.ErrConflict):
			return Version{}, fmt.Errorf("%w: somebody else changes the settings: try again", ErrChanged)
		case err != nil:
			return Version{}, fmt.Errorf("write settings: %w", err)
		}
		k.wrote(context.WithoutCancel(ctx), made, have) // it is in force, whether who asks still listens or not
		return made, nil
	}
}

// wrote notes a version that is in force.
func (k *Keeper) wrote(ctx context.Context, made, before Version) {
	if err := k.o.Registry.Put(ctx, historyKey(made.Version), encode(made)); err != nil {
		k.o.Log.Warn("a version of the settings is in force and could not be noted in their history", "version", made.Version, "error", err)
	}
	k.trim(ctx)
	k.o.Report(ctx, "config-changed", "settings of the gateways are at version "+fmt.Sprint(made.Version)+", by "+cmp.Or(made.By, "an unknown")+": "+told(before.Values, made.Values))
}

// told is what a change did, for people.
func told(was, is Values) string {
	var words []string
	for _, d := range Compare(was, is) {
		if d.Is == nil {
			words = append(words, d.Key+" is no longer set")
		} else {
			words = append(words, d.Key+"="+*d.Is)
		}
	}
	if len(words) == 0 {
		return "nothing else than before"
	}
	const most = 300 // an access list may be long
	text := strings.Join(words, ", ")
	if len(text) > most {
		text = text[:most] + "…"
	}
	return text
}

// Difference is a setting that two versions say differently; nil = it is not set.
type Difference struct {
	Key string  `json:"key"`
	Was *string `json:"was"`
	Is  *string `json:"is"`
}

// Compare gives the differences in order of their keys.
func Compare(was, is Values) []Difference {
	all := maps.Clone(was)
	if all == nil {
		all = Values{}
	}
	maps.Copy(all, is)
	var found []Difference
	for _, key := range slices.Sorted(maps.Keys(all)) {
		d := Difference{Key: key}
		if value, ok := was[key]; ok {
			d.Was = &value
		}
		if value, ok := is[key]; ok {
			d.Is = &value
		}
		if d.Was == nil || d.Is == nil || *d.Was != *d.Is {
			found = append(found, d)
		}
	}
	return found
}

// present is what stands in the registry now: version 0 if nothing does.
func (k *Keeper) present(ctx context.Context) (Version, error) {
	e, err := k.o.Registry.Get(ctx, Key)
	if errors.Is(err, registry.ErrNotFound) {
		return Version{Values: Values{}}, nil
	}
	if err != nil {
		return Version{}, fmt.Errorf("read settings: %w", err)
	}
	return k.read(ctx, e)
}

// read is an entry as a version, with what the history knows of it.
func (k *Keeper) read(ctx context.Context, e registry.Entry) (Version, error) {
	v, err := k.recorded(ctx, e.Version)
	if err != nil && !errors.Is(err, ErrUnknown) {
		return Version{}, err
	}
	if err != nil {
		v = Version{At: k.o.Now().UTC(), By: ByHand}
	}
	v.Version, v.Refused, v.Values = e.Version, "", nil
	if v.Values, err = k.o.Rules.Parse(Key, e.Value); err != nil {
		v.Refused = err.Error()
	}
	return v, nil
}

// recorded is a version of the history. Errors: ErrUnknown.
func (k *Keeper) recorded(ctx context.Context, version uint64) (v Version, err error) {
	e, err := k.o.Registry.Get(ctx, historyKey(version))
	if errors.Is(err, registry.ErrNotFound) {
		return v, fmt.Errorf("%w as %d in the history: larder config history shows the last %d", ErrUnknown, version, HistoryMax)
	}
	if err == nil {
		err = json.Unmarshal(e.Value, &v)
	}
	if err != nil {
		return v, fmt.Errorf("read version %d of the settings: %w", version, err)
	}
	return v, nil
}

// State is what there is.
type State struct {
	Present   Version     `json:"present"`
	Settings  []Setting   `json:"settings"`
	Running   []Running   `json:"running"`
	Effective []Effective `json:"effective"`
}

// State reads it.
func (k *Keeper) State(ctx context.Context) (State, error) {
	s := State{Settings: k.o.Rules.Settings(), Running: []Running{}}
	var err error
	if s.Present, err = k.present(ctx); err != nil {
		return s, err
	}
	entries, err := k.o.Registry.List(ctx, runningPrefix)
	if err != nil {
		return s, fmt.Errorf("read which gateways there are: %w", err)
	}
	for _, e := range entries {
		var r Running
		if json.Unmarshal(e.Value, &r) == nil && k.o.Now().Sub(r.Seen) < goneAfter {
			s.Running = append(s.Running, r)
		}
	}
	all, err := k.History(ctx)
	if err != nil {
		return s, err
	}
	versions := map[uint64]Values{}
	for _, v := range all {
		versions[v.Version] = v.Values
	}
	s.Effective = effective(s.Settings, s.Running, versions, s.Present)
	return s, nil
}

// History gives the last versions, the newest first.
func (k *Keeper) History(ctx context.Context) ([]Version, error) {
	present, err := k.present(ctx)
	if err != nil {
		return nil, err
	}
	all, err := history(ctx, k.o.Registry)
	if err != nil {
		return nil, err
	}
	if present.Version != 0 && !slices.ContainsFunc(all, func(v Version) bool { return v.Version == present.Version }) {
		all = append([]Version{present}, all...)
	}
	return all[:min(len(all), HistoryMax)], nil
}

// history reads what is remembered, the newest first. What cannot be read is left out.
func history(ctx context.Context, r registry.Store) ([]Version, error) {
	entries, err := r.List(ctx, historyPrefix)
	if err != nil {
		return nil, fmt.Errorf("read the history of the settings: %w", err)
	}
	all := []Version{}
	for _, e := range slices.Backward(entries) {
		var v Version
		if json.Unmarshal(e.Value, &v) == nil {
			all = append(all, v)
		}
	}
	return all, nil
}

// newestGood are the values of the newest version that is right, none if there is none.
func (k *Keeper) newestGood(ctx context.Context) (Values, error) {
	all, err := history(ctx, k.o.Registry)
	for _, v := range all {
		if v.Refused == "" {
			return v.Values, nil
		}
	}
	return nil, err
}

// remember notes a version that nobody has noted. Errors: registry.ErrConflict: somebody has.
func (k *Keeper) remember(ctx context.Context, v Version) error {
	_, err := k.o.Registry.CompareAndSet(ctx, historyKey(v.Version), encode(v), 0)
	return err
}

// trim forgets the oldest versions, and processes that are gone.
func (k *Keeper) trim(ctx context.Context) {
	entries, err := k.o.Registry.List(ctx, historyPrefix)
	for err == nil && len(entries) > HistoryMax {
		err = k.o.Registry.Delete(ctx, entries[0].Key)
		entries = entries[1:]
	}
	if err == nil {
		entries, err = k.o.Registry.List(ctx, runningPrefix)
	}
	for _, e := range entries {
		var r Running
		if err == nil && strings.HasPrefix(e.Key, runningPrefix) && (json.Unmarshal(e.Value, &r) != nil || k.o.Now().Sub(r.Seen) >= goneAfter) {
			err = k.o.Registry.Delete(ctx, e.Key)
		}
	}
	if err != nil {
		k.o.Log.Warn("old entries of the settings could not be removed", "error", err)
	}
}
