package persistence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
)

// encryptedSuffix is what encrypted objects' names end with in the store, as files of age do.
const encryptedSuffix = ".age"

// Encryption has the keys: those to encrypt to, which may be known, and those that open what is encrypted, which must not lie in the store. A node that takes
// snapshots needs the first only.
type Encryption struct {
	recipients []age.Recipient
	identities []age.Identity
}

// EncryptionFrom reads the keys that settings name; nil if they name none. An identity alone opens what is encrypted, and Put then refuses. Errors: ErrInvalid.
func EncryptionFrom(s Settings) (*Encryption, error) {
	e := &Encryption{}
	for _, one := range listed(s[KeyEncryptTo]) {
		if isIdentity(one) {
			return nil, fmt.Errorf("%s: %w: it is a secret key; name its public key, which begins with age1", KeyEncryptTo, ErrInvalid)
		}
		found, err := recipients(one)
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %w", KeyEncryptTo, ErrInvalid, err)
		}
		e.recipients = append(e.recipients, found...)
	}
	for _, file := range listed(s[KeyIdentity]) {
		if isIdentity(file) {
			return nil, fmt.Errorf("%s: %w: it is a key itself; put it in a file that only its owner may read, and name the file", KeyIdentity, ErrInvalid)
		}
		found, err := identities(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %w", KeyIdentity, ErrInvalid, err)
		}
		e.identities = append(e.identities, found...)
	}
	if len(e.recipients)+len(e.identities) == 0 {
		return nil, nil //nolint:nilnil // no encryption is asked for
	}
	return e, nil
}

// isIdentity tells a key where a file's name belongs: it must not be repeated in an error.
func isIdentity(text string) bool { return strings.HasPrefix(strings.ToUpper(text), "AGE-SECRET-KEY-") }

// ForWriters are settings by which another process, maybe on another machine, can put what they say: recipients stand in them, not in files, and there is no key that
// opens anything. Errors: ErrInvalid.
func (s Settings) ForWriters() (Settings, error) {
	out := maps.Clone(s)
	delete(out, KeyIdentity)
	var all []string
	for _, one := range listed(s[KeyEncryptTo]) {
		if isRecipient(one) {
			all = append(all, one)
			continue
		}
		if _, err := recipients(one); err != nil {
			return nil, fmt.Errorf("%s: %w: %w", KeyEncryptTo, ErrInvalid, err)
		}
		text, err := os.ReadFile(one)
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %w", KeyEncryptTo, ErrInvalid, err)
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				all = append(all, line)
			}
		}
	}
	if out[KeyEncryptTo] = strings.Join(all, ","); len(all) == 0 {
		delete(out, KeyEncryptTo)
	}
	return out, nil
}

func isRecipient(one string) bool {
	return strings.HasPrefix(one, "age1") && !strings.ContainsRune(one, '/')
}

// listed is what stands between commas.
func listed(text string) []string {
	var out []string
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimSpace(one); one != "" {
			out = append(out, one)
		}
	}
	return out
}

// recipients are one by itself, or those in a file.
func recipients(one string) ([]age.Recipient, error) {
	if isRecipient(one) {
		found, err := age.ParseRecipients(strings.NewReader(one))
		if err != nil {
			return nil, fmt.Errorf("%.12s… is no recipient of age; age-keygen prints one as its public key: %w", one, err)
		}
		return found, nil
	}
	text, err := os.ReadFile(one)
	if err != nil {
		return nil, fmt.Errorf("it names recipients (age1…) or files of them: %w", err)
	}
	found, err := age.ParseRecipients(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("%s: a line of it is no recipient of age (age1…): %w", one, err)
	}
	return found, nil
}

func identities(file string) ([]age.Identity, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	found, err := age.ParseIdentities(bytes.NewReader(text))
	if err != nil { // the library's error does not repeat the line
		return nil, fmt.Errorf("%s has no identities of age as age-keygen writes them (AGE-SECRET-KEY-…, not behind a passphrase): %w", file, err)
	}
	return found, nil
}

// Encrypt gives a store whose objects are encrypted to e's recipients as files of age: `age -d -i KEY FILE` opens one. They have the suffix .age in the store,
// and not here. Objects that were there before, without it, are seen too and given as they are; List tells which is which. No name is in both forms.
//
// Get from an offset reads what is before it too. Bytes, and what Put tells, are of what lies in the store, a header and 16 bytes for each 64 KiB more than
// was put. Get also fails with ErrKey, and reading with ErrDamaged: nothing is given that was changed, but the end may turn out to be missing after all before
// it was given, so whoever reads acts on it only at io.EOF.
func Encrypt(store Bucket, e *Encryption) Bucket { return &encrypted{store, e} }

type encrypted struct {
	store Bucket
	e     *Encryption
}

func (b *encrypted) Place() string { return b.store.Place() }

func (b *encrypted) Close() error { return b.store.Close() }

// checkName refuses names that would be taken for others.
func (b *encrypted) checkName(name string) error {
	if strings.HasSuffix(name, encryptedSuffix) {
		return fmt.Errorf("object name %q: %w: %s at the end is what encrypted objects have in the store", name, ErrInvalid, encryptedSuffix)
	}
	if len(name) > NameBytesMax-len(encryptedSuffix) || len(name)-strings.LastIndexByte(name, '/')-1 > PartBytesMax-len(encryptedSuffix) {
		return fmt.Errorf("object name %.40q…: %w: it is too long to have %s behind it", name, ErrInvalid, encryptedSuffix)
	}
	return CheckName(name)
}

// Put encrypts what r gives.
func (b *encrypted) Put(ctx context.Context, name string, r io.Reader, told func(bytes int64)) (Object, error) {
	if err := b.checkName(name); err != nil {
		return Object{}, err
	}
	if len(b.e.recipients) == 0 {
		return Object{}, fmt.Errorf("put object %s: %w: nobody is named to encrypt it to; set %s", name, ErrKey, KeyEncryptTo)
	}
	switch _, err := b.store.Stat(ctx, name); {
	case err == nil:
		return Object{}, fmt.Errorf("put object %s: %w, not encrypted", name, ErrExists)
	case !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrNoBucket):
		return Object{}, err
	}
	sealed, err := age.EncryptReader(r, b.e.recipients...)
	if err != nil {
		return Object{}, fmt.Errorf("put object %s: encrypt it: %w: %w", name, ErrKey, err)
	}
	o, err := b.store.Put(ctx, name+encryptedSuffix, sealed, told)
	return shown(o), err
}

// shown is an object of the store as it is seen here.
func shown(o Object) Object {
	o.Name, o.Encrypted = strings.CutSuffix(o.Name, encryptedSuffix)
	return o
}

// Stat tells of one object.
func (b *encrypted) Stat(ctx context.Context, name string) (Object, error) {
	if err := b.checkName(name); err != nil {
		return Object{}, err
	}
	o, err := b.store.Stat(ctx, name+encryptedSuffix)
	if errors.Is(err, ErrNotFound) {
		o, err = b.store.Stat(ctx, name)
	}
	return shown(o), err
}

// Get opens what is encrypted.
func (b *encrypted) Get(ctx context.Context, name string, offset int64) (io.ReadCloser, error) {
	if err := b.checkName(name); err != nil {
		return nil, err
	}
	if offset < 0 {
		return nil, fmt.Errorf("get object %s: %w: the offset %d is below zero", name, ErrInvalid, offset)
	}
	sealed, err := b.store.Get(ctx, name+encryptedSuffix, 0)
	if errors.Is(err, ErrNotFound) {
		return b.store.Get(ctx, name, offset)
	}
	if err != nil {
		return nil, err
	}
	r := &opened{name: name, sealed: &remembering{r: sealed}, close: sealed}
	if err := r.open(b.e.identities); err != nil {
		return nil, errors.Join(err, sealed.Close())
	}
	if _, err := io.CopyN(io.Discard, r, offset); err != nil && err != io.EOF { //nolint:errorlint // an end before the offset leaves nothing to read
		return nil, errors.Join(err, sealed.Close())
	}
	return r, nil
}

// List gives the objects whose names begin with prefix, of both kinds.
func (b *encrypted) List(ctx context.Context, prefix string) ([]Object, error) {
	all, err := b.store.List(ctx, prefix)
	if err != nil {
		return nil, err
	}
	var found []Object
	for _, o := range all {
		if o = shown(o); strings.HasPrefix(o.Name, prefix) {
			found = append(found, o)
		}
	}
	slices.SortStableFunc(found, func(x, y Object) int { return strings.Compare(x.Name, y.Name) })
	return found, nil
}

// Delete removes an object of either kind.
func (b *encrypted) Delete(ctx context.Context, name string) error {
	if err := b.checkName(name); err != nil {
		return err
	}
	return errors.Join(b.store.Delete(ctx, name+encryptedSuffix), b.store.Delete(ctx, name))
}

// Check checks the store, and that the identities, if there are some, open what is encrypted to the recipients.
func (b *encrypted) Check(ctx context.Context) error {
	if len(b.e.recipients) > 0 && len(b.e.identities) > 0 {
		sealed, err := age.EncryptReader(strings.NewReader(""), b.e.recipients...)
		if err == nil {
			_, err = age.Decrypt(sealed, b.e.identities...)
		}
		if err != nil {
			return fmt.Errorf("check encryption: %w: what is encrypted to %s could not be read with %s; name the identity whose public key is among the recipients: %w",
				ErrKey, KeyEncryptTo, KeyIdentity, err)
		}
	}
	return b.store.Check(ctx)
}

// Sweep sweeps the store.
func (b *encrypted) Sweep(ctx context.Context, prefix string, before time.Time) (int, error) {
	return b.store.Sweep(ctx, prefix, before)
}

// opened is an encrypted object as it was put.
type opened struct {
	name   string
	sealed *remembering
	plain  io.Reader
	close  io.Closer
}

// remembering keeps the error of the store apart from what is made of it.
type remembering struct {
	r   io.Reader
	err error
}

func (r *remembering) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

func (r *opened) open(identities []age.Identity) error {
	if len(identities) == 0 {
		return fmt.Errorf("get object %s: %w: it is encrypted; name the file of the key in %s", r.name, ErrKey, KeyIdentity)
	}
	plain, err := age.Decrypt(r.sealed, identities...)
	var noMatch *age.NoIdentityMatchError
	switch {
	case err == nil:
		r.plain = plain
		return nil
	case r.sealed.err != nil:
		return r.sealed.err
	case errors.As(err, &noMatch):
		return fmt.Errorf("get object %s: %w: it is encrypted to others than the keys that %s names; name the file of one that it was encrypted to",
			r.name, ErrKey, KeyIdentity)
	}
	return fmt.Errorf("get object %s: %w: its beginning is not that of a file of age: %w", r.name, ErrDamaged, err)
}

func (r *opened) Read(p []byte) (int, error) {
	n, err := r.plain.Read(p)
	switch {
	case err == nil || err == io.EOF: // a reader's end is bare
		return n, err
	case r.sealed.err != nil:
		return n, r.sealed.err
	}
	return n, fmt.Errorf("read object %s: %w: it cannot be decrypted from here on: %w", r.name, ErrDamaged, err)
}

func (r *opened) Close() error { return r.close.Close() }
