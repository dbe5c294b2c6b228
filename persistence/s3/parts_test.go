package s3

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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
