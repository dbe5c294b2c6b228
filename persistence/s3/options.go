package s3

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"larder/persistence"
)

// Ways of server-side encryption.
const (
	SSENone = ""        // what the bucket does by default
	SSES3   = "s3"      // by keys of the service
	SSEKMS  = "aws:kms" // by a key of its key management
)

// Where credentials come from.
const (
	FromAnywhere    = ""            // the first of: given here, environment, file; on Amazon's own service also the role
	FromEnvironment = "environment" // AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
	FromFile        = "file"        // the file of the AWS tools
	FromRole        = "role"        // what the machine, the container or the service account may
	FromNowhere     = "anonymous"   // requests are not signed
)

// Limits and defaults.
const (
	partBytesDefault = 8 << 20
	partBytesMin     = 5 << 20   // the service's own limit, but for the last part
	partBytesMax     = 512 << 20 // each is held in memory until the service has it
	partsMax         = 10_000    // the service's own limit

	stallDefault    = time.Minute
	retryForDefault = 2 * time.Minute

	prefixBytesMax = 400 // a key has at most 1,024 bytes, a name 512
)

// Options of a bucket of an S3-compatible service. The comments name the keys that Settings have for them.
type Options struct {
	// Bucket and Prefix are where objects lie, from the place: s3://bucket/prefix. Other programs may use the bucket beside the prefix.
	Bucket, Prefix string
	// Endpoint ("endpoint") is the service: https://host or http://host:port. Empty: Amazon's, in the region.
	Endpoint string
	// Region ("region") is what requests are signed for. Empty: AWS_REGION or AWS_DEFAULT_REGION, else the service is asked, which needs the right
	// s3:GetBucketLocation.
	Region string
	// PathStyle ("path-style"): the bucket stands in the path, not before the host's name. Where an endpoint is given that is the default.
	PathStyle Choice
	// Credentials ("credentials") is one of From…; AccessKey, SecretKey and SessionToken ("access-key", "secret-key", "session-token") are given here.
	Credentials  string
	AccessKey    string
	SecretKey    persistence.Secret
	SessionToken persistence.Secret
	// CredentialsFile and Profile ("credentials-file", "profile") for FromFile. Empty: as the AWS tools, ~/.aws/credentials and default.
	CredentialsFile, Profile string
	// RoleEndpoint ("role-endpoint") is who is asked for the role's credentials. Empty: as the AWS tools, http://169.254.169.254.
	RoleEndpoint string
	// SSE ("sse") is one of SSE…; SSEKey ("sse-key") names the key of SSEKMS, empty: the service's default.
	SSE, SSEKey string
	// StorageClass ("storage-class") of objects, as the service calls it. Empty: its default.
	StorageClass string
	// PartBytes ("part-size") is how much is sent at once, and how much memory a Put takes. An object has at most 10,000 parts. 0: 8 MiB.
	PartBytes int64
	// Stall ("stall") is how long a connection may move no byte before it is given up and the request tried anew. 0: a minute.
	Stall time.Duration
	// RetryFor ("retry-for") is how long a request is tried again after failures that may pass. 0: two minutes.
	RetryFor time.Duration
	// CAFile ("ca-file") has certificates of authorities, in PEM, that are trusted beside the system's.
	CAFile string
}

// Choice is yes, no, or what is usual.
type Choice uint8

// Choices.
const (
	Usual Choice = iota
	Yes
	No
)

func (c Choice) String() string { return [...]string{"", "true", "false"}[c] }

// setting is one of the keys of Settings.
type setting struct {
	key string
	get func(o *Options) string
	set func(o *Options, text string) error
}

// textSetting is a setting that is a text.
func textSetting(key string, field func(o *Options) *string) setting {
	return setting{
		key, func(o *Options) string { return *field(o) },
		func(o *Options, text string) error { *field(o) = text; return nil },
	}
}

func secretSetting(key string, field func(o *Options) *persistence.Secret) setting {
	return setting{
		key, func(o *Options) string { return field(o).Reveal() },
		func(o *Options, text string) error { *field(o) = persistence.NewSecret(text); return nil },
	}
}

func durationSetting(key string, field func(o *Options) *time.Duration) setting {
	return setting{
		key, func(o *Options) string {
			if *field(o) == 0 {
				return ""
			}
			return field(o).String()
		},
		func(o *Options, text string) (err error) {
			if *field(o), err = time.ParseDuration(text); err != nil {
				return errors.New("it is no time; write 90s or 2m")
			}
			return nil
		},
	}
}

// settings are all keys but that of the place.
var settings = []setting{
	textSetting("endpoint", func(o *Options) *string { return &o.Endpoint }),
	textSetting("region", func(o *Options) *string { return &o.Region }),
	{"path-style", func(o *Options) string { return o.PathStyle.String() }, func(o *Options, text string) error { return o.PathStyle.parse(text) }},
	textSetting("credentials", func(o *Options) *string { return &o.Credentials }),
	textSetting("access-key", func(o *Options) *string { return &o.AccessKey }),
	secretSetting("secret-key", func(o *Options) *persistence.Secret { return &o.SecretKey }),
	secretSetting("session-token", func(o *Options) *persistence.Secret { return &o.SessionToken }),
	textSetting("credentials-file", func(o *Options) *string { return &o.CredentialsFile }),
	textSetting("profile", func(o *Options) *string { return &o.Profile }),
	textSetting("role-endpoint", func(o *Options) *string { return &o.RoleEndpoint }),
	textSetting("sse", func(o *Options) *string { return &o.SSE }),
	textSetting("sse-key", func(o *Options) *string { return &o.SSEKey }),
	textSetting("storage-class", func(o *Options) *string { return &o.StorageClass }),
	{"part-size", func(o *Options) string { return formatBytes(o.PartBytes) }, func(o *Options, text string) (err error) { o.PartBytes, err = parseBytes(text); return err }},
	durationSetting("stall", func(o *Options) *time.Duration { return &o.Stall }),
	durationSetting("retry-for", func(o *Options) *time.Duration { return &o.RetryFor }),
	textSetting("ca-file", func(o *Options) *string { return &o.CAFile }),
}

// wrong is an error about one key.
func wrong(key, what string, args ...any) error {
	return fmt.Errorf("%s: %w: %s", key, persistence.ErrInvalid, fmt.Sprintf(what, args...))
}

// FromSettings makes Options of settings; those in the place's query count too, unless they stand there on their own as well, with another value, which is an
// error. Keys of encryption are left to persistence.EncryptionFrom. Errors: ErrInvalid.
func FromSettings(s persistence.Settings) (Options, error) {
	place, err := persistence.ParsePlace(s[persistence.KeyPlace])
	if err != nil {
		return Options{}, err
	}
	if place.Scheme != persistence.SchemeS3 {
		return Options{}, wrong(persistence.KeyPlace, "%s is no s3://bucket/prefix", place)
	}
	o := Options{Bucket: place.Bucket, Prefix: place.Prefix}
	known := map[string]bool{persistence.KeyPlace: true, persistence.KeyEncryptTo: true, persistence.KeyIdentity: true}
	for _, one := range settings {
		known[one.key] = true
		text, queried := s[one.key], place.Query[one.key]
		if text == "" {
			text = queried
		} else if queried != "" && queried != text {
			return Options{}, wrong(one.key, "it is set, and stands in %s with another value; take out one of them", persistence.KeyPlace)
		}
		if text == "" {
			continue
		}
		if err := one.set(&o, text); err != nil {
			return Options{}, wrong(one.key, "%v", err)
		}
	}
	for _, given := range []persistence.Settings{s, place.Query} {
		for key, value := range given {
			if !known[key] && value != "" {
				return Options{}, wrong(key, "there is no such setting of an S3 service; there are %s", strings.Join(keys(), ", "))
			}
		}
	}
	return o, o.Validate()
}

func keys() []string {
	var out []string
	for _, one := range settings {
		out = append(out, one.key)
	}
	return out
}

// Settings are the options by keys, with their secrets: FromSettings gives the same options again.
func (o Options) Settings() persistence.Settings {
	place := persistence.Place{Scheme: persistence.SchemeS3, Bucket: o.Bucket, Prefix: o.Prefix}
	s := persistence.Settings{persistence.KeyPlace: place.String()}
	for _, one := range settings {
		if text := one.get(&o); text != "" {
			s[one.key] = text
		}
	}
	return s
}

// String is the options without secrets.
func (o Options) String() string { return o.Settings().String() }

// Format hides secrets from every verb.
func (o Options) Format(f fmt.State, verb rune) { o.Settings().Format(f, verb) }

// LogValue hides secrets from slog.
func (o Options) LogValue() slog.Value { return o.Settings().LogValue() }

// MarshalJSON hides secrets.
func (o Options) MarshalJSON() ([]byte, error) { return o.Settings().MarshalJSON() }

// Validate tells what is wrong with the options, by the key that a user knows. Errors: ErrInvalid.
func (o Options) Validate() error {
	if err := o.validatePlace(); err != nil {
		return err
	}
	if err := o.validateCredentials(); err != nil {
		return err
	}
	switch {
	case o.SSE != SSENone && o.SSE != SSES3 && o.SSE != SSEKMS:
		return wrong("sse", "%q; it is %s or %s, or empty for what the bucket does by itself", o.SSE, SSES3, SSEKMS)
	case o.SSEKey != "" && o.SSE != SSEKMS:
		return wrong("sse-key", "it means something with sse=%s only", SSEKMS)
	case o.PartBytes != 0 && (o.PartBytes < partBytesMin || o.PartBytes > partBytesMax):
		return wrong("part-size", "%s; it is from %s to %s", formatBytes(o.PartBytes), formatBytes(partBytesMin), formatBytes(partBytesMax))
	case o.Stall < 0:
		return wrong("stall", "it is below zero")
	case o.RetryFor < 0:
		return wrong("retry-for", "it is below zero")
	}
	return nil
}

func (o Options) validatePlace() error {
	if len(o.Bucket) < 3 || len(o.Bucket) > 63 || strings.Trim(o.Bucket, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" || strings.Contains(o.Bucket, "..") {
		return wrong(persistence.KeyPlace, "%q is no name of a bucket; those have 3 to 63 small letters, digits, points and -", o.Bucket)
	}
	if len(o.Prefix) > prefixBytesMax {
		return wrong(persistence.KeyPlace, "the prefix has %d bytes, at most %d are possible", len(o.Prefix), prefixBytesMax)
	}
	if o.Prefix != "" {
		if err := persistence.CheckName(o.Prefix); err != nil {
			return fmt.Errorf("%s: prefix: %w", persistence.KeyPlace, err)
		}
	}
	if o.Endpoint == "" {
		return nil
	}
	u, err := url.Parse(o.Endpoint)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return wrong("endpoint", "%q; write https://host or http://host:port", o.Endpoint)
	case u.User != nil:
		return wrong("endpoint", "it has a user or password; keys are access-key and secret-key")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return wrong("endpoint", "%q has more than a host; the bucket and the prefix stand in %s", o.Endpoint, persistence.KeyPlace)
	}
	return nil
}

func (o Options) validateCredentials() error {
	given := o.AccessKey != "" || o.SecretKey.Reveal() != "" || o.SessionToken.Reveal() != ""
	switch o.Credentials {
	case FromAnywhere:
	case FromEnvironment, FromFile, FromRole, FromNowhere:
		if given {
			return wrong("credentials", "they are to come from %q, and access-key, secret-key or session-token is set; take out one of them", o.Credentials)
		}
	default:
		return wrong("credentials", "%q; they come from %s, %s, %s or %s; leave it empty to take what there is", o.Credentials, FromEnvironment, FromFile, FromRole, FromNowhere)
	}
	switch {
	case given && o.AccessKey == "":
		return wrong("access-key", "secret-key or session-token is set without it")
	case given && o.SecretKey.Reveal() == "":
		return wrong("secret-key", "access-key is set without it")
	case o.CredentialsFile != "" && o.Credentials != FromFile && o.Credentials != FromAnywhere:
		return wrong("credentials-file", "it means something with credentials=%s only", FromFile)
	}
	return nil
}
