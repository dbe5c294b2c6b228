package s3

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"

	"larder/persistence"
)

// roleTimeout is how long whoever gives a role's credentials may take: where there is nobody, nothing refuses the connection.
const roleTimeout = 10 * time.Second

// source is a place where credentials may be.
type source struct {
	name string
	credentials.Provider
}

// sources takes the credentials of the first that has some, and stays with it.
type sources struct {
	all  []source
	used credentials.Provider
}

// credentialsError: no source has any.
type credentialsError struct{ text string }

func (e credentialsError) Error() string { return e.text }

var errNone = errors.New("none there")

// credentials are where the options say.
func (o Options) credentials() *credentials.Credentials {
	environment := source{"the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)", &credentials.EnvAWS{}}
	file := source{"the file of the AWS tools", &credentials.FileAWSCredentials{Filename: o.CredentialsFile, Profile: o.Profile}}
	if o.CredentialsFile != "" {
		file.name = o.CredentialsFile
	}
	role := source{"the role of this machine", &credentials.IAM{
		Client: &http.Client{Timeout: roleTimeout}, Endpoint: o.RoleEndpoint, Region: o.Region,
	}}
	var all []source
	switch {
	case o.AccessKey != "":
		return credentials.NewStaticV4(o.AccessKey, o.SecretKey.Reveal(), o.SessionToken.Reveal())
	case o.Credentials == FromNowhere:
		return credentials.NewStatic("", "", "", credentials.SignatureAnonymous)
	case o.Credentials == FromEnvironment:
		all = []source{environment}
	case o.Credentials == FromFile:
		all = []source{file}
	case o.Credentials == FromRole:
		all = []source{role}
	default:
		all = []source{environment, file}
		if o.Endpoint == "" || o.RoleEndpoint != "" { // elsewhere nobody gives roles, and finding that out takes long
			all = append(all, role)
		}
	}
	return credentials.New(&sources{all: all})
}

// Retrieve is what a provider has to have; the client calls RetrieveWithCredContext.
func (s *sources) Retrieve() (credentials.Value, error) { return s.RetrieveWithCredContext(nil) }

// RetrieveWithCredContext gives the credentials.
func (s *sources) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	var tried []string
	for _, one := range s.all {
		value, err := one.RetrieveWithCredContext(cc)
		if err == nil && (value.AccessKeyID == "" || value.SecretAccessKey == "") {
			err = errNone
		}
		if err == nil {
			s.used = one
			return value, nil
		}
		tried = append(tried, fmt.Sprintf("%s: %v", one.name, err))
	}
	return credentials.Value{}, credentialsError{"there are none; set access-key and secret-key, or credentials. Looked at " + strings.Join(tried, "; ")}
}

// IsExpired tells that new ones are needed.
func (s *sources) IsExpired() bool { return s.used == nil || s.used.IsExpired() }

// Portable are the options as a process on another machine can use them: keys that this one finds in its environment or in a file stand in them. What a role gives
// is for each machine to ask itself. Errors: persistence.ErrCredentials.
func (o Options) Portable() (Options, error) {
	if o.AccessKey != "" || o.Credentials == FromNowhere || o.Credentials == FromRole {
		return o, nil
	}
	value, err := o.credentials().GetWithContext(nil)
	if err != nil {
		return o, fmt.Errorf("keys of the object store: %w: %w", persistence.ErrCredentials, err)
	}
	if value.Expiration.IsZero() {
		o.AccessKey, o.SecretKey, o.SessionToken = value.AccessKeyID, persistence.NewSecret(value.SecretAccessKey), persistence.NewSecret(value.SessionToken)
		o.Credentials, o.CredentialsFile, o.Profile = FromAnywhere, "", ""
	}
	return o, nil
}
