package configs

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// kind is a setting's type, around the field that it sets. Its forms are below.
type kind interface {
	set(text string) error // an error says what the text must be
	String() string        // as set takes it
	yaml() string          // as it stands in a file
	want() string          // what set takes, for people: "a size such as 512mb"
	name() string          // one word for --help: "SIZE"
}

type text struct{ to *string }

func (k text) String() string { return *k.to }
func (k text) yaml() string   { return quoted(*k.to) }
func (k text) want() string   { return "text in UTF-8" }
func (k text) name() string   { return "TEXT" }

func (k text) set(s string) error {
	if !utf8.ValidString(s) {
		return mustBe(k)
	}
	*k.to = s
	return nil
}

// path is a file or folder.
type path struct{ text }

func (k path) want() string { return "a path" }
func (k path) name() string { return "PATH" }

// address is host:port to listen on.
type address struct {
	text
	optional bool // may be empty, or Off
}

func (k address) want() string {
	if k.optional {
		return "host:port with a port from 0 (any free one) to 65535, or off"
	}
	return "host:port with a port from 0 (any free one) to 65535"
}
func (k address) name() string { return "ADDR" }

func (k address) set(s string) error {
	if k.optional && (s == "" || s == Off) {
		*k.to = s
		return nil
	}
	host, port, err := net.SplitHostPort(s)
	if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || strings.ContainsAny(host, " \t/") {
		return mustBe(k)
	}
	*k.to = s
	return nil
}

type choice struct {
	text
	of []string
}

func (k choice) want() string { return strings.Join(k.of, " or ") }
func (k choice) name() string { return strings.ToUpper(strings.Join(k.of, "|")) }

func (k choice) set(s string) error {
	if !slices.Contains(k.of, s) {
		return mustBe(k)
	}
	*k.to = s
	return nil
}

type boolean struct{ to *bool }

func (k boolean) String() string { return strconv.FormatBool(*k.to) }
func (k boolean) yaml() string   { return k.String() }
func (k boolean) want() string   { return "true or false" }
func (k boolean) name() string   { return "BOOL" }

func (k boolean) set(s string) error {
	switch s {
	case "true", "yes", "on":
		*k.to = true
	case "false", "no", "off":
		*k.to = false
	default:
		return mustBe(k)
	}
	return nil
}

type number struct{ to *int }

func (k number) String() string { return strconv.Itoa(*k.to) }
func (k number) yaml() string   { return k.String() }
func (k number) want() string   { return "a whole number" }
func (k number) name() string   { return "N" }

func (k number) set(s string) error {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return mustBe(k)
	}
	*k.to = int(n)
	return nil
}

// size is bytes, in a field of either width.
type size[T int | int64] struct{ to *T }

func (k size[T]) String() string { return formatSize(int64(*k.to)) }
func (k size[T]) yaml() string   { return k.String() }
func (k size[T]) want() string {
	return "a size: a whole number of bytes, or with a unit such as 64kb, 512mb or 2gb (k, m, g count by 1000; kb, mb, gb and kib, mib, gib by 1024)"
}
func (k size[T]) name() string { return "SIZE" }

func (k size[T]) set(s string) error {
	n, ok := parseSize(s)
	if !ok || int64(T(n)) != n {
		return mustBe(k)
	}
	*k.to = T(n)
	return nil
}

// sizeUnits are as in redis.conf ("1k => 1000 bytes, 1kb => 1024 bytes"), and the unambiguous ones. Longest first.
var sizeUnits = []struct {
	name  string
	bytes int64
}{
	{"kib", 1 << 10},
	{"mib", 1 << 20},
	{"gib", 1 << 30},
	{"tib", 1 << 40},
	{"kb", 1 << 10},
	{"mb", 1 << 20},
	{"gb", 1 << 30},
	{"tb", 1 << 40},
	{"k", 1e3},
	{"m", 1e6},
	{"g", 1e9},
	{"t", 1e12},
	{"b", 1},
}

func parseSize(s string) (int64, bool) {
	digits, unit := strings.ToLower(s), int64(1)
	for _, u := range sizeUnits {
		if rest, found := strings.CutSuffix(digits, u.name); found {
			digits, unit = rest, u.bytes
			break
		}
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || int64(n) > math.MaxInt64/unit {
		return 0, false
	}
	return int64(n) * unit, true
}

func formatSize(n int64) string {
	for _, u := range []string{"tb", "gb", "mb", "kb"} {
		if one, _ := parseSize("1" + u); n >= one && n%one == 0 {
			return strconv.FormatInt(n/one, 10) + u
		}
	}
	return strconv.FormatInt(n, 10)
}

type duration struct{ to *time.Duration }

func (k duration) yaml() string { return k.String() }
func (k duration) want() string { return "a duration such as 250ms, 5s, 2m or 1h30m, or 0" }
func (k duration) name() string { return "DURATION" }

// String is the shortest form: time's own writes "1m0s".
func (k duration) String() string {
	s := k.to.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	if s == "0s" {
		return "0"
	}
	return s
}

func (k duration) set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return mustBe(k)
	}
	*k.to = d
	return nil
}

// list is texts without commas; each is checked.
type list struct {
	to    *[]string
	of    string // what the elements are: "CIDR blocks"
	word  string // for --help
	check func(element string) error
}

func (k list) String() string { return strings.Join(*k.to, ",") }
func (k list) want() string   { return k.of + ", with commas between them" }
func (k list) name() string   { return k.word + ",..." }

func (k list) yaml() string {
	elements := make([]string, len(*k.to))
	for i, element := range *k.to {
		elements[i] = quoted(element)
	}
	return "[" + strings.Join(elements, ", ") + "]"
}

func (k list) set(s string) error {
	var elements []string
	if strings.TrimSpace(s) != "" {
		elements = strings.Split(s, ",")
	}
	for i := range elements {
		elements[i] = strings.TrimSpace(elements[i])
		if err := k.check(elements[i]); err != nil {
			return err
		}
	}
	*k.to = elements
	return nil
}

func checkBlock(element string) error {
	if _, err := netip.ParsePrefix(element); err == nil {
		return nil
	}
	if _, err := netip.ParseAddr(element); err == nil {
		return nil
	}
	return fmt.Errorf("%q must be a CIDR block such as 10.0.0.0/8 or 2001:db8::/32, or an address", element)
}

func checkPrefix(element string) error {
	if element == "" {
		return errors.New("a prefix is empty")
	}
	return nil
}

func checkNode(element string) error {
	host, port, err := net.SplitHostPort(element)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 || host == "" {
		return fmt.Errorf("%q must be host:port with a port from 1 to 65535", element)
	}
	return nil
}

func mustBe(k kind) error { return fmt.Errorf("must be %s", k.want()) }

// quoted is a text as YAML writes it, on one line, also as an element of a list.
func quoted(s string) string {
	node := yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if !plain.MatchString(s) {
		node.Style = yaml.DoubleQuotedStyle
	}
	text, err := yaml.Marshal(&node)
	if err != nil {
		return strconv.Quote(s) // what cannot be said in YAML is no text
	}
	return strings.TrimSuffix(string(text), "\n")
}

// plain is what needs no quotes, unless it looks like a number or the like, which yaml sees to.
var plain = regexp.MustCompile(`^[A-Za-z0-9/~.][A-Za-z0-9/~._:-]*$`)

// yesNo is a boolean that is called as Redis's parameter is, and so takes its word: --appendonly yes.
type yesNo struct{ boolean }

func (k yesNo) want() string { return "yes or no" }
func (k yesNo) name() string { return "YES|NO" }
func (k yesNo) yaml() string { return quoted(k.String()) }

func (k yesNo) String() string {
	if *k.to {
		return "yes"
	}
	return "no"
}
