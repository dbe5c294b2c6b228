package s3

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"larder/persistence"
)

// TestTooLarge: an object of more parts than the service takes is given up, with what to do, and what was sent is removed.
func TestTooLarge(t *testing.T) {
	removed, parts := 0, 0
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch query := r.URL.Query(); {
		case r.Method == http.MethodPost && query.Has("uploads"):
			_, _ = io.WriteString(w, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
		case r.Method == http.MethodPut:
			parts++
			w.Header().Set("ETag", `"e"`)
		case r.Method == http.MethodDelete:
			removed++
			w.WriteHeader(http.StatusNoContent)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer service.Close()
	b, err := Open(Options{Bucket: "bucket", Region: "r", Endpoint: service.URL, AccessKey: "a", SecretKey: persistence.NewSecret("s"), PartBytes: partBytesMin})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	b.partsMax = 2
	_, err = b.Put(t.Context(), "a", strings.NewReader(strings.Repeat("x", 2*partBytesMin+1)), nil)
	if !errors.Is(err, persistence.ErrFull) || !strings.Contains(err.Error(), "raise part-size") || removed != 1 || parts != 2 {
		t.Errorf("%v; %d parts were sent, %d uploads removed", err, parts, removed)
	}
}

// TestSendsInBackground: what writes parts to the connection gives way to others. Here nobody else does.
func TestSendsInBackground(t *testing.T) {
	niced := func(files string) (n int) {
		threads, _ := filepath.Glob(files)
		for _, name := range threads {
			stat, _ := os.ReadFile(name) // it may have ended
			const niceField = 16         // behind the name
			fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
			if len(fields) > niceField && len(fields[niceField]) == 2 && fields[niceField][0] == '1' { // 10 to 19
				n++
			}
		}
		return n
	}
	const process, threads = "/proc/self/stat", "/proc/self/task/*/stat"
	if niced(process) > 0 {
		t.Skip("all of this process gives way")
	}
	for deadline := time.Now().Add(10 * time.Second); niced(threads) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("threads of other tests give way still")
		}
	}
	var most atomic.Int64
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Query().Has("uploads"):
			_, _ = io.WriteString(w, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
		case r.Method == http.MethodPut:
			most.Add(int64(niced(threads)))    // the rest of the part waits
			_, _ = io.Copy(io.Discard, r.Body) // none that keeps a part answers before it has all of it
			w.Header().Set("ETag", `"e"`)
		case r.Method == http.MethodPost:
			w.WriteHeader(http.StatusForbidden)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer service.Close()
	b, err := Open(Options{Bucket: "bucket", Region: "r", Endpoint: service.URL, AccessKey: "a", SecretKey: persistence.NewSecret("s"), PartBytes: partBytesMin})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	_, _ = b.Put(t.Context(), "a", strings.NewReader(strings.Repeat("x", partBytesMin+1)), nil) // the service refuses the whole
	if most.Load() == 0 {
		t.Error("no thread gave way while a part was sent")
	}
}
