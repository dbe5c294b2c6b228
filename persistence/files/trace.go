package files

import (
	"fmt"
	"strings"
	"sync"
)

// Trace is what tests watch a folder with: it keeps what was done, and has one operation fail. Any goroutine may use it.
type Trace struct {
	mu     sync.Mutex
	ops    []Op
	failAt int
	err    error
	lasts  bool
}

// Fail has the n-th operation from now on fail with err, n from 1; with lasts all behind it fail too.
func (t *Trace) Fail(n int, err error, lasts bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failAt, t.err, t.lasts = len(t.ops)+n, err, lasts
}

// Watch is to be given to In.
func (t *Trace) Watch(op Op) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ops = append(t.ops, op)
	if n := len(t.ops); t.failAt > 0 && (n == t.failAt || t.lasts && n > t.failAt) {
		return t.err
	}
	return nil
}

// Ops are the operations so far.
func (t *Trace) Ops() []Op {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Op(nil), t.ops...)
}

// String is a line an operation; like ones that follow each other are one line.
func (t *Trace) String() string {
	var out strings.Builder
	last, times := "", 0
	flush := func() {
		switch {
		case times > 1:
			fmt.Fprintf(&out, "%s (%d times)\n", last, times)
		case times == 1:
			out.WriteString(last + "\n")
		}
	}
	for _, op := range t.Ops() {
		if line := op.String(); line == last {
			times++
		} else {
			flush()
			last, times = line, 1
		}
	}
	flush()
	return out.String()
}
