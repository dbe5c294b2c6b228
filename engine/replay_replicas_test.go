package engine_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"larder/engine"
)

// TestHandshakesAsRecorded says to a node what replicas were recorded to say to real servers, and wants the same answers: but for names, marks, lengths, and
// what the stream has.
func TestHandshakesAsRecorded(t *testing.T) {
	for _, name := range []string{"redis-7.0.15", "valkey-9.1.2"} {
		text, err := os.ReadFile("testdata/recorded/replication/" + name + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			h := handshakes{b: newBed(t, func(o *engine.Options) { o.Dir = t.TempDir() })}
			h.k = h.b.client()
			for scene := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
				h.play(scene)
			}
			if h.scenes < 6 {
				t.Errorf("%d scenes", h.scenes)
			}
		})
	}
}

// handshakes are played one after the other against one node.
type handshakes struct {
	b      *bed
	k      *talker
	theirs string // the name of the stream as recorded
	ours   string // and as it is
	scenes int
}

var (
	recordedFull = regexp.MustCompile(`\+FULLRESYNC ([0-9a-f]{40}) \d+`)
	recordedOn   = regexp.MustCompile(`\+CONTINUE ([0-9a-f]{40})`)
	recordedAsk  = regexp.MustCompile(`(PSYNC\r\n\$40\r\n)([0-9a-f]{40})\r\n\$\d+\r\n\d+\r\n`)
)

func (h *handshakes) play(scene string) {
	h.scenes++
	lines := strings.Split(scene, "\n")
	title := lines[0]
	h.b.t.Log(title)
	if recordedOn.MatchString(scene) {
		h.k.says("+OK\r\n", "SET", "last", "1") // what the stream goes on with
	}
	f := h.b.client()
	got := ""
	for _, line := range lines[1:] {
		who, what, _ := strings.Cut(line, "> ")
		if who == "replica" {
			if got != "" {
				h.b.t.Errorf("%s: more was said: %q", title, got)
			}
			got = f.send(h.asOurs(unescape(h.b.t, what)))
			continue
		}
		var is []string
		if is, got = h.b.after(f, got, h.pattern(what), title); strings.HasPrefix(what, "+FULLRESYNC") && h.ours == "" {
			h.ours = is[1]
		}
	}
}

// asOurs puts the node's name of the stream, and an offset before its last command, in place of the recorded ones.
func (h *handshakes) asOurs(said string) []byte {
	m := recordedAsk.FindStringSubmatch(said)
	if m == nil || m[2] != h.theirs {
		return []byte(said)
	}
	if strings.Contains(said, "1000000000") {
		return []byte(strings.ReplaceAll(said, h.theirs, h.ours))
	}
	end, _ := strconv.ParseInt(h.k.infoOf("master_repl_offset"), 10, 64)
	from := strconv.FormatInt(end+1-int64(len(lastCommand)), 10)
	return fmt.Appendf(nil, "*3\r\n$5\r\nPSYNC\r\n$40\r\n%s\r\n$%d\r\n%s\r\n", h.ours, len(from), from)
}

const lastCommand = "*3\r\n$3\r\nSET\r\n$4\r\nlast\r\n$1\r\n1\r\n"

// pattern is what an answer is to be like.
func (h *handshakes) pattern(what string) string {
	switch {
	case strings.HasPrefix(what, "+FULLRESYNC"):
		if h.theirs == "" {
			h.theirs = recordedFull.FindStringSubmatch(what)[1]
		}
		return `\+FULLRESYNC ([0-9a-f]{40}) \d+\r\n`
	case strings.HasPrefix(what, "+CONTINUE"):
		return `\+CONTINUE ` + h.ours + `\r\n`
	case strings.HasPrefix(what, "$EOF:"):
		return `\$EOF:[0-9a-f]{40}\r\n`
	case strings.HasPrefix(what, "$"):
		return `\n*\$\d+\r\n`
	case strings.Contains(what, "mark again"):
		return `(?s:(?:REDIS|VALKEY)0.*[0-9a-f]{40})`
	case strings.HasPrefix(what, "("):
		return `(?s:(?:REDIS|VALKEY)0.*\x00{8})`
	case strings.HasPrefix(what, "*"):
		return regexp.QuoteMeta(lastCommand)
	}
	return regexp.QuoteMeta(unescape(h.b.t, what))
}

// after takes what is like the pattern from the front of what was received, as soon as it has come, and gives it and the rest.
func (b *bed) after(f *talker, got, pattern, title string) (is []string, rest string) {
	b.t.Helper()
	re := regexp.MustCompile("^" + pattern)
	waitFor(b.t, func() bool {
		b.m.EndTurn()
		got += f.got()
		return re.MatchString(got)
	})
	m := re.FindStringSubmatch(got)
	if m == nil {
		b.t.Fatalf("%s: %.200q is not %s", title, got, pattern)
	}
	return m, got[len(m[0]):]
}

func unescape(t testing.TB, text string) string {
	t.Helper()
	s, err := strconv.Unquote(`"` + strings.ReplaceAll(text, `"`, `\"`) + `"`)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return s
}
