package engine_test

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/engine"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// These tests say to a node what real servers were told and compare what it answers, byte for byte: testdata/recorded, see its README. A reply must be that of
// Redis 7.2.6; that of Valkey 9.1.2 to a command that we have and Redis 7.2.6 lacks; or stand, with a reason, in the list of replay_reasons_test.go.

// scene is one thing that was done and what came of it.
type scene struct {
	line  int
	by    int            // the connection that said it, 0 for a pause or an end
	said  string         // the request, "" if there is none
	pause time.Duration  // of time that passed
	shut  int            // the connection that was closed, 0 if none was
	heard map[int]string // what each connection received, escaped
}

var (
	saidLine  = regexp.MustCompile(`^(\d)>>? (.*)$`)
	heardLine = regexp.MustCompile(`^(\d)< (.*)$`)
	pauseLine = regexp.MustCompile(`^\(wait (\d+) ms\)$`)
	shutLine  = regexp.MustCompile(`^\(connection (\d) closed\)$`)
)

func scenes(t *testing.T, server, group string, proto int) (all []scene) {
	t.Helper()
	name := fmt.Sprintf("testdata/recorded/%s/%s.resp%d.txt", server, group, proto)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(text), "\n") {
		s := scene{line: i + 1, heard: map[int]string{}}
		if m := saidLine.FindStringSubmatch(line); m != nil {
			s.by, s.said = atoi(t, m[1]), m[2]
		} else if m := heardLine.FindStringSubmatch(line); m != nil {
			all[len(all)-1].heard[atoi(t, m[1])] += m[2]
			continue
		} else if m := pauseLine.FindStringSubmatch(line); m != nil {
			s.pause = time.Duration(atoi(t, m[1])) * time.Millisecond
		} else if m := shutLine.FindStringSubmatch(line); m != nil {
			s.shut = atoi(t, m[1])
		} else if line == "" || line[0] == '#' {
			continue
		} else {
			t.Fatalf("%s:%d: %s", name, i+1, line)
		}
		all = append(all, s)
	}
	return all
}

func atoi(t *testing.T, digits string) int {
	t.Helper()
	n, err := strconv.Atoi(digits)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// stage is a node and the connections of a recording, which are opened when they first speak.
type stage struct {
	t       *testing.T
	bed     *bed
	proto   int
	clients map[int]*talker
}

func (s *stage) client(i int) *talker {
	k := s.clients[i]
	if k == nil {
		k = s.bed.client()
		if s.proto == 3 {
			k.do("HELLO", "3")
		}
		s.clients[i] = k
	}
	return k
}

// play does what a scene says and gives what every connection received. What comes by itself, later, is waited for in the node's own time while less has come
// than was recorded.
func (s *stage) play(c *scene) map[int]string {
	if c.shut > 0 {
		s.clients[c.shut].c.Hangup(nil)
		delete(s.clients, c.shut)
	}
	if c.said != "" {
		s.client(c.by).c.Feed(resp.AppendCommandStrings(nil, s.words(c.said)...))
	}
	s.bed.m.EndTurn()
	for left := c.pause; left > 0; left -= 10 * time.Millisecond {
		s.bed.m.Advance(10 * time.Millisecond)
	}
	got := map[int]string{}
	const slices = 30
	for range slices {
		s.bed.m.EndTurn()
		for i, k := range s.clients {
			if text := k.got(); text != "" {
				got[i] += text
			}
		}
		if !s.awaits(c.heard, got) {
			break
		}
		s.bed.m.Advance(10 * time.Millisecond)
	}
	if strings.HasPrefix(c.said, "WAITAOF") && s.awaits(c.heard, got) { // for a file, which takes time of its own
		s.bed.until(func() bool {
			s.bed.m.Advance(time.Millisecond)
			got[c.by] += s.clients[c.by].got()
			return got[c.by] != ""
		})
	}
	return got
}

func (s *stage) awaits(heard, got map[int]string) bool {
	for i := range heard {
		if got[i] == "" {
			return true
		}
	}
	return false
}

// words cuts a request as redis-cli does. <dump of KEY> stands for what DUMP gives for a key.
func (s *stage) words(said string) []string {
	s.t.Helper()
	var p resp.Requests
	p.Reset(resp.DefaultLimits())
	key := ""
	if before, after, ok := strings.Cut(said, "<dump of "); ok {
		key, _, _ = strings.Cut(after, ">")
		said = before
	}
	r, _, state := p.Next([]byte(said + "\r\n"))
	if state != resp.Done {
		s.t.Fatalf("%q: %s", said, p.Err())
	}
	var args []string
	for _, a := range r.Args {
		args = append(args, string(bytes.Clone(a)))
	}
	if key != "" {
		payload, _ := resp.BulkOf([]byte(s.bed.client().do("DUMP", key)))
		args = append(args, string(payload))
	}
	return args
}

// masks are what stands for what changes from run to run.
var masks = strings.NewReplacer("<ms>", `\d+`, "<s>", `\d+`, "<n>", `-?\d+`, "<id>", `\d+`, "<addr>", `[0-9.:]+`, "<cursor>", `\d+`)

// pattern is a recorded reply as an expression.
func pattern(t *testing.T, recorded string) *regexp.Regexp {
	t.Helper()
	text, err := strconv.Unquote(`"` + strings.ReplaceAll(recorded, `"`, `\"`) + `"`)
	if err != nil {
		t.Fatalf("%s: %v", recorded, err)
	}
	return regexp.MustCompile(`\A(?s:` + masks.Replace(regexp.QuoteMeta(text)) + `)\z`)
}

func isAsRecorded(t *testing.T, heard, got map[int]string) bool {
	t.Helper()
	for i := range 10 {
		if !pattern(t, heard[i]).MatchString(got[i]) {
			return false
		}
	}
	return true
}

// TestAsRecorded plays all recordings.
func TestAsRecorded(t *testing.T) {
	unmet := map[*reason]bool{}
	for i := range reasons {
		unmet[&reasons[i]] = true
	}
	for _, group := range []string{"encodings", "notify", "post70", "streams"} {
		for proto := 2; proto <= 3; proto++ {
			t.Run(fmt.Sprintf("%s RESP%d", group, proto), func(t *testing.T) { replay(t, group, proto, unmet) })
		}
	}
	for i := range reasons {
		if unmet[&reasons[i]] {
			t.Errorf("no difference, so no reason is needed: %s %q", reasons[i].group, reasons[i].said)
		}
	}
}

func replay(t *testing.T, group string, proto int, unmet map[*reason]bool) {
	s := &stage{t: t, bed: newBed(t, func(o *engine.Options) { o.Dir = t.TempDir() }), proto: proto, clients: map[int]*talker{}}
	redis := scenes(t, "redis-7.2.6", group, proto)
	var valkey []scene
	if group == "notify" {
		valkey = scenes(t, "valkey-9.1.2", group, proto)
	}
	newer := false // the last command was one that Redis 7.2.6 lacks
	for i := range redis {
		c := &redis[i]
		if c.said != "" {
			newer = valkey != nil && isNewer(s.words(c.said)[0])
		}
		if newer {
			if v := &valkey[i]; v.said != c.said || v.pause != c.pause {
				t.Fatalf("line %d: the recordings are not of one script", c.line)
			} else {
				c = v
			}
		}
		got := s.play(c)
		if c.said != "" && command.Lookup([]byte(s.words(c.said)[0])) == nil && strings.HasPrefix(got[c.by], "-ERR unknown command '") {
			continue // whether we may lack it is another test's question
		}
		at := slices.IndexFunc(reasons, func(r reason) bool { return r.group == group && r.said == c.said })
		switch {
		case at < 0 && !isAsRecorded(t, c.heard, got):
			t.Errorf("line %d: %s%v\n  ours     %v\n  recorded %v", c.line, c.said, c.pause, asRecorded(got), c.heard)
		case at >= 0 && !isAsRecorded(t, c.heard, got):
			delete(unmet, &reasons[at])
			if !regexp.MustCompile(`\A(?s:` + reasons[at].ours + `)\z`).MatchString(got[c.by]) {
				t.Errorf("line %d: %s\n  ours     %v\n  to be    %s", c.line, c.said, asRecorded(got), reasons[at].ours)
			}
		}
	}
}

// isNewer tells whether a command is one of ours that Redis 7.2.6 lacks.
func isNewer(name string) bool {
	r := command.Lookup([]byte(name))
	return r != nil && r.ID >= command.CmdHExpire && r.Group == "hash"
}

func asRecorded(got map[int]string) map[int]string {
	out := map[int]string{}
	for i, text := range got {
		quoted := strconv.Quote(text)
		out[i] = quoted[1 : len(quoted)-1]
	}
	return out
}
