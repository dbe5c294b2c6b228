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
)

// Scene is a play of several clients, who may wait: it begins with empty servers and new connections.
type Scene struct {
	Name  string
	Proto int // 0: both
	Only  []string
	Not   []string
	Acts  []Act
}

// Act is what one client does, or what is waited for, and what is to be the same on both sides then: the replies of all clients, and who is blocked.
type Act struct {
	Where   string
	Client  string
	Kind    ActKind
	Args    []string          // "@name" stands for the id of the client of that name
	Replies int               // how many come for it
	Says    map[string]string // what our clients are answered, by name, where 7.2 answers otherwise than the real server of 7.0
	Apart   string            // a reason why other clients are blocked on our side than on the other from now on
}

// ActKind says what an act is.
type ActKind int

// The kinds.
const (
	ActSend     ActKind = iota // a command
	ActAnswered                // a command whose answer is waited for, however long it takes
	ActBatched                 // a command that goes out with the client's next
	ActClose                   // the client leaves
	ActAnswer                  // the client is answered, sooner or later
	ActDrain                   // the client reads all that was sent to it, replies or not
	ActBlocked                 // the client is blocked, sooner or later
)

// actKinds are the kinds by the words that stand for the command.
var actKinds = map[string]ActKind{"!close": ActClose, "!answer": ActAnswer, "!drain": ActDrain, "!blocked": ActBlocked}

func (a *Act) String() string {
	for text, kind := range actKinds {
		if kind == a.Kind {
			return a.Client + ": " + text
		}
	}
	args := make([][]byte, len(a.Args))
	for i, arg := range a.Args {
		args[i] = []byte(arg)
	}
	mark := map[ActKind]string{ActSend: ":", ActBatched: "+:", ActAnswered: "!:"}[a.Kind]
	return a.Client + mark + " " + strings.ReplaceAll(Quote(args), `"@`, "@")
}

// ParseScenes reads scenes:
//
//	# a comment
//	== heading [proto=3] [only=node,gateway] [not=sharded]
//	a: BLPOP k 0              client a sends a command, in redis-cli's quoting
//	a+: BLPOP k 0             … which goes out together with a's next
//	a!: BLPOP k 0.01          … and waits for the answer
//	#replies 2                directives for the next act: as many replies come for it
//	#says a "reply"           … a's reply of ours must be this, and the real server's must not
//	b: CLIENT UNBLOCK @a      a's id; @rep:N:x is x, N times
//	a: !answer                wait until a is answered, or: !blocked; !drain all that was sent to it, !close the connection
func ParseScenes(name string, r io.Reader) ([]Scene, error) {
	var scenes []Scene
	lines := bufio.NewScanner(r)
	next := Act{Replies: 1}
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		var err error
		switch {
		case line == "" || line == "#" || strings.HasPrefix(line, "# "):
		case strings.HasPrefix(line, "== "):
			scenes = append(scenes, parseHeading(name, line[3:]))
		case line[0] == '#':
			err = next.direct(line[1:])
		case len(scenes) == 0:
			err = fmt.Errorf("an act before the first heading")
		default:
			next.Where = fmt.Sprintf("%s:%d", name, n)
			err = next.parse(line)
			s := &scenes[len(scenes)-1]
			s.Acts = append(s.Acts, next)
			next = Act{Replies: 1}
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	return scenes, lines.Err()
}

func parseHeading(name, text string) Scene {
	var s Scene
	var title []string
	for _, w := range strings.Fields(text) {
		switch name, value, _ := strings.Cut(w, "="); name {
		case "proto":
			s.Proto, _ = strconv.Atoi(value)
		case "only":
			s.Only = strings.Split(value, ",")
		case "not":
			s.Not = strings.Split(value, ",")
		default:
			title = append(title, w)
		}
	}
	s.Name = name + ": " + strings.Join(title, " ")
	return s
}

// RunsOn reports whether the scene is meant for the endpoint. A gateway plays none with commands that only nodes have, nor, over shards, with keys apart.
func (s *Scene) RunsOn(e *Endpoint) bool {
	if e.Has(TagNode) || e.Has(TagRedis) {
		return true
	}
	return allowed(e, s.Only, s.Not) && !slices.ContainsFunc(s.Acts, func(a Act) bool {
		if len(a.Says) > 0 && e.Has(TagStock) {
			return true // its nodes are of 7.0
		}
		args := make([][]byte, len(a.Args))
		for i, arg := range a.Args {
			args[i] = []byte(arg)
		}
		if len(args) == 0 {
			return false
		}
		row := rowOf(args)
		return row != nil && row.Flags.Has(command.NodeOnly) || e.Has(TagSharded) && Crosses(args)
	})
}

func (a *Act) direct(text string) error {
	words, err := splitWords(text)
	switch {
	case err != nil:
		return err
	case words[0].text == "replies" && len(words) == 2:
		a.Replies, err = strconv.Atoi(words[1].text)
		return err
	case words[0].text == "says" && len(words) == 3:
		if a.Says == nil {
			a.Says = map[string]string{}
		}
		a.Says[words[1].text] += words[2].text
		return nil
	case words[0].text == "apart" && len(words) > 1:
		a.Apart = strings.TrimPrefix(text, "apart ")
		return nil
	}
	return fmt.Errorf("no such directive: #%s", text)
}

func (a *Act) parse(line string) error {
	who, text, ok := strings.Cut(line, ":")
	if !ok {
		return fmt.Errorf("whose act is %q?", line)
	}
	a.Client = who
	text = strings.TrimSpace(text)
	if kind, found := actKinds[text]; found {
		a.Kind = kind
		return nil
	}
	if a.Client, ok = strings.CutSuffix(who, "+"); ok {
		a.Kind = ActBatched
	} else if a.Client, ok = strings.CutSuffix(who, "!"); ok {
		a.Kind = ActAnswered
	}
	// A client's name would be taken for a macro that there is not; of macros there is one.
	words, err := splitWords(strings.NewReplacer(" @rep:", " @rep:", " @", " @@").Replace(text))
	if err != nil {
		return err
	}
	for _, arg := range expandAll(words, time.Time{}) {
		a.Args = append(a.Args, string(arg))
	}
	return nil
}

// Clients are the names of those who act, in the order of their first act.
func (s *Scene) Clients() (names []string) {
	for i := range s.Acts {
		if name := s.Acts[i].Client; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
