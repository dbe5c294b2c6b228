package engine_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"larder/engine"
	"larder/protocol/resp"
)

// teller is a node that tells what its commands do, and a client of it.
type teller struct {
	*talker
	heard int64 // up to where the stream was looked at
}

func newTeller(t testing.TB) *teller {
	t.Helper()
	return newTellerAt(t, start)
}

func newTellerAt(t testing.TB, now time.Time) *teller {
	t.Helper()
	b := newBedThen(t, now, withDebug)
	b.node.Listen()
	return &teller{talker: b.client()}
}

func withDebug(o *engine.Options) { o.DebugCommand = "yes" }

// told is what the stream has got since told was last called.
func (k *teller) told() []byte {
	bytes, end := k.b.node.Told(k.heard)
	k.heard = end
	return bytes
}

// toldLines are the commands of a piece of a stream, one a line, quoted where need be.
func toldLines(t testing.TB, stream []byte) (all []string) {
	t.Helper()
	for _, args := range wholeCommands(t, stream) {
		words := make([]string, len(args))
		for i, arg := range args {
			if words[i] = string(arg); words[i] == "" || strings.ContainsFunc(words[i], func(r rune) bool { return r <= ' ' || r > '~' || r == '"' }) {
				words[i] = fmt.Sprintf("%q", words[i])
			}
		}
		all = append(all, strings.Join(words, " "))
	}
	return all
}

// wholeCommands takes a stream apart, which must be whole commands.
func wholeCommands(t testing.TB, stream []byte) (all [][][]byte) {
	t.Helper()
	var requests resp.Requests
	requests.Reset(resp.Limits{ArgsMax: 1 << 20, BulkMax: 1 << 30, InlineMax: 64})
	for len(stream) > 0 {
		r, n, state := requests.Next(stream)
		if state != resp.Done || r.Inline {
			t.Fatalf("no whole command: %.200q", stream)
		}
		args := make([][]byte, len(r.Args))
		for i, arg := range r.Args {
			args[i] = append([]byte{}, arg...)
		}
		all = append(all, args)
		stream = stream[n:]
	}
	return all
}

// follower is a node that follows a teller.
type follower struct {
	*talker
}

func newFollower(t testing.TB) *follower {
	t.Helper()
	b := newBed(t, withDebug)
	k := &follower{b.client()}
	b.node.Follow(true)
	return k
}

// obeys has the follower run a piece of the stream, which must go without errors.
func (f *follower) obeys(stream []byte) {
	f.b.t.Helper()
	got := ""
	f.b.node.Obey(func() { got = f.send(stream) })
	if wrong := anError.FindString(got); wrong != "" {
		f.b.t.Fatalf("the follower answers %q to:\n%s", wrong, strings.Join(toldLines(f.b.t, stream), "\n"))
	}
}

// anError is an error among replies: a number has no letters.
var anError = regexp.MustCompile(`(^|\r\n)-[A-Z]+ .*`)

// ms are milliseconds.
func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// commandLines are commands whose words are parted by blanks, as a stream.
func commandLines(lines ...string) (stream []byte) {
	for _, line := range lines {
		stream = resp.AppendCommandStrings(stream, strings.Fields(line)...)
	}
	return stream
}
