package persistence

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Schemes of a place.
const (
	SchemeFile = "file"
	SchemeS3   = "s3"
)

// Place is where an object store is, as users write it:
//
//	/var/backups/larder, ./backups or file:///var/backups/larder    a folder
//	s3://bucket/prefix?endpoint=https://host:9000&region=eu-1       an S3-compatible service; what may stand in the query s3.Options says
type Place struct {
	Scheme string
	Path   string // of a folder
	Bucket string
	Prefix string // without slashes at its ends
	Query  Settings
}

// ParsePlace reads a place. Secrets are refused in it, because places are shown. Errors: ErrInvalid.
func ParsePlace(text string) (Place, error) {
	scheme, _, isURL := strings.Cut(text, "://")
	begin, _, _ := strings.Cut(text, ":")
	switch {
	case text == "":
		return Place{}, fmt.Errorf("%s: %w: it is empty; give a folder, or s3://bucket/prefix", KeyPlace, ErrInvalid)
	case strings.ContainsRune(text, 0):
		return Place{}, fmt.Errorf("%s: %w: it has a zero byte", KeyPlace, ErrInvalid)
	case !isURL && begin != text && (begin == SchemeS3 || begin == SchemeFile):
		return Place{}, fmt.Errorf("%s: %w: %s: is followed by two slashes", KeyPlace, ErrInvalid, begin)
	case !isURL:
		return Place{Scheme: SchemeFile, Path: text}, nil
	case scheme != SchemeFile && scheme != SchemeS3:
		return Place{}, fmt.Errorf("%s: %w: there is no object store %.20q; give a folder, file:///folder or s3://bucket/prefix", KeyPlace, ErrInvalid, scheme+"://")
	}
	u, err := url.Parse(text)
	if err != nil { // the error repeats the text, which may have a password
		return Place{}, fmt.Errorf("%s: %w: this is no URL; write it as %s", KeyPlace, ErrInvalid, map[string]string{SchemeFile: "file:///folder", SchemeS3: "s3://bucket/prefix"}[scheme])
	}
	if u.User != nil {
		return Place{}, fmt.Errorf("%s: %w: it has a user or password before @; keys belong in the configuration, the environment or a file, where they are not shown", KeyPlace, ErrInvalid)
	}
	if u.Fragment != "" {
		return Place{}, fmt.Errorf("%s: %w: what stands behind # has no meaning here", KeyPlace, ErrInvalid)
	}
	if scheme == SchemeFile {
		return filePlace(u)
	}
	return s3Place(u)
}

func filePlace(u *url.URL) (Place, error) {
	switch {
	case u.Host != "" && u.Host != "localhost":
		return Place{}, fmt.Errorf("%s: %w: file://%s names another machine; write file:///folder, with three slashes", KeyPlace, ErrInvalid, u.Host)
	case u.RawQuery != "":
		return Place{}, fmt.Errorf("%s: %w: a folder has no settings behind a question mark", KeyPlace, ErrInvalid)
	case u.Path == "" || u.Path == "/":
		return Place{}, fmt.Errorf("%s: %w: file:// without a folder", KeyPlace, ErrInvalid)
	}
	return Place{Scheme: SchemeFile, Path: u.Path}, nil
}

func s3Place(u *url.URL) (Place, error) {
	p := Place{Scheme: SchemeS3, Bucket: u.Host, Prefix: strings.Trim(u.Path, "/")}
	if p.Bucket == "" {
		return Place{}, fmt.Errorf("%s: %w: s3:// without a bucket; write s3://bucket/prefix", KeyPlace, ErrInvalid)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Place{}, fmt.Errorf("%s: %w: what stands behind the question mark cannot be read: %v", KeyPlace, ErrInvalid, err)
	}
	for _, key := range slices.Sorted(maps.Keys(query)) {
		switch {
		case IsSecret(key):
			return Place{}, fmt.Errorf("%s: %w: %s is a secret and must not stand in a URL, which is shown; put it in the configuration, the environment or a file", KeyPlace, ErrInvalid, key)
		case len(query[key]) > 1:
			return Place{}, fmt.Errorf("%s: %w: %s stands there %d times", KeyPlace, ErrInvalid, key, len(query[key]))
		}
		if p.Query == nil {
			p.Query = Settings{}
		}
		p.Query[key] = query[key][0]
	}
	return p, nil
}

// String is the place as ParsePlace reads it.
func (p Place) String() string {
	if p.Scheme == SchemeFile {
		return p.Path
	}
	u := url.URL{Scheme: p.Scheme, Host: p.Bucket, Path: "/" + p.Prefix}
	if p.Prefix == "" {
		u.Path = ""
	}
	values := url.Values{}
	for key, value := range p.Query.shown() {
		values.Set(key, value)
	}
	u.RawQuery = strings.NewReplacer("%3A", ":", "%2F", "/").Replace(values.Encode()) // which a query may have as they are
	return u.String()
}
