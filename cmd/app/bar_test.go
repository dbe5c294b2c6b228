package app

import (
	"bytes"
	"os"
	"testing"
	"time"
)

func TestBar(t *testing.T) {
	known, unknown := &Bar{total: 200 << 20}, &Bar{}
	for want, got := range map[string]string{
		"[=======                       ]  25% of 200.0 MiB, 25.0 MiB/s, 6s left": known.text(50<<20, 2*time.Second),
		"[==============================] 100% of 200.0 MiB, 50.0 MiB/s, 0s left": known.text(300<<20, 6*time.Second),
		"50.0 MiB, 25.0 MiB/s": unknown.text(50<<20, 2*time.Second),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestBarIsForPeople: where nobody looks on, nothing is shown, and what is done at once needs no bar.
func TestBarIsForPeople(t *testing.T) {
	var out bytes.Buffer
	b := NewBar(&out, 100)
	b.begun = time.Now().Add(-time.Hour)
	b.Show(50)
	b.Clear()
	if out.Len() > 0 {
		t.Errorf("%q", out.String())
	}
	b = NewBar(os.Stderr, 100)
	b.out = &out
	b.Show(50)
	b.Clear()
	if out.Len() > 0 {
		t.Errorf("at once: %q", out.String())
	}
	b.begun = time.Now().Add(-time.Hour)
	b.Show(50)
	b.Show(51)
	b.Clear()
	if got := out.String(); got[:4] != "\r\x1b[K" || bytes.Count(out.Bytes(), []byte("\r")) != 2 {
		t.Errorf("%q", got)
	}
}
