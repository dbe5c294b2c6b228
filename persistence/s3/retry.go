package s3

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

const (
	pauseMin = 100 * time.Millisecond // before the first new try; each pause is twice the one before
	pauseMax = 10 * time.Second
)

// patience counts failures in a row.
type patience struct {
	since time.Time // of the first; zero: there was none
	tries int
	limit time.Duration // how long; 0: Options.RetryFor
}

// pause waits before a request is tried again, or gives the error to end with: the context has ended, the failure will not pass by itself, or there have been
// failures for too long.
func (b *Bucket) pause(ctx context.Context, p *patience, failed error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !passes(failed) {
		return failed
	}
	now := time.Now()
	if p.since.IsZero() {
		p.since = now
	}
	limit := p.limit
	if limit == 0 {
		limit = b.o.RetryFor
	}
	wait := min(pauseMin<<min(p.tries, 10), pauseMax)
	wait -= rand.N(wait / 2) // so that many who failed at once don't come again at once
	if p.tries++; now.Sub(p.since)+wait > limit {
		return failed
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// retry does a request until it succeeds or fails for good, and explains the error.
func (b *Bucket) retry(ctx context.Context, verb, name string, request func() error) error {
	return b.retryWithin(ctx, 0, verb, name, request)
}

// retryWithin is retry with a limit of its own; 0: Options.RetryFor.
func (b *Bucket) retryWithin(ctx context.Context, limit time.Duration, verb, name string, request func() error) error {
	p := patience{limit: limit}
	for {
		if err := ctx.Err(); err != nil {
			return b.explain(verb, name, err)
		}
		err := request()
		if err == nil {
			return nil
		}
		if err := b.pause(ctx, &p, err); err != nil {
			return b.explain(verb, name, err)
		}
	}
}

// passing are codes of errors after which the same request may succeed, beside those with a status of 500 and above.
var passing = map[string]bool{
	"RequestTimeout": true, "SlowDown": true, "Throttling": true, "ThrottlingException": true, "RequestLimitExceeded": true, "RequestThrottled": true,
	"InternalError": true, "OperationAborted": true, "ConditionalRequestConflict": true, "TooManyRequests": true, "IncompleteBody": true,
}

// passes tells whether a failure may pass by itself.
func passes(err error) bool {
	var response minio.ErrorResponse
	if errors.As(err, &response) {
		switch response.StatusCode {
		case http.StatusNotImplemented, http.StatusInsufficientStorage, http.StatusHTTPVersionNotSupported:
			return false
		case http.StatusRequestTimeout, http.StatusTooManyRequests:
			return true
		}
		return response.StatusCode >= http.StatusInternalServerError || passing[response.Code]
	}
	var noKeys credentialsError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &noKeys), errors.As(err, &certificate), errors.Is(err, errNoRanges), spokeWrongly(err):
		return false
	}
	return true // the network's
}

// spokeWrongly tells that one side speaks TLS and the other does not.
func spokeWrongly(err error) bool {
	return strings.Contains(err.Error(), "server gave HTTP response to HTTPS client") || strings.Contains(err.Error(), "first record does not look like a TLS handshake")
}
