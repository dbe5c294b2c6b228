package s3

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"larder/persistence"
)

const (
	// checkWithin is how long a check tries again what fails: somebody waits for its answer.
	checkWithin = 5 * time.Second
	// checkName begins the keys of what a check tries, which is never an object's name.
	checkName = ".check-"
)

// Check asks for a list, for an object that is not there, and begins an upload, which it gives up.
func (b *Bucket) Check(ctx context.Context) error {
	verb := "check object store " + b.Place()
	limit := min(checkWithin, b.o.RetryFor)
	err := b.retryWithin(ctx, limit, verb, "", func() error {
		_, err := b.listed(ctx, "", 1)
		return err
	})
	if err != nil {
		return err
	}
	key := b.key(checkName + rand.Text())
	err = b.retryWithin(ctx, limit, verb+", reading", "", func() error {
		_, err := b.core.StatObject(ctx, b.o.Bucket, key, minio.StatObjectOptions{})
		return err
	})
	if err != nil && !errors.Is(err, persistence.ErrNotFound) {
		return err
	}
	err = b.retryWithin(ctx, limit, verb+", writing", "", func() error {
		options := minio.PutObjectOptions{ServerSideEncryption: b.sse, StorageClass: b.o.StorageClass}
		upload, err := b.core.NewMultipartUpload(ctx, b.o.Bucket, key, options)
		if err != nil {
			return err
		}
		return b.core.AbortMultipartUpload(ctx, b.o.Bucket, key, upload)
	})
	if noUpload(err) {
		return nil
	}
	return err
}

// Sweep gives up the uploads of Puts that ended without their doing.
func (b *Bucket) Sweep(ctx context.Context, prefix string, before time.Time) (int, error) {
	const verb = "list uploads"
	if err := persistence.CheckPrefix(prefix); err != nil {
		return 0, err
	}
	swept := 0
	keyAfter, uploadAfter := "", ""
	for {
		var page minio.ListMultipartUploadsResult
		err := b.retry(ctx, verb, prefix, func() (err error) {
			page, err = b.core.ListMultipartUploads(ctx, b.o.Bucket, b.prefix, keyAfter, uploadAfter, "", listMax)
			return err
		})
		if err != nil {
			return swept, err
		}
		for _, u := range page.Uploads {
			name, ours := strings.CutPrefix(u.Key, b.prefix)
			checked := strings.HasPrefix(name, checkName)
			if !ours || !strings.HasPrefix(name, prefix) && !checked || !checked && persistence.CheckName(name) != nil {
				continue
			}
			gone, err := b.sweepOne(ctx, u.Key, u.UploadID, u.Initiated, before)
			if err != nil {
				return swept, err
			}
			if gone {
				swept++
			}
		}
		if !page.IsTruncated || page.NextKeyMarker == keyAfter && page.NextUploadIDMarker == uploadAfter {
			return swept, nil
		}
		keyAfter, uploadAfter = page.NextKeyMarker, page.NextUploadIDMarker
	}
}

// sweepOne gives up an upload if neither it nor a part of it began after a time.
func (b *Bucket) sweepOne(ctx context.Context, key, upload string, began, before time.Time) (bool, error) {
	if !began.Before(before) {
		return false, nil
	}
	name := strings.TrimPrefix(key, b.prefix)
	for after := 0; ; {
		var page minio.ListObjectPartsResult
		err := b.retry(ctx, "list parts of object", name, func() (err error) {
			page, err = b.core.ListObjectParts(ctx, b.o.Bucket, key, upload, after, listMax)
			return err
		})
		if noUpload(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		for _, part := range page.ObjectParts {
			if !part.LastModified.Before(before) {
				return false, nil
			}
		}
		if !page.IsTruncated || page.NextPartNumberMarker <= after {
			break
		}
		after = page.NextPartNumberMarker
	}
	err := b.retry(ctx, "remove the rest of object", name, func() error {
		return b.core.AbortMultipartUpload(ctx, b.o.Bucket, key, upload)
	})
	if err != nil && !noUpload(err) {
		return false, fmt.Errorf("sweep %s: %w", name, err)
	}
	return err == nil, nil
}
