package client

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// Parameter is one that CONFIG knows. O is what its value is read from, S the settings that CONFIG SET changes.
type Parameter[O, S any] struct {
	Name string // lower case
	Get  func(O) string
	Set  func(*S, string) string // says what is wrong with the value, "" = nothing; nil: the parameter cannot be changed
}

// Parameters are all that there are.
type Parameters[O, S any] []Parameter[O, S]

// Setting is a parameter as CONFIG GET tells of it.
type Setting struct{ Name, Value string }

// Get answers CONFIG GET: a pattern without * ? [ is a name and is repeated as it was given, each parameter comes once (Redis 7.0 config.c,
// configGetCommand).
func (ps Parameters[O, S]) Get(from O, patterns [][]byte) []Setting {
	shown := make([]string, len(ps))
	for _, pattern := range patterns {
		text := string(pattern)
		exact := !strings.ContainsAny(text, "*?[")
		for i, p := range ps {
			switch {
			case shown[i] != "":
			case exact && strings.EqualFold(p.Name, text):
				shown[i] = text
			case !exact && command.MatchName(text, p.Name):
				shown[i] = p.Name
			}
		}
	}
	var found []Setting
	for i, p := range ps {
		if shown[i] != "" {
			found = append(found, Setting{shown[i], p.Get(from)})
		}
	}
	return found
}

// Set answers CONFIG SET: all pairs change next, or the text says why none may be taken over (Redis 7.0 config.c, configSetCommand).
func (ps Parameters[O, S]) Set(next *S, pairs [][]byte) string {
	if len(pairs)%2 != 0 {
		return errSyntax
	}
	chosen, wrong := ps.choose(pairs)
	if wrong != "" {
		return wrong
	}
	for i, p := range chosen {
		if wrong := p.Set(next, string(pairs[2*i+1])); wrong != "" {
			return setFailed(p.Name, wrong)
		}
	}
	return ""
}

// choose finds the parameters of all pairs. A name that nobody knows is told of before all else.
func (ps Parameters[O, S]) choose(pairs [][]byte) (chosen Parameters[O, S], wrong string) {
	for i := 0; i < len(pairs); i += 2 {
		given := string(pairs[i])
		at := ps.index(given)
		switch {
		case at < 0:
			return nil, "ERR Unknown option or number of arguments for CONFIG SET - " + command.Quote([]byte(given))
		case wrong != "":
		case ps[at].Set == nil:
			wrong = setFailed(given, "can't set immutable config")
		case chosen.index(given) >= 0:
			wrong = setFailed(given, "duplicate parameter")
		default:
			chosen = append(chosen, ps[at])
		}
	}
	return chosen, wrong
}

// Has tells whether there is a parameter of that name.
func (ps Parameters[O, S]) Has(name string) bool { return ps.index(name) >= 0 }

func (ps Parameters[O, S]) index(name string) int {
	return slices.IndexFunc(ps, func(p Parameter[O, S]) bool { return strings.EqualFold(p.Name, name) })
}

func setFailed(name, wrong string) string {
	return "ERR CONFIG SET failed (possibly related to argument " + command.Quote([]byte(name)) + ") - " + wrong
}

// ParseNumber reads a number from least to most; wrong is what CONFIG SET says of any other text.
func ParseNumber(text string, least, most int64) (n int64, wrong string) {
	n, ok := resp.ParseNumber([]byte(text))
	if !ok {
		return 0, "argument couldn't be parsed into an integer"
	}
	return n, between(n, least, most)
}

// ParseMemory reads a size of at least least bytes.
func ParseMemory(text string, least int64) (n int64, wrong string) {
	n, ok := parseSize(text)
	if !ok {
		return 0, "argument must be a memory value"
	}
	return n, between(n, least, math.MaxInt64)
}

func between(n, least, most int64) string {
	if n < least || n > most {
		return "argument must be between " + strconv.FormatInt(least, 10) + " and " + strconv.FormatInt(most, 10) + " inclusive"
	}
	return ""
}

// parseSize reads sizes as Redis writes them: 512mb, 1g, 100; no digits are 0 (Redis 7.0 util.c, memtoull).
func parseSize(text string) (int64, bool) {
	text = strings.ToLower(text)
	digits := strings.TrimRight(text, "bkmg")
	unit, ok := map[string]int64{"": 1, "b": 1, "k": 1000, "kb": 1 << 10, "m": 1e6, "mb": 1 << 20, "g": 1e9, "gb": 1 << 30}[text[len(digits):]]
	if !ok {
		return 0, false
	}
	if digits == "" {
		return 0, true
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || int64(n) > math.MaxInt64/unit {
		return 0, false
	}
	return int64(n) * unit, true
}
