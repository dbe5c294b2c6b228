package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"larder/internal/buckettest"
	"larder/internal/peers"
	"larder/persistence"
	"larder/persistence/s3"
)

// hasty has an Options that a proxy's silence does not hold up. Where the machine is busy it takes that for silence too, so whoever uses it must not mind.
func hasty(o *s3.Options) { o.Stall = 400 * time.Millisecond }

// ailing is a bucket behind a proxy.
func ailing(t *testing.T, v *peers.Versitygw, change ...func(o *s3.Options)) (*place, *buckettest.Proxy, *s3.Bucket) {
	t.Helper()
	p := newPlace(t, v)
	proxy := buckettest.NewProxy(t, v.Addr)
	o := p.options(proxy.Server.URL)
	o.Stall, o.RetryFor = 30*time.Second, time.Minute // the machine may be busy
	for _, f := range change {
		f(&o)
	}
	return p, proxy, open(t, o)
}

// swept checks that what faults have left can be swept, and then is nothing.
func (p *place) swept(b persistence.Bucket) {
	p.t.Helper()
	if _, err := b.Sweep(p.t.Context(), "", time.Now().Add(time.Minute)); err != nil {
		p.t.Fatal(err)
	}
	if left := p.left(); len(left) > 0 {
		p.t.Fatalf("there is left: %q", left)
	}
}

// TestOneFault has each request of a Put meet each fault once: the object is there whole, and only a lost answer may leave something, which is swept.
func TestOneFault(t *testing.T) {
	v := peers.StartVersitygw(t)
	p, proxy, patient := ailing(t, v)
	o := p.options(proxy.Server.URL)
	hasty(&o)
	impatient := open(t, o)
	faults := []buckettest.Fault{
		{Kind: buckettest.Reset},
		{Kind: buckettest.CutBody, Bytes: 100_000},
		{Kind: buckettest.LoseAnswer},
		{Kind: buckettest.CutAnswer, Bytes: 20},
		{Kind: buckettest.Hang},
		{Kind: buckettest.Refuse, Status: http.StatusServiceUnavailable, Code: "SlowDown"},
		{Kind: buckettest.Refuse, Status: http.StatusInternalServerError, Code: "InternalError"},
		{Kind: buckettest.Refuse, Status: http.StatusConflict, Code: "ConditionalRequestConflict"},
	}
	for _, size := range []struct{ bytes, requests int }{{1000, 3}, {partBytes + 1000, 6}} { // stat; put, or begin, two parts, end; stat
		data := buckettest.Content(size.bytes)
		for n := 1; n <= size.requests; n++ {
			for _, f := range faults {
				if f.Status == http.StatusConflict && (n == 1 || n == size.requests) {
					continue // what asks for a head gets no code
				}
				name := fmt.Sprintf("%d/%d/%v-%s", size.bytes, n, f.Kind, f.Code)
				name = strings.ReplaceAll(name, " ", "-")
				proxy.Nth(n, f)
				b, most := patient, size.requests+3
				if f.Kind == buckettest.Hang {
					b, most = impatient, math.MaxInt
				}
				_, err := b.Put(t.Context(), name, io.MultiReader(bytes.NewReader(data)), nil)
				buckettest.Want(t, fmt.Sprintf("put %s, which asked %q", name, proxy.Seen()), err, nil)
				if asked := len(proxy.Seen()); asked < size.requests || asked > most {
					t.Errorf("%s: asked %q", name, proxy.Seen())
				}
				proxy.Do(nil)
				buckettest.Holds(t, patient, name, data)
			}
		}
	}
	p.swept(patient)
}

// TestFaultForGood has a request of a Put and all behind it fail: there is no object, and when the service is back, nothing that stays.
func TestFaultForGood(t *testing.T) {
	v := peers.StartVersitygw(t)
	p, proxy, b := ailing(t, v, func(o *s3.Options) { o.RetryFor = 300 * time.Millisecond })
	o := p.options(proxy.Server.URL)
	o.RetryFor = time.Nanosecond
	hasty(&o)
	impatient := open(t, o)
	for n := 1; n <= 5; n++ { // stat, begin, two parts, end
		for _, f := range []buckettest.Fault{
			{Kind: buckettest.Reset},
			{Kind: buckettest.Hang},
			{Kind: buckettest.Refuse, Status: 503, Code: "SlowDown"},
			{Kind: buckettest.Refuse, Status: 403, Code: "AccessDenied"},
			{Kind: buckettest.Refuse, Status: 507, Code: "XMinioStorageFull"},
		} {
			want := map[int]error{0: persistence.ErrUnavailable, 503: persistence.ErrUnavailable, 403: persistence.ErrDenied, 507: persistence.ErrFull}[f.Status]
			var count atomic.Int32
			proxy.Do(func(r *http.Request) buckettest.Fault {
				if count.Add(1) >= int32(n) && r.Method != http.MethodDelete {
					return f
				}
				return buckettest.Fault{}
			})
			through := b
			if f.Kind == buckettest.Hang {
				through = impatient
			}
			_, err := through.Put(t.Context(), "s/shard", io.MultiReader(bytes.NewReader(buckettest.Content(partBytes+1000))), nil)
			buckettest.Want(t, fmt.Sprintf("put with %v from request %d on", f, n), err, want)
			if !strings.Contains(err.Error(), "s/shard") {
				t.Errorf("the object is not named: %v", err)
			}
			proxy.Do(nil)
			p.kit(b).Nothing(t)
		}
	}
}

// TestEndIsLost: the answer to the last request of a Put is lost again and again. The object is there, and Put sees that it is its own.
func TestEndIsLost(t *testing.T) {
	v := peers.StartVersitygw(t)
	p, proxy, b := ailing(t, v)
	lost := 0
	proxy.Do(func(r *http.Request) buckettest.Fault {
		if r.Method == http.MethodPost && r.URL.Query().Has("uploadId") && lost < 3 {
			lost++
			return buckettest.Fault{Kind: buckettest.LoseAnswer}
		}
		return buckettest.Fault{}
	})
	data := buckettest.Content(partBytes + 1)
	_, err := b.Put(t.Context(), "a", io.MultiReader(bytes.NewReader(data)), nil)
	buckettest.Want(t, "put", err, nil)
	if lost == 0 {
		t.Error("nothing was lost")
	}
	buckettest.Holds(t, b, "a", data)
	p.swept(b)
}

// TestContextEndsAtTheEnd: who has given up finds no object later, even if the service had made it.
func TestContextEndsAtTheEnd(t *testing.T) {
	v := peers.StartVersitygw(t)
	p, proxy, b := ailing(t, v)
	for _, size := range []int{10, partBytes + 1} {
		ctx, cancel := context.WithCancel(t.Context())
		proxy.Do(func(r *http.Request) buckettest.Fault {
			whole := r.Method == http.MethodPut && !r.URL.Query().Has("partNumber")
			if whole || r.Method == http.MethodPost && r.URL.Query().Has("uploadId") {
				return buckettest.Fault{Kind: buckettest.LoseAnswer, After: cancel}
			}
			return buckettest.Fault{}
		})
		_, err := b.Put(ctx, "a", io.MultiReader(bytes.NewReader(buckettest.Content(size))), nil)
		buckettest.Want(t, "put", err, context.Canceled)
		proxy.Do(nil)
		p.kit(b).Nothing(t)
	}
}

func TestServerKilled(t *testing.T) {
	v := peers.StartVersitygw(t)
	p := newPlace(t, v)
	o := p.options("http://" + v.Addr)
	o.RetryFor = 500 * time.Millisecond
	b := open(t, o)
	data := buckettest.Content(3*partBytes + 1)
	kill := func(then func()) io.Reader {
		return io.MultiReader(buckettest.Cut(data[:2*partBytes], io.EOF, func() { v.Kill(); then() }), bytes.NewReader(data[2*partBytes:]))
	}
	_, err := b.Put(t.Context(), "a", kill(func() {}), nil)
	buckettest.Want(t, "put to a server that dies", err, persistence.ErrUnavailable)
	if !strings.Contains(err.Error(), v.Addr) {
		t.Errorf("it is not said who does not answer: %v", err)
	}
	v.Again()
	_, err = b.Stat(t.Context(), "a")
	buckettest.Want(t, "stat", err, persistence.ErrNotFound)
	if left := p.left(); len(left) != 1 {
		t.Errorf("there is left: %q", left)
	}
	p.swept(b)

	o.RetryFor = time.Minute
	b = open(t, o)
	_, err = b.Put(t.Context(), "a", kill(func() { v.Again() }), nil)
	buckettest.Want(t, "put to a server that dies and comes back", err, nil)
	buckettest.Holds(t, b, "a", data)
	if left := p.left(); len(left) > 0 {
		t.Errorf("there is left: %q", left)
	}
}

// TestSlow: a service that is slow is waited for; what slow is and what still, TestStall has.
func TestSlow(t *testing.T) {
	v := peers.StartVersitygw(t)
	_, proxy, b := ailing(t, v, func(o *s3.Options) { o.Stall, o.RetryFor = 10*time.Second, time.Nanosecond })
	proxy.Do(func(*http.Request) buckettest.Fault {
		return buckettest.Fault{Kind: buckettest.Slow, Pause: 10 * time.Millisecond}
	})
	data := buckettest.Content(partBytes + 1)
	begin := time.Now()
	_, err := b.Put(t.Context(), "a", io.MultiReader(bytes.NewReader(data)), nil)
	buckettest.Want(t, "put", err, nil)
	if took := time.Since(begin); took < time.Second {
		t.Errorf("it took %v only", took)
	}
	proxy.Do(nil)
	buckettest.Holds(t, b, "a", data)
}

func TestReadsGoOn(t *testing.T) {
	v := peers.StartVersitygw(t)
	p, proxy, b := ailing(t, v)
	data := buckettest.Content(3_000_000)
	put := func() {
		t.Helper()
		if _, err := b.Put(t.Context(), "a", bytes.NewReader(data), nil); err != nil {
			t.Fatal(err)
		}
	}
	put()
	var count atomic.Int32
	proxy.Do(func(*http.Request) buckettest.Fault {
		switch count.Add(1) % 4 {
		case 1:
			return buckettest.Fault{Kind: buckettest.CutAnswer, Bytes: 400_000}
		case 2:
			return buckettest.Fault{Kind: buckettest.Refuse, Status: 503, Code: "SlowDown"}
		case 3:
			return buckettest.Fault{Kind: buckettest.Reset}
		}
		return buckettest.Fault{Kind: buckettest.CutAnswer, Bytes: 300_001}
	})
	buckettest.Holds(t, b, "a", data)
	if count.Load() < 10 {
		t.Errorf("it took %d requests", count.Load())
	}

	broken := func(what string, between func(), after buckettest.Fault, want error) {
		t.Helper()
		proxy.Nth(1, buckettest.Fault{Kind: buckettest.CutAnswer, Bytes: 500_000})
		o := p.options(proxy.Server.URL)
		o.RetryFor = 300 * time.Millisecond
		b := open(t, o)
		r, err := b.Get(t.Context(), "a", 0)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		got := make([]byte, 1000)
		if _, err := io.ReadFull(r, got); err != nil {
			t.Fatal(err)
		}
		between()
		proxy.Do(func(*http.Request) buckettest.Fault { return after })
		rest, err := io.ReadAll(r)
		buckettest.Want(t, what, err, want)
		if !bytes.HasPrefix(data, append(got, rest...)) {
			t.Errorf("%s: something else was read", what)
		}
		if _, err := r.Read(got); !errors.Is(err, want) {
			t.Errorf("%s: read again: %v", what, err)
		}
		proxy.Do(nil)
	}
	broken("read from a service that is gone", func() {}, buckettest.Fault{Kind: buckettest.Reset}, persistence.ErrUnavailable)
	broken("read where each answer breaks off at once", func() {}, buckettest.Fault{Kind: buckettest.CutAnswer}, persistence.ErrUnavailable)
	remove := func() {
		if err := p.core.RemoveObject(t.Context(), p.bucket, "pre/fix/a", minio.RemoveObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	broken("read what is deleted", remove, buckettest.Fault{}, persistence.ErrNotFound)
	put()
	broken("read what is replaced", func() {
		remove()
		other := buckettest.Content(2_999_999)
		if _, err := p.core.PutObject(t.Context(), p.bucket, "pre/fix/a", bytes.NewReader(other), int64(len(other)), "", "", minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}, buckettest.Fault{}, persistence.ErrDamaged)
}

// TestWithoutConditions: a service that does not know them is asked before.
func TestWithoutConditions(t *testing.T) {
	v := peers.StartVersitygw(t)
	_, proxy, b := ailing(t, v)
	refused := 0
	proxy.Do(func(r *http.Request) buckettest.Fault {
		if r.Header.Get("If-None-Match") == "" {
			return buckettest.Fault{}
		}
		refused++
		return buckettest.Fault{Kind: buckettest.Refuse, Status: http.StatusNotImplemented, Code: "NotImplemented"}
	})
	for _, size := range []int{10, partBytes + 1} {
		name, data := fmt.Sprintf("of-%d", size), buckettest.Content(size)
		_, err := b.Put(t.Context(), name, io.MultiReader(bytes.NewReader(data)), nil)
		buckettest.Want(t, "put", err, nil)
		_, err = b.Put(t.Context(), name, bytes.NewReader(nil), nil)
		buckettest.Want(t, "put again", err, persistence.ErrExists)
		buckettest.Holds(t, b, name, data)
	}
	if refused != 1 {
		t.Errorf("the condition was tried %d times", refused)
	}
}
