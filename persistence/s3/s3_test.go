package s3_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"go.uber.org/goleak"

	"larder/internal/buckettest"
	"larder/internal/peers"
	"larder/persistence"
	"larder/persistence/s3"
)

func TestMain(m *testing.M) {
	for _, name := range os.Environ() { // what the machine has would be taken
		if name, _, _ = strings.Cut(name, "="); strings.HasPrefix(name, "AWS_") {
			os.Unsetenv(name)
		}
	}
	goleak.VerifyTestMain(m)
}

// partBytes is the smallest part there is.
const partBytes = 5 << 20

// buckets counts the buckets that were made.
var buckets atomic.Int32

// place is an empty bucket of a server, and a prefix in it.
type place struct {
	t      *testing.T
	core   *minio.Core
	bucket string
	prefix string
}

// newPlace makes a bucket, in which others have something too.
func newPlace(t *testing.T, v *peers.Versitygw) *place {
	t.Helper()
	transport, err := minio.DefaultTransport(false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	core, err := minio.NewCore(v.Addr, &minio.Options{
		Creds:  credentials.NewStaticV4(peers.VersitygwAccessKey, peers.VersitygwSecretKey, ""),
		Region: peers.VersitygwRegion, Transport: transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t, core, fmt.Sprintf("bucket-%d", buckets.Add(1)), "pre/fix"}
	if err := core.MakeBucket(t.Context(), p.bucket, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"other", "pre/fiy/a", "pre/fix2"} {
		if _, err := core.PutObject(t.Context(), p.bucket, name, bytes.NewReader(nil), 0, "", "", minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// options are those of the place; endpoint may be a proxy's.
func (p *place) options(endpoint string) s3.Options {
	return s3.Options{
		Endpoint: endpoint, Bucket: p.bucket, Prefix: p.prefix, Region: peers.VersitygwRegion, AccessKey: peers.VersitygwAccessKey,
		SecretKey: persistence.NewSecret(peers.VersitygwSecretKey), PartBytes: partBytes,
	}
}

func open(t testing.TB, o s3.Options) *s3.Bucket {
	t.Helper()
	b, err := s3.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// left are the uploads that are not ended.
func (p *place) left() []string {
	p.t.Helper()
	var out []string
	for u := range p.core.ListIncompleteUploads(p.t.Context(), p.bucket, "", true) {
		if u.Err != nil {
			p.t.Fatal(u.Err)
		}
		out = append(out, u.Key)
	}
	return out
}

// abandon begins an upload and sends a part.
func (p *place) abandon(name string) {
	p.t.Helper()
	key := p.prefix + "/" + name
	id, err := p.core.NewMultipartUpload(p.t.Context(), p.bucket, key, minio.PutObjectOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.core.PutObjectPart(p.t.Context(), p.bucket, key, id, 1, strings.NewReader("half"), 4, minio.PutObjectPartOptions{}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) kit(b persistence.Bucket) buckettest.Place {
	return buckettest.Place{Bucket: b, Left: p.left, Abandon: p.abandon}
}

func TestSuite(t *testing.T) {
	v := peers.StartVersitygw(t)
	buckettest.Run(t, buckettest.Form{PartBytes: partBytes, Pages: true, Open: func(t *testing.T) buckettest.Place {
		p := newPlace(t, v)
		return p.kit(open(t, p.options("http://"+v.Addr)))
	}})
}

// TestSlash: a bucket without a prefix.
func TestNoPrefix(t *testing.T) {
	v := peers.StartVersitygw(t)
	p := newPlace(t, v)
	p.prefix = ""
	b := open(t, p.options("http://"+v.Addr))
	if _, err := b.Put(t.Context(), "a/b", strings.NewReader("x"), nil); err != nil {
		t.Fatal(err)
	}
	found, err := b.List(t.Context(), "")
	if err != nil || len(found) != 4 || found[0].Name != "a/b" || found[1].Name != "other" {
		t.Errorf("%v %v", found, err)
	}
	p.prefix = "pre"
	if n, err := b.Sweep(t.Context(), "", time.Now()); n != 0 || err != nil {
		t.Errorf("%d were swept, %v", n, err)
	}
}
