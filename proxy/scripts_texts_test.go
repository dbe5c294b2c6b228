package proxy

import (
	"fmt"
	"strings"
	"testing"
)

// TestScriptCache: what is kept is bounded in bytes and number, what is used stays, what SCRIPT LOAD brought stays until it is flushed.
func TestScriptCache(t *testing.T) {
	const most = 64 << 10
	c := newScriptCache(most)
	body := func(i int) []byte { return fmt.Appendf(nil, "return %d -- %s", i, strings.Repeat("x", 100)) }
	named := func(i int) bool {
		have := c.named([]byte(shaOf(string(body(i)))))
		return have != nil && string(have.body) == string(body(i))
	}
	loaded := newScriptText([]byte("return 'loaded'"))
	c.load(loaded, 0)
	for i := range 3 * generationMax {
		if text := c.evaluated(body(i)); text == nil || text != c.evaluated(body(i)) || !named(i) {
			t.Fatalf("script %d is not kept", i)
		}
		if !named(0) { // it is asked for all the time
			t.Fatalf("script 0 was forgotten after %d others", i)
		}
		if scripts, bytes := c.size(); scripts > 2*generationMax+1 || bytes > most {
			t.Fatalf("%d scripts of %d bytes are kept", scripts, bytes)
		}
	}
	if named(1) {
		t.Error("script 1 is kept although nobody asked for it")
	}
	if c.named([]byte(strings.ToUpper(loaded.sha))) != loaded || c.named([]byte("x")) != nil {
		t.Error("the script that was loaded is not found by its name in capitals, or another is by a wrong one")
	}
	if c.evaluated(make([]byte, most)) != nil {
		t.Error("a script that is too long is kept")
	}

	c.flush()
	if scripts, bytes := c.size(); scripts+bytes != 0 || named(0) {
		t.Error("something is left behind a flush")
	}
	c.load(loaded, 0)
	if c.named([]byte(loaded.sha)) != nil {
		t.Error("a script is kept that was loaded before the flush")
	}
	refused := c.refused.Load()
	for i := range 3 {
		c.load(newScriptText([]byte(fmt.Sprint(i, strings.Repeat("x", most/5)))), 1)
	}
	if scripts, _ := c.size(); scripts != 2 || c.refused.Load() != refused+1 {
		t.Errorf("%d scripts are kept that fill more than half", scripts)
	}
}

// TestScriptsKnown: a script that came with EVAL for one shard is told to another before it is named there, once; and again when the node has come back.
func TestScriptsKnown(t *testing.T) {
	w := newWorld(t, 1, 3, true, nil)
	c := w.client(0)
	sha := shaOf("one")
	a, b := w.keyOn(0), w.keyOn(1)
	const noSuch = "-NOSCRIPT No matching script. Please use EVAL."
	for _, step := range []struct{ say, want string }{
		{"EVALSHA " + sha + " 1 " + a + " 1", noSuch},
		{"EVAL one 1 " + a + " 1", "$1 1"},
		{"EVALSHA " + sha + " 1 " + b + " 2", "$1 2"},
		{"EVALSHA " + sha + " 1 " + b + " 3", "$1 3"},
		{"EVALSHA " + strings.ToUpper(sha) + " 1 " + b + " 3", noSuch}, // the node of this test takes small letters only
		{"SCRIPT EXISTS " + sha + " x", "*2 :1 :0"},
		{"SCRIPT LOAD two", "$40 " + shaOf("two")},
		{"SCRIPT FLUSH", "+OK"},
		{"EVALSHA " + sha + " 1 " + a + " 4", noSuch},
		{"EVALSHA " + shaOf("two") + " 1 " + a + " 4", noSuch},
		{"SCRIPT EXISTS " + sha, "*1 :0"},
	} {
		if got := w.talk(c, step.say); got != step.want {
			t.Errorf("%s: %q, want %q", step.say, got, step.want)
		}
	}
	if got := w.talk(c, "EVAL one 1 "+a+" 5", "MULTI", "EVALSHA "+sha+" 1 "+b+" 6", "EXEC"); got != "$1 5 +OK +QUEUED *1 $1 6" {
		t.Errorf("in a transaction: %q", got)
	}
	told := w.p.count.scriptsTold
	w.node(1).die()
	if got := w.talk(c, "EVALSHA "+sha+" 1 "+b+" 7", "EVALSHA "+sha+" 1 "+b+" 8"); got != "$1 7 $1 8" || w.p.count.scriptsTold != told+1 {
		t.Errorf("of a node that came back: %q, told %d times", got, w.p.count.scriptsTold-told)
	}
}
