package engine_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// TestMilestones: marks and what belongs behind them are told on the connections that asked for it, in order with what is published.
func TestMilestones(t *testing.T) {
	b := newBed(t, nil)
	ear, lane := b.client(), b.client()
	ear.do("HELLO", "3")
	mark := func(reply string) (run string, n int64) {
		words := strings.Split(reply, "\r\n")
		if n, err := strconv.ParseInt(strings.TrimPrefix(words[3], ":"), 10, 64); err == nil && words[0] == "*2" {
			return words[2], n
		}
		t.Fatalf("a mark: %q", reply)
		return "", 0
	}
	run, first := mark(ear.do("LARDER", "EAR"))
	ear.do("SUBSCRIBE", "a")
	lane.talk(fmt.Sprintf(`
		PUBLISH a x => :1
		LARDER MARK => *2\r\n$40\r\n%s\r\n:%d
		PUBLISH a y => :1
		LARDER AFTER other 77 => +OK
		LARDER AFTER other x => -ERR value is not an integer or out of range
		PUBLISH b z => :0
	`, run, first+1))
	if got, n := mark(lane.do("LARDER", "MARK")); got != run || n != first+2 {
		t.Errorf("the second mark is %d of %s", n, got)
	}
	push := func(words ...string) string {
		text := fmt.Sprintf(">%d\r\n", len(words))
		for _, w := range words {
			text += fmt.Sprintf("$%d\r\n%s\r\n", len(w), w)
		}
		return text
	}
	want := push("message", "a", "x") + push("larder-mark", fmt.Sprint(first+1)) + push("message", "a", "y") + push("larder-after", "other", "77") +
		push("larder-mark", fmt.Sprint(first+2))
	if got := string(ear.c.Written()); got != want {
		t.Errorf("heard %q, want %q", got, want)
	}
	ear.c.Hangup(nil)
	sha := strings.Split(lane.do("SCRIPT", "LOAD", "return 1"), "\r\n")[1]
	speaks := strings.Split(lane.do("SCRIPT", "LOAD", "redis.call('Publish', 'a', 'b')"), "\r\n")[1]
	lane.talk(fmt.Sprintf(`
		LARDER PUBLISHES %s => :0
		LARDER PUBLISHES %s => :1
		LARDER PUBLISHES nosuch => :1
	`, sha, speaks))
}
