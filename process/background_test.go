package process_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"larder/process"
)

func TestInBackground(t *testing.T) {
	told := make(chan *unix.SchedAttr)
	go func() {
		process.InBackground()
		process.InBackground() // again is no fault
		a, err := unix.SchedGetAttr(0, 0)
		if err != nil {
			t.Error(err)
		}
		told <- a
	}()
	theirs := <-told
	ours, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if theirs.Nice < 10 || theirs.Nice < ours.Nice || theirs.Policy != ours.Policy {
		t.Errorf("in the background %+v, here %+v", theirs, ours)
	}
}
