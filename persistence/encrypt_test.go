package persistence_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"larder/internal/buckettest"
	"larder/persistence"
	"larder/persistence/dir"
)

// key makes an identity in a file and gives the file and the recipient.
func key(t *testing.T) (file, recipient string) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "key.txt")
	if err := os.WriteFile(file, []byte("# a comment\n"+id.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, id.Recipient().String()
}

// folder is an empty store, its path, and what lies beside objects in it.
func folder(t *testing.T) (persistence.Bucket, string, func() []string) {
	t.Helper()
	path := t.TempDir()
	b, err := dir.Open(dir.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return b, path, func() []string {
		var out []string
		for _, pattern := range []string{".put-*", "*/.put-*", "*/*/.put-*"} {
			found, _ := filepath.Glob(filepath.Join(path, pattern))
			out = append(out, found...)
		}
		return out
	}
}

func encrypt(t *testing.T, b persistence.Bucket, s persistence.Settings) persistence.Bucket {
	t.Helper()
	e, err := persistence.EncryptionFrom(s)
	if err != nil {
		t.Fatal(err)
	}
	return persistence.Encrypt(b, e)
}

func TestEncryptedSuite(t *testing.T) {
	file, recipient := key(t)
	buckettest.Run(t, buckettest.Form{PartBytes: 1 << 20, Encrypted: true, Open: func(t *testing.T) buckettest.Place {
		b, path, left := folder(t)
		return buckettest.Place{
			Bucket: encrypt(t, b, persistence.Settings{"encrypt-to": recipient, "identity": file}),
			Left:   left,
			Abandon: func(name string) {
				at := filepath.Join(path, filepath.Dir(name))
				if err := os.MkdirAll(at, 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(at, ".put-"+filepath.Base(name)+".age.ABC"), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			},
		}
	}})
}

// TestWithoutTheKey: a store whose key is elsewhere is written to, and cannot be read; with another key neither.
func TestWithoutTheKey(t *testing.T) {
	store, path, _ := folder(t)
	file, recipient := key(t)
	other, otherRecipient := key(t)
	text := bytes.Repeat([]byte("a secret of the users; "), 1000)
	writer := encrypt(t, store, persistence.Settings{"encrypt-to": recipient + ", " + otherRecipient})
	if _, err := writer.Put(t.Context(), "s/for-both", bytes.NewReader(text), nil); err != nil {
		t.Fatal(err)
	}
	writer = encrypt(t, store, persistence.Settings{"encrypt-to": recipient})
	if _, err := writer.Put(t.Context(), "s/for-one", bytes.NewReader(text), nil); err != nil {
		t.Fatal(err)
	}
	if kept, err := os.ReadFile(filepath.Join(path, "s/for-one.age")); err != nil || bytes.Contains(kept, []byte("secret")) || !bytes.HasPrefix(kept, []byte("age-encryption.org/v1\n")) {
		t.Errorf("in the store lies %.60q, %v", kept, err)
	}
	_, err := writer.Get(t.Context(), "s/for-one", 0)
	buckettest.Want(t, "get without a key", err, persistence.ErrKey)
	if !strings.Contains(err.Error(), "identity") || !strings.Contains(err.Error(), "s/for-one") {
		t.Error(err)
	}
	wrong := encrypt(t, store, persistence.Settings{"identity": other})
	_, err = wrong.Get(t.Context(), "s/for-one", 0)
	buckettest.Want(t, "get with another's key", err, persistence.ErrKey)
	buckettest.Holds(t, wrong, "s/for-both", text)
	right := encrypt(t, store, persistence.Settings{"identity": other + "," + file})
	buckettest.Holds(t, right, "s/for-one", text)
	_, err = right.Put(t.Context(), "x", bytes.NewReader(nil), nil)
	buckettest.Want(t, "put without a recipient", err, persistence.ErrKey)

	buckettest.Want(t, "check", right.Check(t.Context()), nil)
	buckettest.Want(t, "check", writer.Check(t.Context()), nil)
	buckettest.Want(t, "check of keys that do not fit", encrypt(t, store, persistence.Settings{"encrypt-to": recipient, "identity": other}).Check(t.Context()), persistence.ErrKey)
}

// TestDamagedIsRefused: whatever byte is changed or missing, nothing wrong is given, and the end is an error.
func TestDamagedIsRefused(t *testing.T) {
	store, path, _ := folder(t)
	file, recipient := key(t)
	b := encrypt(t, store, persistence.Settings{"encrypt-to": recipient, "identity": file})
	data := buckettest.Content(150_000)
	if _, err := b.Put(t.Context(), "x", bytes.NewReader(data), nil); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(path, "x.age"))
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string, kept []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(path, "x.age"), kept, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := b.Get(t.Context(), "x", 0)
		var got []byte
		if err == nil {
			got, err = io.ReadAll(r)
			_ = r.Close()
		}
		if !errors.Is(err, persistence.ErrDamaged) && !errors.Is(err, persistence.ErrKey) || !bytes.HasPrefix(data, got) {
			t.Errorf("%s: %d bytes, %v", what, len(got), err)
		}
	}
	for _, at := range []int{0, 30, 80, 120, 190, 200, 300, 70_000, len(whole) - 1} {
		changed := bytes.Clone(whole)
		changed[at] ^= 1
		refused("a byte is changed", changed)
		refused("it is cut off", whole[:at])
	}
	refused("there is more", append(bytes.Clone(whole), 0))
	refused("something else", []byte("REDIS0011"))
}

// TestBoth: a store in which there are objects from before it was encrypted.
func TestBoth(t *testing.T) {
	store, _, _ := folder(t)
	file, recipient := key(t)
	b := encrypt(t, store, persistence.Settings{"encrypt-to": recipient, "identity": file})
	if _, err := store.Put(t.Context(), "s/old", strings.NewReader("plain"), nil); err != nil {
		t.Fatal(err)
	}
	_, err := b.Put(t.Context(), "s/old", strings.NewReader("new"), nil)
	buckettest.Want(t, "put over a plain one", err, persistence.ErrExists)
	if _, err := b.Put(t.Context(), "s/new", strings.NewReader("sealed"), nil); err != nil {
		t.Fatal(err)
	}
	buckettest.Holds(t, b, "s/old", []byte("plain"))
	found, err := b.List(t.Context(), "s/")
	if err != nil || len(found) != 2 || found[0].Name != "s/new" || !found[0].Encrypted || found[1].Name != "s/old" || found[1].Encrypted {
		t.Errorf("%+v %v", found, err)
	}
	if found, err := store.List(t.Context(), "s/new."); err != nil || len(found) != 1 || found[0].Name != "s/new.age" || found[0].Encrypted {
		t.Errorf("%+v %v", found, err)
	}
	_, err = b.Put(t.Context(), "s/x.age", strings.NewReader(""), nil)
	buckettest.Want(t, "put a name that is another's", err, persistence.ErrInvalid)
	buckettest.Want(t, "delete", b.Delete(t.Context(), "s/old"), nil)
	_, err = b.Stat(t.Context(), "s/old")
	buckettest.Want(t, "stat", err, persistence.ErrNotFound)
}

func TestKeys(t *testing.T) {
	file, recipient := key(t)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	secret := strings.TrimSpace(strings.TrimPrefix(string(text), "# a comment\n"))
	wrong := filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(wrong, []byte("AGE-SECRET-KEY-1XYZWRONG\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	recipients := filepath.Join(t.TempDir(), "recipients")
	if err := os.WriteFile(recipients, []byte("# ours\n"+recipient+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]string{"encrypt-to": recipients, "identity": file} {
		if e, err := persistence.EncryptionFrom(persistence.Settings{key: value}); err != nil || e == nil {
			t.Errorf("%s=%s: %v", key, value, err)
		}
	}
	if e, err := persistence.EncryptionFrom(persistence.Settings{"place": "/a"}); e != nil || err != nil {
		t.Errorf("%v %v", e, err)
	}
	for _, s := range []persistence.Settings{
		{"encrypt-to": "age1xyz"},
		{"encrypt-to": "/not/there"},
		{"encrypt-to": file},
		{"encrypt-to": secret},
		{"identity": secret},
		{"identity": wrong},
		{"identity": "/not/there"},
		{"identity": recipients},
	} {
		_, err := persistence.EncryptionFrom(s)
		if !errors.Is(err, persistence.ErrInvalid) || strings.Contains(err.Error(), secret[20:]) || strings.Contains(err.Error(), "XYZWRONG") {
			t.Errorf("%v: %v", s, err)
		}
		for key := range s {
			if err != nil && !strings.HasPrefix(err.Error(), key+": ") {
				t.Errorf("%v: the key is not named: %v", s, err)
			}
		}
	}
}
