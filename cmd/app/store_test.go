package app_test

import (
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"larder/cmd/app"
	"larder/persistence"
)

func TestOpenStore(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "store")
	for _, s := range []persistence.Settings{
		{"place": folder},
		{"place": "file://" + folder, "encrypt-to": "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"},
	} {
		b, err := app.OpenStore(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Check(t.Context()); err != nil || b.Place() != folder {
			t.Errorf("%s: %v", b.Place(), err)
		}
		name := "plain"
		if s["encrypt-to"] != "" {
			name = "sealed"
		}
		if o, err := b.Put(t.Context(), name, strings.NewReader("text"), nil); err != nil || o.Encrypted != (name == "sealed") {
			t.Errorf("%+v %v", o, err)
		}
		r, err := b.Get(t.Context(), "plain", 1)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(r); string(text) != "ext" || err != nil {
			t.Errorf("%q %v", text, err)
		}
		if err := errors.Join(r.Close(), b.Close()); err != nil {
			t.Error(err)
		}
	}
	b, err := app.OpenStore(persistence.Settings{"place": "s3://bucket/p?endpoint=http://127.0.0.1:1", "access-key": "a", "secret-key": "s"})
	if err != nil || b.Place() != "s3://bucket/p?endpoint=http://127.0.0.1:1" {
		t.Errorf("%v %v", b, err)
	}
	for _, s := range []persistence.Settings{
		nil,
		{"place": "ftp://a"},
		{"place": "/a", "region": "r"},
		{"place": "s3://bucket", "colour": "red"},
		{"place": "s3://bucket", "ca-file": "/not/there"},
		{"place": "/a", "encrypt-to": "x"},
	} {
		if b, err := app.OpenStore(s); !errors.Is(err, persistence.ErrInvalid) || b != nil {
			t.Errorf("%v: %v %v", s, b, err)
		}
	}
}
