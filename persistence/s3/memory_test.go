package s3_test

import (
	"io"
	"net/http"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"testing"

	"larder/internal/buckettest"
	"larder/internal/peers"
	"larder/persistence"
	"larder/persistence/s3"
)

// heap is what lies in the heap, dead or alive.
func heap() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// watching gives zeros, and looks at the heap meanwhile.
type watching struct {
	left int64
	peak int64
}

func (w *watching) Read(p []byte) (int, error) {
	if w.left == 0 {
		return 0, io.EOF
	}
	w.peak = max(w.peak, heap())
	n := min(int64(len(p)), w.left, 1<<20)
	clear(p[:n])
	w.left -= n
	return int(n), nil
}

// TestMemory: however long an object is, sending it takes a part's memory, and what the collector has not looked at yet.
func TestMemory(t *testing.T) {
	v := peers.StartVersitygw(t)
	p := newPlace(t, v)
	b := open(t, p.options("http://"+v.Addr))
	peakOf := func(bytes int64) int64 {
		runtime.GC()
		before := heap()
		w := &watching{left: bytes}
		o, err := b.Put(t.Context(), "of-"+strings.Repeat("x", int(bytes>>20)), w, nil)
		buckettest.Want(t, "put", err, nil)
		if o.Bytes != bytes {
			t.Errorf("%d bytes were sent, %d are there", bytes, o.Bytes)
		}
		return w.peak - before
	}
	small, large := peakOf(0), peakOf(160<<20)
	t.Logf("peak of the heap: %d KiB with nothing to send, %d KiB with 160 MiB", small>>10, large>>10)
	if limit := int64(4 * partBytes); large > limit {
		t.Errorf("160 MiB take %d bytes, more than %d", large, limit)
	}
	if small > 1<<20 {
		t.Errorf("an empty object takes %d bytes", small)
	}
}

// TestMuchAtOnce: parts are not kept for whoever has given up.
func TestTooManyParts(t *testing.T) {
	v := peers.StartVersitygw(t, "--mp-max-parts", "2")
	p := newPlace(t, v)
	b := open(t, p.options("http://"+v.Addr))
	_, err := b.Put(t.Context(), "a", &watching{left: 3 * partBytes}, nil)
	if err == nil || !strings.Contains(err.Error(), "part") {
		t.Errorf("three parts where two are possible: %v", err)
	}
	p.kit(b).Nothing(t)
}

// TestAsked looks at what the service is asked to do with an object.
func TestAsked(t *testing.T) {
	v := peers.StartVersitygw(t)
	for _, c := range []struct {
		name   string
		change func(o *s3.Options)
		want   map[string]string
	}{
		{"nothing", func(*s3.Options) {}, map[string]string{"X-Amz-Server-Side-Encryption": "", "X-Amz-Storage-Class": ""}},
		{"its keys", func(o *s3.Options) { o.SSE = s3.SSES3 }, map[string]string{"X-Amz-Server-Side-Encryption": "AES256"}},
		{"a key", func(o *s3.Options) { o.SSE, o.SSEKey = s3.SSEKMS, "the-key" }, map[string]string{
			"X-Amz-Server-Side-Encryption": "aws:kms", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "the-key",
		}},
		{"the default key", func(o *s3.Options) { o.SSE = s3.SSEKMS }, map[string]string{
			"X-Amz-Server-Side-Encryption": "aws:kms", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "",
		}},
		{"a class", func(o *s3.Options) { o.StorageClass = "STANDARD_IA" }, map[string]string{"X-Amz-Storage-Class": "STANDARD_IA"}},
	} {
		_, proxy, b := ailing(t, v, c.change)
		var mu sync.Mutex
		asked := map[string]http.Header{}
		proxy.Do(func(r *http.Request) buckettest.Fault {
			mu.Lock()
			defer mu.Unlock()
			switch query := r.URL.Query(); {
			case r.Method == http.MethodPost && query.Has("uploads"):
				asked["begin"] = r.Header.Clone()
				return buckettest.Fault{Kind: buckettest.Refuse, Status: http.StatusBadRequest, Code: "Enough"}
			case r.Method == http.MethodPut:
				asked["put"] = r.Header.Clone()
				return buckettest.Fault{Kind: buckettest.Refuse, Status: http.StatusBadRequest, Code: "Enough"}
			}
			return buckettest.Fault{}
		})
		for _, size := range []int64{10, partBytes + 1} {
			_, err := b.Put(t.Context(), "a", &watching{left: size}, nil)
			buckettest.Want(t, "put", err, persistence.ErrUnavailable)
		}
		for what, header := range asked {
			for key, value := range c.want {
				if got := header.Get(key); got != value {
					t.Errorf("%s: %s asks with %s %q, want %q", c.name, what, key, got, value)
				}
			}
		}
		if len(asked) != 2 {
			t.Errorf("%s: asked %v", c.name, asked)
		}
	}
}
