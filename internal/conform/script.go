package conform

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// Section is a piece of a script that begins with empty servers and new connections.
type Section struct {
	Name     string // script: heading
	Only     []string
	Not      []string
	Protos   []int // 2, 3 or both
	LockStep bool  // never as a pipeline
	Steps    []Step
}

// RunsOn reports whether the section is meant for the endpoint: one with a command that only nodes have is for nodes. A redis-server in the place of ours
// runs everything it could be asked.
func (s *Section) RunsOn(e *Endpoint) bool {
	return runsOn(e, s.Only, s.Not) && (e.Has(TagRedis) || e.Has(TagNode) || !s.needsNode())
}

func (s *Section) needsNode() bool {
	return slices.ContainsFunc(s.Steps, func(step Step) bool {
		args := step.Args(time.Unix(0, 0))
		if len(args) == 0 {
			return false
		}
		r := rowOf(args)
		return r != nil && r.Flags.Has(command.NodeOnly)
	})
}

// RunsOn reports whether an endpoint is to be asked a step of its section.
func (s *Step) RunsOn(e *Endpoint) bool { return runsOn(e, s.Only, s.Not) }

func runsOn(e *Endpoint, only, not []string) bool {
	if e.Has(TagRedis) {
		return true
	}
	return allowed(e, only, not)
}

func allowed(e *Endpoint, only, not []string) bool {
	return (len(only) == 0 || e.hasAny(only)) && !e.hasAny(not)
}

// How says how the two replies of a step are compared.
type How int

// Exact is the zero value.
const (
	Exact    How = iota
	AnyOrder     // the elements of the outermost aggregate in any order
	Approx       // numbers that differ by at most Tolerance; anything else exactly
	Shape        // the same kinds and counts, whatever the texts and numbers
	Outcome      // two errors that are equal, or two that are none
)

// Step is one command, or raw bytes, and what is expected to come back.
type Step struct {
	Where     string
	Raw       []byte // sent as it is; nil: the words are a command
	words     []word
	args      [][]byte // instead of words
	How       How
	Tolerance int64
	Replies   int    // how many will come
	Says      string // the reply as it must be; the real server is not asked
	Closes    bool   // the server closes the connection behind them
	UntilNil  bool   // repeated on each side until it answers null: something expires
	OneSlot   bool   // its keys lie in several slots: a sharded endpoint refuses it
	Conn      string // which connection
	Only, Not []string
}

// Command makes a step that is one command.
func Command(where string, args ...[]byte) Step {
	return Step{Where: where, args: args, Replies: 1}
}

// Args are the words of the command; nil of raw bytes.
func (s *Step) Args(now time.Time) [][]byte {
	if s.args != nil || s.Raw != nil {
		return s.args
	}
	return expandAll(s.words, now)
}

func (s *Step) payload(args [][]byte) []byte {
	if s.Raw != nil {
		return s.Raw
	}
	return resp.AppendCommand(nil, args...)
}

// Parse reads a script:
//
//	# a comment
//	== heading [only=node,gateway] [not=sharded] [proto=3] [lockstep]
//	#any-order            a directive for the next command; several may stand above it
//	KEYS *
//
// Directives: #any-order, #approx N, #shape, #outcome, #no-reply, #replies N, #closes, #until-nil, #one-slot, #only tags, #not tags, #says "reply"
// (for what the real server is not asked), #conn name (which holds until the section ends), #inline (the line goes out as it stands) and #raw (the words, joined, are the bytes).
func Parse(name string, r io.Reader) ([]Section, error) {
	p := parser{name: name}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		p.line++
		if err := p.take(strings.TrimRight(lines.Text(), " \t")); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, p.line, err)
		}
	}
	if p.dangling {
		return nil, fmt.Errorf("%s:%d: directives without a command", name, p.line)
	}
	return p.sections, lines.Err()
}

type parser struct {
	name     string
	line     int
	sections []Section
	next     Step // what directives have said so far
	dangling bool
	inline   bool
	raw      bool
}

func (p *parser) take(line string) error {
	switch {
	case line == "" || line == "#" || strings.HasPrefix(line, "# "):
		return nil
	case strings.HasPrefix(line, "== "):
		return p.heading(line[3:])
	case len(p.sections) == 0:
		return fmt.Errorf("%q stands before the first section", line)
	case line[0] == '#':
		return p.directive(strings.Fields(line[1:]), line)
	}
	return p.command(line)
}

func (p *parser) heading(text string) error {
	s := Section{Protos: []int{2, 3}}
	var title []string
	for _, w := range strings.Fields(text) {
		name, value, option := strings.Cut(w, "=")
		switch {
		case option && name == "only":
			s.Only = strings.Split(value, ",")
		case option && name == "not":
			s.Not = strings.Split(value, ",")
		case option && name == "proto":
			n, err := strconv.Atoi(value)
			if err != nil || n < 2 || n > 3 {
				return fmt.Errorf("%q: want proto=2 or proto=3", w)
			}
			s.Protos = []int{n}
		case w == "lockstep":
			s.LockStep = true
		default:
			title = append(title, w)
		}
	}
	s.Name = p.name + ": " + strings.Join(title, " ")
	if err := knownTags(slices.Concat(s.Only, s.Not)); err != nil {
		return err
	}
	p.sections = append(p.sections, s)
	p.next = Step{Replies: 1}
	return nil
}

func knownTags(tags []string) error {
	for _, t := range tags {
		if !slices.Contains([]string{TagRedis, TagNode, TagGateway, TagSharded, TagSteps, TagStock}, t) {
			return fmt.Errorf("no such tag: %q", t)
		}
	}
	return nil
}

func (p *parser) directive(words []string, line string) error {
	n, arg := 0, ""
	if len(words) > 1 {
		arg = words[1]
		n, _ = strconv.Atoi(arg)
	}
	p.dangling = true
	switch words[0] {
	case "any-order":
		p.next.How = AnyOrder
	case "approx":
		p.next.How, p.next.Tolerance = Approx, int64(n)
	case "shape":
		p.next.How = Shape
	case "outcome":
		p.next.How = Outcome
	case "no-reply":
		p.next.Replies = 0
	case "replies":
		p.next.Replies = n
	case "closes":
		p.next.Closes = true
	case "until-nil":
		p.next.UntilNil = true
	case "one-slot":
		p.next.OneSlot = true
	case "only":
		p.next.Only = strings.Split(arg, ",")
		return knownTags(p.next.Only)
	case "not":
		p.next.Not = strings.Split(arg, ",")
		return knownTags(p.next.Not)
	case "says":
		text, err := splitWords(strings.TrimPrefix(line, "#says"))
		if err != nil || len(text) != 1 {
			return fmt.Errorf("%s: want one quoted reply: %w", line, err)
		}
		p.next.Says = text[0].text
	case "conn":
		p.next.Conn = arg
	case "inline":
		p.inline = true
	case "raw":
		p.raw = true
	default:
		return fmt.Errorf("no such directive: #%s (a comment begins with '# ')", words[0])
	}
	return nil
}

func (p *parser) command(line string) error {
	step := p.next
	step.Where = fmt.Sprintf("%s:%d", p.name, p.line)
	words, err := splitWords(line)
	switch {
	case p.inline:
		step.Raw = []byte(line + "\r\n")
	case err != nil:
		return err
	case p.raw:
		step.Raw = []byte{}
		for _, a := range expandAll(words, time.Time{}) {
			step.Raw = append(step.Raw, a...)
		}
	default:
		step.words = words
	}
	sec := &p.sections[len(p.sections)-1]
	sec.Steps = append(sec.Steps, step)
	p.next = Step{Replies: 1, Conn: step.Conn}
	p.dangling, p.inline, p.raw = false, false, false
	return nil
}
