package configs

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// fileVariable names the file where --config does not.
const fileVariable = "LARDER_CONFIG"

// apiVariable names the management API to the operator's commands. It sets nothing, and may stand in anybody's environment.
const apiVariable = "LARDER_API"

// Loader reads the configuration for one role. Make it, add Flags to the command, and Load when they are parsed.
type Loader struct {
	role  Role
	flags *pflag.FlagSet
	file  string
	sets  []string // key=value
}

// NewLoader is for one command.
func NewLoader(role Role) *Loader {
	l := &Loader{role: role, flags: pflag.NewFlagSet("larder", pflag.ContinueOnError)}
	l.flags.SortFlags = false
	c := defaults()
	for _, s := range settings(&c) {
		if s.flag == "" || s.roles&role == 0 {
			continue
		}
		f := l.flags.VarPF(&flagText{text: s.kind.String(), kind: s.kind.name()}, s.flag, "", s.usage())
		if _, is := s.kind.(boolean); is {
			f.NoOptDefVal = "true"
			f.Value.(*flagText).kind = "bool"
		}
	}
	l.flags.StringVar(&l.file, "config", "", "`FILE` with settings in YAML; also "+fileVariable)
	l.flags.StringArrayVar(&l.sets, "set", nil, "`KEY=VALUE`: any other setting of `larder config`; may be given again")
	return l
}

// Flags are the role's: the short names of the settings that are used most, --config and --set.
func (l *Loader) Flags() *pflag.FlagSet { return l.flags }

// flagText keeps what a flag was given; Load judges it, as it does what comes from a file.
type flagText struct{ text, kind string }

func (f *flagText) String() string     { return f.text }
func (f *flagText) Set(s string) error { f.text = s; return nil }
func (f *flagText) Type() string       { return f.kind }

// usage is the first sentence of the meaning, and the key.
func (s setting) usage() string {
	first, _, _ := strings.Cut(s.meaning, ". ")
	return strings.TrimSuffix(first, ".") + " (" + s.key + ")"
}

// Loaded is the configuration with where each value came from.
type Loaded struct {
	Config  Config
	sources map[string]string // key → source; a default has none
}

// Load reads file, environment and flags, and checks all of it. The error has a line for each problem.
func (l *Loader) Load() (*Loaded, error) {
	loaded := &Loaded{Config: defaults(), sources: map[string]string{}}
	known := map[string]setting{}
	for _, s := range settings(&loaded.Config) {
		known[s.key] = s
	}
	v := viper.New()
	v.AllowEmptyEnv(true)
	inFile, err := l.readFile(known)
	problems := []error{err}
	problems = append(problems, l.bind(v, known, inFile)...)
	problems = append(problems, unknownVariables(os.Environ(), known)...)
	for _, s := range settings(&loaded.Config) {
		source := l.source(s, inFile)
		if source == "" {
			continue
		}
		loaded.sources[s.key] = source
		if err := s.kind.set(v.GetString(s.key)); err != nil {
			shown := fmt.Sprintf(" %q", v.GetString(s.key))
			if s.secret {
				shown = ""
			}
			problems = append(problems, fmt.Errorf("%s: %s%s: %w", source, s.key, shown, err))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	if l.role == RoleControl && loaded.sources["api.listen"] == "" {
		loaded.Config.API.Listen = controlListen
	}
	loaded.Config.spread()
	if err := loaded.check(l.role); err != nil {
		return nil, err
	}
	return loaded, nil
}

func (l *Loader) readFile(known map[string]setting) (map[string]given, error) {
	name := l.file
	if name == "" {
		name = os.Getenv(fileVariable)
	}
	if name == "" {
		return nil, nil
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return readFile(name, content, known)
}

// bind gives viper all that was set; it knows who goes before whom.
func (l *Loader) bind(v *viper.Viper, known map[string]setting, inFile map[string]given) []error {
	var problems []error
	fromFile := map[string]any{}
	for key, value := range inFile {
		fromFile[key] = value.text
	}
	problems = append(problems, v.MergeConfigMap(fromFile))
	for _, s := range known {
		problems = append(problems, v.BindEnv(s.key, s.variable()))
		if flag := l.flag(s); flag != nil {
			problems = append(problems, v.BindPFlag(s.key, flag))
		}
	}
	seen := map[string]bool{}
	for _, set := range l.sets {
		key, value, found := strings.Cut(set, "=")
		s, ok := known[key]
		switch {
		case !found:
			problems = append(problems, fmt.Errorf("--set %q: must be KEY=VALUE", set))
		case !ok:
			problems = append(problems, fmt.Errorf("--set %s: unknown key%s", key, didYouMean(key, keys(known))))
		case seen[key], l.flag(s) != nil && l.flag(s).Changed:
			problems = append(problems, fmt.Errorf("--set %s: given twice on the command line", key))
		default:
			seen[key] = true
			v.Set(key, value)
		}
	}
	return problems
}

// flag is the setting's own flag in this role, or nil.
func (l *Loader) flag(s setting) *pflag.Flag {
	if s.flag == "" || s.roles&l.role == 0 {
		return nil
	}
	return l.flags.Lookup(s.flag)
}

// source says who set the value that viper gives, in viper's order; "" = nobody.
func (l *Loader) source(s setting, inFile map[string]given) string {
	for _, set := range l.sets {
		if strings.HasPrefix(set, s.key+"=") {
			return "--set"
		}
	}
	if flag := l.flag(s); flag != nil && flag.Changed {
		return "--" + s.flag
	}
	if _, ok := os.LookupEnv(s.variable()); ok {
		return s.variable()
	}
	return inFile[s.key].source
}

// linkVariables are set by Kubernetes and Docker for a service that is called larder, or larder-something: not meant for us.
var linkVariables = regexp.MustCompile(`^LARDER_([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)

func unknownVariables(environment []string, known map[string]setting) []error {
	names := []string{fileVariable, apiVariable}
	for _, s := range known {
		names = append(names, s.variable())
	}
	is := map[string]bool{}
	for _, name := range names {
		is[name] = true
	}
	var problems []error
	for _, variable := range environment {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, envPrefix) && !is[name] && !linkVariables.MatchString(name) {
			problems = append(problems, fmt.Errorf("%s: unknown variable%s", name, didYouMean(name, names)))
		}
	}
	return problems
}
