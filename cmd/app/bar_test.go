package app

import (
	"bytes"
	"testing"
	"time"
)

func TestBar(t *testing.T) {
	known, unknown, keys := &Bar{total: 200 << 20}, &Bar{}, &Bar{total: 5000, unit: "keys"}
	for want, got := range map[string]string{
		"[=======                       ]  25% of 200.0 MiB, 25.0 MiB/s, 6s left": known.cells(50<<20) + known.text(50<<20, 2*time.Second),
		"[==============================] 100% of 200.0 MiB, 50.0 MiB/s, 0s left": known.cells(300<<20) + known.text(300<<20, 6*time.Second),
		"50.0 MiB, 25.0 MiB/s":                    unknown.cells(50<<20) + unknown.text(50<<20, 2*time.Second),
		" 10% of 5000 keys, 250 keys/s, 18s left": keys.text(500, 2*time.Second),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestBarIsForPeople: on a terminal what is drawn is taken away again and is no longer than the line; elsewhere there is a line now and then; and what is done at
// once needs neither.
func TestBarIsForPeople(t *testing.T) {
	var out bytes.Buffer
	b := NewBar(&out, 100)
	b.Show(50)
	b.begun = time.Now().Add(-time.Hour)
	b.Show(50)
	b.Show(51)
	b.Clear()
	if got := out.String(); got != "larder:  50% of 0.0 MiB, 0.0 MiB/s, 50s left\n" {
		t.Errorf("without a terminal: %q", got)
	}
	out.Reset()
	b = NewBar(&out, 100)
	b.terminal, b.width = true, 20
	b.Show(50)
	b.Clear()
	if out.Len() > 0 {
		t.Errorf("at once: %q", out.String())
	}
	b.begun = time.Now().Add(-time.Hour)
	b.Show(50)
	b.Show(51)
	b.Clear()
	if got := out.String(); got != "\r\x1b[K[===============   \r\x1b[K" {
		t.Errorf("on a terminal: %q", got)
	}
	NewBar(nil, 1).Show(1)
}
