package history_test

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"larder/engine/history"
)

// TestModel holds histories and their readers against the whole stream kept apart.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		end := rapid.Int64Range(0, 1<<40).Draw(t, "end")
		keep := rapid.Int64Range(0, 4*history.BlockBytes).Draw(t, "keep")
		h := history.New("first", end, keep)
		base, all := end, []byte(nil)
		var readers []*history.Reader
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0, 1:
				p := make([]byte, rapid.IntRange(0, 2*history.BlockBytes).Draw(t, "bytes"))
				for i := range p {
					p[i] = byte(len(all) + i*7)
				}
				h.Append(p)
				all = append(all, p...)
			case 2:
				after := base + rapid.Int64Range(-2, int64(len(all))+2).Draw(t, "after")
				r := h.Read(after)
				kept := after >= h.First()-1 && after <= h.End()
				if (r != nil) != kept {
					t.Fatalf("reader after %d: %v, kept from %d to %d", after, r != nil, h.First(), h.End())
				}
				if r != nil {
					readers = append(readers, r)
				}
			case 3, 4:
				if len(readers) == 0 {
					continue
				}
				r := readers[rapid.IntRange(0, len(readers)-1).Draw(t, "reader")]
				view, at := r.Next(), r.Offset()-base
				if len(view) == 0 && r.Offset() != h.End() {
					t.Fatalf("nothing to read at %d of %d", r.Offset(), h.End())
				}
				if !bytes.Equal(view, all[at:at+int64(len(view))]) {
					t.Fatalf("other bytes after %d", at)
				}
				r.Took(rapid.IntRange(0, len(view)).Draw(t, "took"))
			case 5:
				if len(readers) == 0 {
					continue
				}
				i := rapid.IntRange(0, len(readers)-1).Draw(t, "closed")
				readers[i].Close()
				readers = append(readers[:i], readers[i+1:]...)
			}
			oldest := h.End() - keep
			for _, r := range readers {
				oldest = min(oldest, r.Offset())
			}
			if h.End() != base+int64(len(all)) || h.First()-1 > max(oldest, base) {
				t.Fatalf("kept from %d to %d, wanted from %d to %d", h.First(), h.End(), oldest+1, base+int64(len(all)))
			}
			if most := h.End() - max(oldest, base) + 2*history.BlockBytes; h.Len() > most {
				t.Fatalf("%d bytes are kept, %d would do", h.Len(), most)
			}
		}
	})
}

// TestNames is about who may go on where.
func TestNames(t *testing.T) {
	h := history.New("a", 0, 1<<20)
	h.Append([]byte("0123456789"))
	h.Rename("b")
	h.Append([]byte("0123456789"))
	for _, c := range []struct {
		id    string
		after int64
		want  bool
	}{
		{"a", 0, true}, {"a", 10, true}, {"a", 11, false}, {"b", 0, true}, {"b", 20, true}, {"b", 21, false}, {"c", 5, false}, {"", 5, false}, {"b", -1, false},
	} {
		if got := h.Covers(c.id, c.after); got != c.want {
			t.Errorf("Covers(%q, %d) = %v, want %v", c.id, c.after, got, c.want)
		}
	}
	h.Adopt("b")
	if h.OldID != "a" || h.Shared != 10 {
		t.Errorf("the same name changed the old one to %q, up to %d", h.OldID, h.Shared)
	}
	for id, want := range map[string]int64{"b": 20, "a": 10, "c": -1, "": -1} {
		if got := h.SharedWith(id); got != want {
			t.Errorf("SharedWith(%q) = %d, want %d", id, got, want)
		}
	}
	for i := range 17 {
		h.Append([]byte("0123456789"))
		h.Rename(string(rune('d' + i)))
	}
	if got := []int64{h.SharedWith("t"), h.SharedWith("s"), h.SharedWith("d"), h.SharedWith("b"), h.SharedWith("a")}; !slices.Equal(got, []int64{190, 190, 40, 30, -1}) {
		t.Errorf("of the last names it has %v", got)
	}
	if !h.Covers("b", 30) || h.Covers("b", 31) || h.Covers("a", 5) || h.Covers("nobody", -1) { // who was away for two promotions and more
		t.Error("who has followed under an earlier name is judged wrong")
	}
	h.Restart("c", 100)
	if h.SharedWith("t") != -1 {
		t.Error("names outlive what they were for")
	}
	if h.Covers("b", 20) || !h.Covers("c", 100) || h.Covers("", 100) || h.First() != 101 || h.Len() != 0 {
		t.Errorf("after Restart: first %d, %d bytes", h.First(), h.Len())
	}
}
