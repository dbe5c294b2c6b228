package s3_test

import (
	"encoding/pem"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"larder/internal/buckettest"
	"larder/internal/peers"
	"larder/persistence"
	"larder/persistence/s3"
)

// TestCheckSaysWhatIsWrong sets one thing wrong after the other: the error is the right one, soon, and names what to change and never the secret.
func TestCheckSaysWhatIsWrong(t *testing.T) {
	v := peers.StartVersitygw(t)
	p, proxy, b := ailing(t, v)
	buckettest.Want(t, "check with nothing wrong", b.Check(t.Context()), nil)
	p.kit(b).Nothing(t)
	refuse := func(method string, status int, code string) func() {
		return func() {
			proxy.Do(func(r *http.Request) buckettest.Fault {
				if r.Method == method {
					return buckettest.Fault{Kind: buckettest.Refuse, Status: status, Code: code}
				}
				return buckettest.Fault{}
			})
		}
	}
	for _, c := range []struct {
		what   string
		change func(o *s3.Options)
		before func()
		want   error
		says   string
	}{
		{"bucket", func(o *s3.Options) { o.Bucket = "another" }, nil, persistence.ErrNoBucket, "another"},
		{"access key", func(o *s3.Options) { o.AccessKey = "nobody" }, nil, persistence.ErrCredentials, "access-key"},
		{"secret key", func(o *s3.Options) { o.SecretKey = persistence.NewSecret("not the secret") }, nil, persistence.ErrCredentials, "secret-key"},
		{"no keys", func(o *s3.Options) { o.AccessKey, o.SecretKey = "", persistence.Secret{} }, nil, persistence.ErrCredentials, "access-key"},
		{"region", func(o *s3.Options) { o.Region = "eu-west-9" }, nil, persistence.ErrRegion, "region"},
		{"port", func(o *s3.Options) { o.Endpoint = "http://127.0.0.1:1" }, nil, persistence.ErrUnavailable, "endpoint"},
		{"host", func(o *s3.Options) { o.Endpoint = "http://no-such-host.invalid" }, nil, persistence.ErrUnavailable, "endpoint"},
		{"https", func(o *s3.Options) { o.Endpoint = "https" + strings.TrimPrefix(o.Endpoint, "http") }, nil, persistence.ErrUnavailable, "http://"},
		{"no right to list", nil, refuse(http.MethodGet, 403, "AccessDenied"), persistence.ErrDenied, "s3:ListBucket"},
		{"no right to read", nil, refuse(http.MethodHead, 403, "AccessDenied"), persistence.ErrDenied, "s3:GetObject"},
		{"no right to write", nil, refuse(http.MethodPost, 403, "AccessDenied"), persistence.ErrDenied, "s3:PutObject"},
		{"no room", nil, refuse(http.MethodPost, 507, "XMinioStorageFull"), persistence.ErrFull, "XMinioStorageFull"},
		{"expired", nil, refuse(http.MethodGet, 400, "ExpiredToken"), persistence.ErrCredentials, "ExpiredToken"},
		{"down", nil, refuse(http.MethodGet, 503, "ServiceUnavailable"), persistence.ErrUnavailable, "503"},
	} {
		proxy.Do(nil)
		o := p.options(proxy.Server.URL)
		o.RetryFor = 300 * time.Millisecond
		if c.change != nil {
			c.change(&o)
		}
		if c.before != nil {
			c.before()
		}
		err := open(t, o).Check(t.Context())
		buckettest.Want(t, c.what, err, c.want)
		if text := err.Error(); !strings.Contains(text, c.says) || strings.Contains(text, peers.VersitygwSecretKey) || strings.Contains(text, "not the secret") {
			t.Errorf("%s: %v", c.what, err)
		}
		t.Logf("%s: %v", c.what, err)
	}
	proxy.Do(nil)
	p.kit(b).Nothing(t)
}

// TestWrongClock signs requests in a bubble of time, where it is the year 2000.
func TestWrongClock(t *testing.T) {
	v := peers.StartVersitygw(t)
	p := newPlace(t, v)
	synctest.Test(t, func(t *testing.T) {
		b, err := s3.Open(p.options("http://" + v.Addr))
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		err = b.Check(t.Context())
		buckettest.Want(t, "check", err, persistence.ErrClock)
		if !strings.Contains(err.Error(), "behind the service's") || !strings.Contains(err.Error(), "set this machine's clock") {
			t.Error(err)
		}
		_, err = b.List(t.Context(), "")
		buckettest.Want(t, "list", err, persistence.ErrClock)
	})
}

// TestReadOnly: a real server that lets nobody write.
func TestReadOnly(t *testing.T) {
	v := peers.StartVersitygw(t)
	p := newPlace(t, v)
	b := open(t, p.options("http://"+v.Addr))
	if _, err := b.Put(t.Context(), "a", strings.NewReader("x"), nil); err != nil {
		t.Fatal(err)
	}
	v.Kill()
	v.Again("--readonly")
	buckettest.Want(t, "check", b.Check(t.Context()), persistence.ErrDenied)
	_, err := b.Put(t.Context(), "b", strings.NewReader("x"), nil)
	buckettest.Want(t, "put", err, persistence.ErrDenied)
	buckettest.Want(t, "delete", b.Delete(t.Context(), "a"), persistence.ErrDenied)
	buckettest.Holds(t, b, "a", []byte("x"))
}

// TestCertificate: one that nobody vouches for is refused, unless its authority is named.
func TestCertificate(t *testing.T) {
	v := peers.StartVersitygw(t)
	p := newPlace(t, v)
	proxy := buckettest.NewTLSProxy(t, v.Addr)
	proxy.Server.Config.ErrorLog = nil
	o := p.options(proxy.Server.URL)
	err := open(t, o).Check(t.Context())
	buckettest.Want(t, "check", err, persistence.ErrUnavailable)
	if !strings.Contains(err.Error(), "ca-file") {
		t.Error(err)
	}
	plain := o
	plain.Endpoint = "http" + strings.TrimPrefix(o.Endpoint, "https")
	err = open(t, plain).Check(t.Context())
	if !errors.Is(err, persistence.ErrUnavailable) || !strings.Contains(err.Error(), "https://") {
		t.Errorf("http to a server that speaks TLS: %v", err)
	}
	o.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: proxy.Server.Certificate().Raw})
	if err := os.WriteFile(o.CAFile, text, 0o600); err != nil {
		t.Fatal(err)
	}
	b := open(t, o)
	buckettest.Want(t, "check with ca-file", b.Check(t.Context()), nil)
	data := buckettest.Content(partBytes + 1)
	if _, err := b.Put(t.Context(), "a", buckettest.Cut(data, nil, nil), nil); err == nil {
		t.Error("a source that gives nothing, for ever, was taken")
	}
	o.CAFile = filepath.Join(t.TempDir(), "none.pem")
	if _, err := s3.Open(o); !errors.Is(err, persistence.ErrInvalid) || !strings.Contains(err.Error(), "ca-file") {
		t.Error(err)
	}
}
