package config

import (
	"fmt"
	"slices"
	"strings"
)

// Effective is the value of a setting, who says so, and where it is so.
type Effective struct {
	Key   string   `json:"key"`
	Value string   `json:"value"`
	From  string   `json:"from"` // "flag --allow", "environment LARDER_…", "file larder.yaml:12", "registry" or "default"
	Where []string `json:"where"`
	Waits bool     `json:"waits,omitempty"` // the registry's value takes effect there at the next start only
}

// effective is what each process has of each setting; those that have the same stand together. Where nobody runs it is what one would have that has nothing
// of its own.
func effective(settings []Setting, running []Running, versions map[uint64]Values, present Version) []Effective {
	if len(running) == 0 {
		running = []Running{{Version: present.Version}}
	}
	all := []Effective{}
	for _, s := range settings {
		first := len(all)
		for _, r := range running {
			one := r.effective(s, versions[r.Version])
			at := slices.IndexFunc(all[first:], func(e Effective) bool { return e.Value == one.Value && e.From == one.From && e.Waits == one.Waits })
			if at < 0 {
				at = len(all) - first
				all = append(all, one)
			}
			if r.ID != "" {
				all[first+at].Where = append(all[first+at].Where, r.ID)
			}
		}
	}
	return all
}

func (r *Running) effective(s Setting, values Values) Effective {
	own, has := r.Own[s.Key]
	value, managed := values[s.Key]
	e := Effective{Key: s.Key, Where: []string{}, Waits: slices.Contains(r.Waiting, s.Key)}
	switch {
	case has && own.First, has && !managed:
		e.Value, e.From = own.Value, origin(own.Source)
	case managed:
		e.Value, e.From = value, "registry"
	default:
		e.Value, e.From = s.Default, "default"
	}
	return e
}

// origin says what kind of source it is that a process names.
func origin(source string) string {
	switch {
	case strings.HasPrefix(source, "--"):
		return "flag " + source
	case strings.HasPrefix(source, "LARDER_"):
		return "environment " + source
	default:
		return fmt.Sprint("file ", source)
	}
}
