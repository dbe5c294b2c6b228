package main

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestAside(t *testing.T) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		t.Fatal(err)
	}
	core := 0
	for !set.IsSet(core) {
		core++
	}
	b := &bed{dir: t.TempDir()}
	for _, test := range []struct{ script, want string }{{"exit 0", ""}, {"echo no store; exit 3", "no store"}} {
		a, err := b.aside(core, "sh", "-c", test.script)
		if err != nil {
			t.Fatal(err)
		}
		over := false
		for end := time.Now().Add(readyMax); !over && time.Now().Before(end); time.Sleep(time.Millisecond) {
			over, err = a.ended()
		}
		if !over || (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: over %t, %v", test.script, over, err)
		}
		if again, err := a.ended(); !again || err != nil {
			t.Errorf("%s: asked again: %t, %v", test.script, again, err)
		}
	}
	a, err := b.aside(core, "sleep", "1000")
	if err != nil {
		t.Fatal(err)
	}
	if over, err := a.ended(); over || err != nil {
		t.Errorf("sleeping: over %t, %v", over, err)
	}
	a.stop()
	if over, err := a.ended(); !over || err != nil {
		t.Errorf("stopped: over %t, %v", over, err)
	}
}
