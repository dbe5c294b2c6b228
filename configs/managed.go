package configs

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"larder/control/config"
)

// Managed is what the registry may say of settings, for all gateways (package control/config).
type Managed struct{}

// Settings implements config.Rules.
func (Managed) Settings() []config.Setting {
	c := defaults()
	var all []config.Setting
	for _, s := range settings(&c) {
		if s.managed != atNever {
			all = append(all, config.Setting{Key: s.key, Meaning: s.meaning, Want: s.kind.want(), Default: s.kind.String(), AtStart: s.managed == atStart})
		}
	}
	return all
}

// Parse implements config.Rules: a text is what a file for --config may be, with settings that the registry may say.
func (m Managed) Parse(name string, text []byte) (config.Values, error) {
	c := defaults()
	known := map[string]setting{}
	for _, s := range settings(&c) {
		known[s.key] = s
	}
	found, err := readFile(name, text, known)
	if err != nil {
		return nil, err
	}
	values := config.Values{}
	var problems []error
	for _, key := range keys(known) {
		given, is := found[key]
		switch {
		case !is:
		case known[key].managed == atNever:
			problems = append(problems, fmt.Errorf("%s: %w", given.source, known[key].unmanaged()))
		default:
			values[key] = given.text
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	values, err = m.Check(values)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return values, nil
}

// Format implements config.Rules.
func (Managed) Format(values config.Values) []byte {
	c := defaults()
	var out strings.Builder
	for _, s := range settings(&c) {
		if value, is := values[s.key]; is && s.kind.set(value) == nil {
			fmt.Fprintf(&out, "%s: %s\n", s.key, s.kind.yaml())
		}
	}
	if out.Len() == 0 {
		return []byte("{}\n")
	}
	return []byte(out.String())
}

// Check implements config.Rules: over the defaults.
func (Managed) Check(values config.Values) (config.Values, error) {
	c := defaults()
	known := map[string]setting{}
	for _, s := range settings(&c) {
		known[s.key] = s
	}
	checked := config.Values{}
	var problems []error
	for _, key := range keys(values) {
		s, is := known[key]
		switch {
		case !is:
			problems = append(problems, fmt.Errorf("%s: unknown key%s", key, didYouMean(key, keys(known))))
		case s.managed == atNever:
			problems = append(problems, s.unmanaged())
		default:
			if err := s.kind.set(values[key]); err != nil {
				problems = append(problems, fmt.Errorf("%s %q: %w", key, values[key], err))
				continue
			}
			checked[key] = s.kind.String()
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	_, err := (&Loaded{Config: defaults()}).Over(checked, "the registry")
	return checked, err
}

// unmanaged says why the registry may not say the setting, and who may.
func (s setting) unmanaged() error {
	switch {
	case s.secret:
		return fmt.Errorf("%s: it is a secret, and no secret stands in the registry: must be set in the file or the environment of each gateway, which is then restarted", s.key)
	case strings.HasPrefix(s.key, "gateway."):
		return fmt.Errorf("%s: it is each gateway's own: must be set by its flag, environment or file, and the gateway restarted", s.key)
	default:
		return fmt.Errorf("%s: it is no setting of gateways: must be set by flag, environment or file of its process, which is then restarted", s.key)
	}
}

// Over is the configuration with what the registry says over what file and environment say. What the command line says holds for this process whatever the
// registry says. source names the registry's document in errors and origins.
func (l *Loaded) Over(values config.Values, source string) (*Loaded, error) {
	next := &Loaded{Config: l.Config, sources: maps.Clone(l.sources)}
	if next.sources == nil {
		next.sources = map[string]string{}
	}
	var problems []error
	for _, s := range settings(&next.Config) {
		value, is := values[s.key]
		if !is || s.managed == atNever || strings.HasPrefix(l.sources[s.key], "--") {
			continue
		}
		next.sources[s.key] = source
		if err := s.kind.set(value); err != nil {
			problems = append(problems, fmt.Errorf("%s %q: %w", s.key, value, err))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	next.Config.spread()
	check := func(c *Config) error { return c.Gateway.Validate() }
	if err := check(&next.Config); err != nil {
		return nil, next.blame(check, err)
	}
	return next, nil
}

// Own are the managed settings that this process has of its own, with who set them.
func (l *Loaded) Own() map[string]config.Own {
	own := map[string]config.Own{}
	for _, s := range settings(&l.Config) {
		if source := l.sources[s.key]; source != "" && s.managed != atNever {
			own[s.key] = config.Own{Value: s.kind.String(), Source: source, First: strings.HasPrefix(source, "--")}
		}
	}
	return own
}

// Of is a configuration that was not loaded: nobody has set anything.
func Of(c Config) *Loaded { return &Loaded{Config: c, sources: map[string]string{}} }

// Waiting are the settings that differ from those that a gateway was started with, and that it takes over at its next start only.
func (l *Loaded) Waiting(started *Loaded) []string {
	var waiting []string
	before := settings(&started.Config)
	for i, s := range settings(&l.Config) {
		if s.managed == atStart && s.kind.String() != before[i].kind.String() {
			waiting = append(waiting, s.key)
		}
	}
	return waiting
}
