package acl

import (
	"strings"
	"testing"

	"larder/protocol/client"
	"larder/protocol/resp"
)

// What several logs kept of the same refusal is told once, and no more than is kept.
func TestJoined(t *testing.T) {
	next := int64(0)
	id := func() int64 { next++; return next - 1 }
	a, b := NewLog(2), NewLog(2)
	note := func(l *Log, object string, atMS int64) {
		l.Note(Refusal{Reason: "key", Context: "toplevel", Object: object, User: "u", Client: client.Info{Name: object}}, atMS, id)
	}
	note(&a, "x", 1000)
	note(&a, "x", 2000)
	note(&b, "x", 3000)
	note(&b, "y", 4000)
	note(&a, "z", 70_000)
	text := func(entries []Refusal, ask Ask) string {
		w := resp.Writer{Proto: 2}
		ask.Write(&w, entries, 70_000)
		return string(w.Out)
	}
	all := append(a.Entries(), b.Entries()...)
	got := text(Joined(all, 10), Ask{Count: 10})
	for _, want := range []string{"*3\r\n", "count\r\n:1\r\n", "object\r\n$1\r\nz\r\n", "count\r\n:3\r\n", "entry-id\r\n:0\r\n", "timestamp-created\r\n:1000\r\n", "timestamp-last-updated\r\n:3000\r\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
	if z, y, x := strings.Index(got, "\r\nz\r\n"), strings.Index(got, "\r\ny\r\n"), strings.Index(got, "\r\nx\r\n"); z > y || y > x {
		t.Errorf("not the newest first: %q", got)
	}
	if got := text(Joined(all, 2), Ask{Count: 10}); !strings.HasPrefix(got, "*2\r\n") || strings.Contains(got, "\r\nx\r\n") {
		t.Errorf("more than is kept: %q", got)
	}
	if got := text(Joined(all, 2), Ask{Count: -1}); got != "*0\r\n" {
		t.Errorf("fewer than none: %q", got)
	}
	a.Limit(1)
	if note(&a, "w", 71_000); len(a.Entries()) != 1 {
		t.Errorf("%d entries", len(a.Entries()))
	}
	if a.Reset(); len(a.Entries()) != 0 {
		t.Error("not forgotten")
	}
}
