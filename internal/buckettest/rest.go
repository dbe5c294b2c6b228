package buckettest

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"larder/persistence"
)

func notThere(t *testing.T, _ Form, p Place) {
	put(t, p.Bucket, "folder/a", nil)
	for _, name := range []string{"folder", "folder/b", "folder/a/b", "folde", "other"} {
		_, err := p.Bucket.Stat(t.Context(), name)
		Want(t, "stat "+name, err, persistence.ErrNotFound)
		_, err = p.Bucket.Get(t.Context(), name, 0)
		Want(t, "get "+name, err, persistence.ErrNotFound)
		_, err = p.Bucket.Get(t.Context(), name, 5)
		Want(t, "get from 5 of "+name, err, persistence.ErrNotFound)
		Want(t, "delete "+name, p.Bucket.Delete(t.Context(), name), nil)
	}
	holdsNames(t, p.Bucket, "", "folder/a")
	holdsNames(t, p.Bucket, "other")
}

func badNames(t *testing.T, _ Form, p Place) {
	b := p.Bucket
	for _, name := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "../a", ".put-a", "a/.b", "a b", "a\x00", "ä", "a\\b", "a:b", "a?b", "a%2fb",
		strings.Repeat("a", persistence.PartBytesMax+1), strings.Repeat("abc/", 200) + "a",
	} {
		_, err := b.Put(t.Context(), name, bytes.NewReader(nil), nil)
		Want(t, "put "+name, err, persistence.ErrInvalid)
		_, err = b.Get(t.Context(), name, 0)
		Want(t, "get "+name, err, persistence.ErrInvalid)
		_, err = b.Stat(t.Context(), name)
		Want(t, "stat "+name, err, persistence.ErrInvalid)
		Want(t, "delete "+name, b.Delete(t.Context(), name), persistence.ErrInvalid)
	}
	for _, prefix := range []string{"/", "a//", "..", "a/.b", " "} {
		_, err := b.List(t.Context(), prefix)
		Want(t, "list "+prefix, err, persistence.ErrInvalid)
		_, err = b.Sweep(t.Context(), prefix, time.Now())
		Want(t, "sweep "+prefix, err, persistence.ErrInvalid)
	}
	p.Nothing(t)
	for _, name := range []string{"a.b", "-", "A_b+c=d@e.f", strings.Repeat("a", persistence.PartBytesMax-4), strings.Repeat("ab/", 169) + "a"} {
		put(t, b, name, []byte(name))
		Holds(t, b, name, []byte(name))
	}
}

func lists(t *testing.T, _ Form, p Place) {
	all := []string{"a-b/x", "a/x", "a/x.y", "a0", "b/1/manifest.json", "b/1/shard-0000", "b/10/shard-0000", "b/2/shard-0000", "c"}
	for i := range all {
		name := all[(i*7+3)%len(all)]
		put(t, p.Bucket, name, []byte(name))
	}
	found, err := p.Bucket.List(t.Context(), "")
	Want(t, "list", err, nil)
	for _, o := range found {
		if stat, err := p.Bucket.Stat(t.Context(), o.Name); err != nil || stat.Bytes != o.Bytes || stat.Encrypted != o.Encrypted || !soon(o.Changed) {
			t.Errorf("List tells %+v, Stat %+v, %v", o, stat, err)
		}
	}
	for _, prefix := range []string{"", "a", "a/", "a/x", "a-", "b/", "b/1", "b/1/", "b/1/s", "b/3", "c", "c/", "d"} {
		var want []string
		for _, name := range all {
			if strings.HasPrefix(name, prefix) {
				want = append(want, name)
			}
		}
		slices.Sort(want)
		holdsNames(t, p.Bucket, prefix, want...)
	}
}

func longList(t *testing.T, f Form, p Place) {
	if !f.Pages {
		return
	}
	var want []string
	for i := range 1203 {
		want = append(want, fmt.Sprintf("many/%04d", i))
	}
	const at = 8 // requests at a time
	for begin := 0; begin < len(want); begin += at {
		var results []<-chan error
		for _, name := range want[begin:min(begin+at, len(want))] {
			results = append(results, background(func() error {
				_, err := p.Bucket.Put(t.Context(), name, bytes.NewReader(nil), nil)
				return err
			}))
		}
		for _, result := range results {
			Want(t, "put", <-result, nil)
		}
	}
	holdsNames(t, p.Bucket, "many/", want...)
}

func deletes(t *testing.T, _ Form, p Place) {
	all := []string{"s/1/manifest", "s/1/shard", "s/10/manifest", "s/2/manifest", "t"}
	for _, name := range all {
		put(t, p.Bucket, name, []byte(name))
	}
	for len(all) > 0 {
		Want(t, "delete", p.Bucket.Delete(t.Context(), all[0]), nil)
		_, err := p.Bucket.Stat(t.Context(), all[0])
		Want(t, "stat what was deleted", err, persistence.ErrNotFound)
		all = all[1:]
		holdsNames(t, p.Bucket, "", all...)
		for _, name := range all {
			Holds(t, p.Bucket, name, []byte(name))
		}
	}
	p.Nothing(t)
}

func checks(t *testing.T, _ Form, p Place) {
	for range 2 {
		Want(t, "check", p.Bucket.Check(t.Context()), nil)
		p.Nothing(t)
	}
	if p.Bucket.Place() == "" {
		t.Error("it has no place")
	}
}

func sweeps(t *testing.T, f Form, p Place) {
	b := p.Bucket
	put(t, b, "snap/1/shard", Content(10))
	p.Abandon("snap/1/other")
	p.Abandon("snap/2/shard")
	p.Abandon("top")
	if left := p.Left(); len(left) != 3 {
		t.Fatalf("there is left: %q", left)
	}
	holdsNames(t, b, "", "snap/1/shard")
	swept := func(prefix string, before time.Time, want int) {
		t.Helper()
		n, err := b.Sweep(t.Context(), prefix, before)
		Want(t, "sweep "+prefix, err, nil)
		if n != want {
			t.Fatalf("sweep %q: %d were swept, want %d; there is left: %q", prefix, n, want, p.Left())
		}
	}
	past, future := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	swept("", past, 0)
	swept("snap/3", future, 0)
	swept("snap/1/o", future, 1)
	swept("snap/1", future, 0)
	swept("snap/", future, 1)
	if left := p.Left(); len(left) != 1 {
		t.Fatalf("there is left: %q", left)
	}
	swept("", future, 1)
	swept("", future, 0)
	Holds(t, b, "snap/1/shard", Content(10))
	put(t, b, "snap/1/other", Content(f.PartBytes+1)) // what was abandoned does not stand in the way
	if left := p.Left(); len(left) > 0 {
		t.Fatalf("there is left: %q", left)
	}
}

func sweepsNoLive(t *testing.T, f Form, p Place) {
	data := Content(2*f.PartBytes + 5)
	swept := -1
	r := io.MultiReader(Cut(data[:f.PartBytes+1], io.EOF, func() {
		var err error
		if swept, err = p.Bucket.Sweep(t.Context(), "", time.Now().Add(-time.Minute)); err != nil {
			t.Error(err)
		}
	}), bytes.NewReader(data[f.PartBytes+1:]))
	_, err := p.Bucket.Put(t.Context(), "a", r, nil)
	Want(t, "put", err, nil)
	if swept != 0 {
		t.Errorf("%d were swept", swept)
	}
	Holds(t, p.Bucket, "a", data)
}
