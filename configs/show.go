package configs

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

const banner = `# Every setting of Larder with its meaning. This is what 'larder config' prints, and a file for --config.
# Flags go before the environment, that before the file, that before the defaults.
`

// Write prints the configuration as a file for --config: each setting with its meaning, its default and where its value
// came from. Secrets are left out unless asked for.
func (l *Loaded) Write(w io.Writer, secrets bool) error {
	out := bufio.NewWriter(w)
	_, _ = out.WriteString(banner) // errors of a bufio.Writer stay until Flush
	standard := defaults()
	all, standards := settings(&l.Config), settings(&standard)
	var open []string // the sections that we are in
	for i, s := range all {
		words := strings.Split(s.key, ".")
		sections, name := words[:len(words)-1], words[len(words)-1]
		open = enter(out, open, sections)
		indent := strings.Repeat("  ", len(sections))
		for _, line := range wrap(s.meaning, 100-len(indent)) {
			fmt.Fprintf(out, "%s# %s\n", indent, line)
		}
		fmt.Fprintf(out, "%s# Default %s.%s\n", indent, standards[i].kind.yaml(), l.origin(s))
		if s.secret && !secrets && s.kind.String() != "" {
			fmt.Fprintf(out, "%s# %s: hidden\n", indent, name)
			continue
		}
		fmt.Fprintf(out, "%s%s: %s\n", indent, name, s.kind.yaml())
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("print configuration: %w", err)
	}
	return nil
}

// enter prints the sections that begin and returns those that are open then.
func enter(out *bufio.Writer, open, sections []string) []string {
	same := 0
	for same < len(open) && same < len(sections) && open[same] == sections[same] {
		same++
	}
	for depth := same; depth < len(sections); depth++ {
		fmt.Fprintf(out, "\n%s%s:\n", strings.Repeat("  ", depth), sections[depth])
	}
	return sections
}

// origin says who set the value, if anybody did.
func (l *Loaded) origin(s setting) string {
	if source := l.sources[s.key]; source != "" {
		return " Set by " + source + "."
	}
	return ""
}

// Explain prints all about one setting. The error names the key that is nearest.
func (l *Loaded) Explain(w io.Writer, key string) error {
	known := map[string]setting{}
	standard := defaults()
	standards := settings(&standard)
	for i, s := range settings(&l.Config) {
		known[s.key] = s
		if s.key != key {
			continue
		}
		value, source := s.kind.yaml(), l.sources[key]
		if s.secret && s.kind.String() != "" {
			value = "hidden"
		}
		if source == "" {
			source = "the default"
		}
		var out strings.Builder
		fmt.Fprintf(&out, "%s\n", key)
		for _, line := range wrap(s.meaning, 98) {
			fmt.Fprintf(&out, "  %s\n", line)
		}
		fmt.Fprintf(&out, "  must be   %s\n  value     %s (%s)\n  default   %s\n  variable  %s\n", s.kind.want(), value, source, standards[i].kind.yaml(), s.variable())
		fmt.Fprintf(&out, "  flag      %s\n", s.flagForms())
		_, err := io.WriteString(w, out.String())
		return err
	}
	return fmt.Errorf("%s: unknown key%s", key, didYouMean(key, keys(known)))
}

// flagForms says how the command line sets it: "--listen in dev, gateway; --set gateway.listen=ADDR".
func (s setting) flagForms() string {
	general := fmt.Sprintf("--set %s=%s", s.key, s.kind.name())
	if s.flag == "" {
		return general
	}
	return fmt.Sprintf("--%s of %s; %s", s.flag, strings.Join(s.roles.names(), ", "), general)
}

func (r Role) names() []string {
	var names []string
	for _, role := range []struct {
		role Role
		name string
	}{{RoleDev, "dev"}, {RoleEngine, "engine"}, {RoleGateway, "gateway"}, {RoleShadow, "shadow"}, {RoleControl, "control"}, {RoleHost, "host"}} {
		if r&role.role != 0 {
			names = append(names, role.name)
		}
	}
	return names
}

// wrap breaks a text into lines of at most width bytes, if its words allow.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
