package app

import (
	"fmt"
	"path/filepath"

	"larder/configs"
	"larder/persistence"
	"larder/persistence/dir"
	"larder/persistence/s3"
	"larder/persistence/snapshot"
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

// portable are settings as a node can use them, which may be on another machine: a folder's path is a whole one, and keys stand in them that this process finds in its
// environment or in files. What opens encrypted snapshots stays here.
func portable(s persistence.Settings) (persistence.Settings, error) {
	s, err := s.ForWriters()
	if err != nil {
		return nil, err
	}
	place, err := persistence.ParsePlace(s[persistence.KeyPlace])
	if err != nil {
		return nil, err
	}
	if place.Scheme == persistence.SchemeFile {
		s[persistence.KeyPlace], err = filepath.Abs(place.Path)
		return s, err
	}
	o, err := s3.FromSettings(s)
	if err == nil {
		o, err = o.Portable()
	}
	if err != nil {
		return nil, err
	}
	all := o.Settings()
	if to := s[persistence.KeyEncryptTo]; to != "" {
		all[persistence.KeyEncryptTo] = to
	}
	return all, nil
}

// storeSettings are those of the store that the configuration describes, at a place.
func storeSettings(c configs.Snapshots, place string) persistence.Settings {
	settings := persistence.Settings{persistence.KeyPlace: place}
	for key, value := range map[string]string{
		"access-key": c.AccessKey, "secret-key": c.SecretKey, persistence.KeyEncryptTo: c.EncryptTo, persistence.KeyIdentity: c.Identity,
	} {
		if value != "" {
			settings[key] = value
		}
	}
	return settings
}

// storeAt opens a store at another place, with the same keys.
func (p *process) storeAt(place string) (snapshot.Store, error) {
	bucket, err := OpenStore(storeSettings(p.config.Snapshots, place))
	if err != nil {
		return snapshot.Store{}, fmt.Errorf("snapshots: %w (snapshots.store)", err)
	}
	return snapshot.Store{Bucket: bucket}, nil
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
