package app

import (
	"larder/persistence"
	"larder/persistence/dir"
	"larder/persistence/s3"
)

// OpenStore gives the object store that settings name, encrypted if they say so. Nothing is asked of it yet; the caller closes it. It is what everyone is
// handed who gets settings and must not know of forms: an engine with a task, the operator's commands. Errors: persistence.ErrInvalid.
func OpenStore(s persistence.Settings) (persistence.Bucket, error) {
	place, err := persistence.ParsePlace(s[persistence.KeyPlace])
	if err != nil {
		return nil, err
	}
	encryption, err := persistence.EncryptionFrom(s)
	if err != nil {
		return nil, err
	}
	store, err := openForm(place.Scheme, s)
	if err != nil {
		return nil, err
	}
	if encryption == nil {
		return store, nil
	}
	return persistence.Encrypt(store, encryption), nil
}

func openForm(scheme string, s persistence.Settings) (persistence.Bucket, error) {
	if scheme == persistence.SchemeFile {
		o, err := dir.FromSettings(s)
		if err != nil {
			return nil, err
		}
		return dir.Open(o)
	}
	o, err := s3.FromSettings(s)
	if err != nil {
		return nil, err
	}
	return s3.Open(o)
}
