package s3

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"

	"larder/persistence"
)

// meaning is what a code of the service means to us, and what to do about it.
type meaning struct {
	kind   error
	advice string
}

var meanings = map[string]meaning{
	minio.NoSuchKey:                {persistence.ErrNotFound, ""},
	minio.NoSuchVersion:            {persistence.ErrNotFound, ""},
	"NotFound":                     {persistence.ErrNotFound, ""},
	minio.NoSuchBucket:             {persistence.ErrNoBucket, "make it, or correct place and endpoint"},
	minio.InvalidBucketName:        {persistence.ErrNoBucket, "correct place"},
	minio.PreconditionFailed:       {persistence.ErrExists, ""},
	minio.AccessDenied:             {persistence.ErrDenied, "give the key the rights s3:ListBucket on the bucket and s3:GetObject, s3:PutObject, s3:AbortMultipartUpload and s3:DeleteObject on what is in it"},
	"AllAccessDisabled":            {persistence.ErrDenied, ""},
	"AccountProblem":               {persistence.ErrDenied, ""},
	"MethodNotAllowed":             {persistence.ErrDenied, ""},
	"KMS.DisabledException":        {persistence.ErrDenied, "enable the key that sse-key names"},
	"KMS.NotFoundException":        {persistence.ErrInvalid, "correct sse-key"},
	"InvalidAccessKeyId":           {persistence.ErrCredentials, "correct access-key"},
	"InvalidClientTokenId":         {persistence.ErrCredentials, "correct access-key"},
	"SignatureDoesNotMatch":        {persistence.ErrCredentials, "correct secret-key"},
	"XAdminUserNotFound":           {persistence.ErrCredentials, "correct access-key"}, // versitygw with one user only
	"ExpiredToken":                 {persistence.ErrCredentials, "get new ones"},
	"InvalidToken":                 {persistence.ErrCredentials, "correct session-token"},
	"InvalidSecurity":              {persistence.ErrCredentials, ""},
	"RequestTimeTooSkewed":         {persistence.ErrClock, "set this machine's clock"},
	"AuthorizationHeaderMalformed": {persistence.ErrRegion, "set region"},
	minio.InvalidRegion:            {persistence.ErrRegion, "set region"},
	"PermanentRedirect":            {persistence.ErrRegion, "set region, or the bucket's own endpoint"},
	"IllegalLocationConstraintException": {
		persistence.ErrRegion, "set region",
	},
	minio.NoSuchUpload:  {persistence.ErrUnavailable, ""},
	"TemporaryRedirect": {persistence.ErrUnavailable, ""},
	"QuotaExceeded":     {persistence.ErrFull, ""},
	"XMinioStorageFull": {persistence.ErrFull, ""},
	"XMinioAdminBucketQuotaExceeded": {
		persistence.ErrFull, "",
	},
	"EntityTooLarge": {persistence.ErrFull, ""},
}

// refusal is an error of the service with its meaning.
type refusal struct {
	kind     error
	response minio.ErrorResponse
	text     string
}

func (r refusal) Error() string   { return r.text }
func (r refusal) Unwrap() []error { return []error{r.kind, r.response} }

// explain gives an error its meaning, and says what to do. What has one already stays.
func (b *Bucket) explain(verb, name string, err error) error {
	what := verb
	if name != "" {
		what += " " + name
	}
	var response minio.ErrorResponse
	var source persistence.SourceError
	var noKeys credentialsError
	var certificate *tls.CertificateVerificationError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &source):
		return fmt.Errorf("%s: %w", what, source)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", what, err)
	case explained(err):
		return err
	case errors.As(err, &noKeys):
		return fmt.Errorf("%s: %w: %w", what, persistence.ErrCredentials, noKeys)
	case errors.As(err, &response):
		return b.explainResponse(what, response)
	case errors.As(err, &certificate):
		return fmt.Errorf("%s: %w: %s shows a certificate that is not trusted; if it should be, set ca-file: %w", what, persistence.ErrUnavailable, b.where(), certificate)
	case spokeWrongly(err):
		return fmt.Errorf("%s: %w: %s does not speak TLS; write http:// in endpoint", what, persistence.ErrUnavailable, b.where())
	}
	return fmt.Errorf("%s: %w: %s does not answer; see whether it runs and endpoint is right: %w", what, persistence.ErrUnavailable, b.where(), bare(err))
}

// explained tells an error that explain has made, or the contract's.
func explained(err error) bool {
	for _, kind := range []error{
		persistence.ErrNotFound, persistence.ErrExists, persistence.ErrInvalid, persistence.ErrDenied, persistence.ErrFull, persistence.ErrUnavailable,
		persistence.ErrNoBucket, persistence.ErrCredentials, persistence.ErrClock, persistence.ErrRegion, persistence.ErrDamaged,
	} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// bare takes off what the client puts before errors of the network: the whole URL, with the names of what is looked for.
func bare(err error) error {
	var network *net.OpError
	if errors.As(err, &network) {
		return network
	}
	return err
}

func (b *Bucket) where() string {
	if b.o.Endpoint != "" {
		return b.o.Endpoint
	}
	return "Amazon S3"
}

func (b *Bucket) explainResponse(what string, response minio.ErrorResponse) error {
	said := fmt.Sprintf("%s says %s (%d %s)", b.where(), response.Error(), response.StatusCode, response.Code)
	m, known := meanings[response.Code]
	switch {
	case known:
	case response.StatusCode == http.StatusInsufficientStorage:
		m.kind = persistence.ErrFull
	case response.StatusCode == http.StatusForbidden, response.StatusCode == http.StatusUnauthorized:
		m = meanings[minio.AccessDenied]
	case response.StatusCode == http.StatusMovedPermanently:
		m = meanings["PermanentRedirect"]
	case response.StatusCode == http.StatusPreconditionFailed:
		m = meanings[minio.PreconditionFailed]
	case response.StatusCode == http.StatusBadRequest && response.Code == "400 Bad Request":
		m = meaning{persistence.ErrUnavailable, "if it speaks TLS, write https:// in endpoint"}
	default:
		m.kind = persistence.ErrUnavailable
	}
	switch {
	case errors.Is(m.kind, persistence.ErrNotFound), errors.Is(m.kind, persistence.ErrExists):
		return refusal{m.kind, response, fmt.Sprintf("%s: %v in %s", what, m.kind, b.Place())}
	case errors.Is(m.kind, persistence.ErrClock):
		said += b.skewed()
	case errors.Is(m.kind, persistence.ErrRegion) && response.Region != "":
		m.advice = "set region to " + response.Region
	case errors.Is(m.kind, persistence.ErrNoBucket):
		said += ", and the bucket is " + b.o.Bucket
	}
	if m.advice != "" {
		said += "; " + m.advice
	}
	return refusal{m.kind, response, fmt.Sprintf("%s: %v: %s", what, m.kind, said)}
}

// skewed says by how much the clocks differ, where the service's answers told.
func (b *Bucket) skewed() string {
	skew, known := b.wire.skew()
	if !known {
		return ""
	}
	word := "ahead of"
	if skew < 0 {
		word, skew = "behind", -skew
	}
	return fmt.Sprintf(", and this machine's clock is %v %s the service's", skew.Round(time.Second), word)
}
