package persistence_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"filippo.io/age"

	"larder/persistence"
)

// TestSecretsAreHidden prints what has secrets in every way there is.
func TestSecretsAreHidden(t *testing.T) {
	const word = "hush-hush"
	secret := persistence.NewSecret(word)
	type unseen struct {
		name   string
		secret persistence.Secret
	}
	all := []any{
		secret, &secret,
		unseen{"a", secret},
		&unseen{"a", secret},
		[]persistence.Secret{secret},
		map[string]persistence.Secret{"a": secret},
		struct{ S persistence.Settings }{persistence.Settings{"secret-key": word, "session-token": word, "region": "eu-1"}},
		persistence.Settings{"secret-key": word},
	}
	for _, one := range all {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
			fmt.Fprintf(&out, verb+"\n", one)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "a", one)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "a", one)
		text, err := json.Marshal(one)
		if err != nil {
			t.Error(err)
		}
		out.Write(text)
		fmt.Fprint(&out, fmt.Errorf("failed: %v", one))
		for _, form := range []string{word, fmt.Sprintf("%x", word), fmt.Sprintf("%X", word), "104 117 115"} {
			if strings.Contains(out.String(), form) {
				t.Errorf("%T shows the secret: %s", one, out.String())
			}
		}
	}
	if secret.Reveal() != word || persistence.NewSecret("").String() != "" || secret.String() == "" {
		t.Error("it cannot be told whether there is one")
	}
}

// TestSecretsComeBack: what was sealed has its secrets, what was printed is not taken for them.
func TestSecretsComeBack(t *testing.T) {
	s := persistence.Settings{"place": "s3://bucket", "secret-key": "hush", "region": "eu-1"}
	var back persistence.Settings
	if err := json.Unmarshal(s.Seal(), &back); err != nil || back["secret-key"] != "hush" || len(back) != 3 {
		t.Errorf("%v %v", err, back["secret-key"])
	}
	printed, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(printed, &back); !errors.Is(err, persistence.ErrInvalid) {
		t.Errorf("%s: %v", printed, err)
	}
	var secret persistence.Secret
	if err := secret.UnmarshalText([]byte(persistence.NewSecret("x").String())); !errors.Is(err, persistence.ErrInvalid) {
		t.Error(err)
	}
	if err := secret.UnmarshalText([]byte("x")); err != nil || secret.Reveal() != "x" {
		t.Error(err)
	}
}

func TestPlaces(t *testing.T) {
	for text, want := range map[string]string{
		"/var/backups":                   "file|/var/backups|||",
		"backups":                        "file|backups|||",
		"./a b":                          "file|./a b|||",
		"file:///var/backups":            "file|/var/backups|||",
		"file://localhost/var/a%20b":     "file|/var/a b|||",
		"s3://bucket":                    "s3||bucket||",
		"s3://bucket/":                   "s3||bucket||",
		"s3://bucket/a/b/":               "s3||bucket|a/b|",
		"s3://b/p?region=eu-1&sse=s3":    "s3||b|p|region=eu-1 sse=s3",
		"s3://b?endpoint=http://h:9000/": "s3||b||endpoint=http://h:9000/",
	} {
		p, err := persistence.ParsePlace(text)
		if got := fmt.Sprintf("%s|%s|%s|%s|%s", p.Scheme, p.Path, p.Bucket, p.Prefix, p.Query); err != nil || got != want {
			t.Errorf("%s: %s %v", text, got, err)
		}
		if again, err := persistence.ParsePlace(p.String()); err != nil || fmt.Sprint(again) != fmt.Sprint(p) {
			t.Errorf("%s: written as %s, read as %v, %v", text, p, again, err)
		}
	}
	for text, says := range map[string]string{
		"":                                  "empty",
		"a\x00b":                            "zero",
		"ftp://h/a":                         "ftp://",
		"S3://bucket":                       "S3://",
		"s3:/bucket":                        "two slashes",
		"file:/a":                           "two slashes",
		"file://host/a":                     "three slashes",
		"file://":                           "without a folder",
		"file:///a?b=c":                     "no settings",
		"s3://":                             "without a bucket",
		"s3:///a":                           "without a bucket",
		"s3://key:hush@bucket/a":            "user or password",
		"s3://bucket/a#b":                   "#",
		"s3://bucket?secret-key=hush":       "secret-key",
		"s3://bucket?session-token=hush":    "session-token",
		"s3://bucket?region=a&region=b":     "2 times",
		"s3://bucket?a=%zz":                 "question mark",
		"s3://buck et?secret-key=hush":      "no URL",
		"s3://key:hush@buck et/%zz":         "no URL",
		"s3://bucket?secret-key=hush;a=%zz": "question mark",
	} {
		_, err := persistence.ParsePlace(text)
		if !errors.Is(err, persistence.ErrInvalid) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hush") || !strings.HasPrefix(err.Error(), "place: ") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzPlace(f *testing.F) {
	for _, seed := range []string{"/a", "file:///a", "s3://b/p?region=eu-1&endpoint=https://h:1", "s3://k:s@b", "s3://b?secret-key=x", "s3:", "file://", "s3://[::1]/a", "%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := persistence.ParsePlace(text)
		if err != nil {
			if !errors.Is(err, persistence.ErrInvalid) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		again, err := persistence.ParsePlace(p.String())
		if err != nil || fmt.Sprint(again) != fmt.Sprint(p) {
			t.Errorf("%q: written as %q, read as %v, %v", text, p, again, err)
		}
	})
}

// FuzzName: a name that is taken can be kept by a file system and in a URL, whatever it is.
func FuzzName(f *testing.F) {
	for _, seed := range []string{"a", "a/b", "../a", "a//b", ".a", "a/.", "\xff", "a b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if persistence.CheckName(name) != nil {
			return
		}
		for part := range strings.SplitSeq(name, "/") {
			if part == "" || part[0] == '.' || len(part) > persistence.PartBytesMax || strings.ContainsAny(part, " \\%?#*:\x00\n") || strings.ToValidUTF8(part, "") != part {
				t.Errorf("%q is taken for a name", name)
			}
		}
		for i := range name {
			if err := persistence.CheckPrefix(name[:i]); err != nil {
				t.Errorf("%q is a name, and cannot begin with %q: %v", name, name[:i], err)
			}
		}
	})
}

func TestFill(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		r     io.Reader
		n     int
		ended bool
		err   error
	}{
		{strings.NewReader("abc"), 3, true, nil},
		{strings.NewReader("abcde"), 4, false, nil},
		{strings.NewReader(""), 0, true, nil},
		{iotest.OneByteReader(strings.NewReader("abcde")), 4, false, nil},
		{iotest.DataErrReader(strings.NewReader("abc")), 3, true, nil},
		{iotest.DataErrReader(io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken))), 3, false, broken},
		{io.MultiReader(strings.NewReader("a"), iotest.ErrReader(io.ErrUnexpectedEOF)), 1, false, io.ErrUnexpectedEOF},
		{iotest.ErrReader(fmt.Errorf("a %w", io.EOF)), 0, false, io.EOF},
		{silent{}, 0, false, persistence.SourceError{}},
		{boastful{}, 0, false, persistence.SourceError{}},
	} {
		n, ended, err := persistence.Fill(c.r, make([]byte, 4))
		var source persistence.SourceError
		var wrong bool
		if errors.As(c.err, &source) {
			wrong = !errors.As(err, &source)
		} else {
			wrong = !errors.Is(err, c.err)
		}
		if n != c.n || ended != c.ended || wrong {
			t.Errorf("%T: %d %v %v, want %+v", c.r, n, ended, err, c)
		}
	}
}

// silent gives nothing, for ever.
type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }

// boastful says that it gave more than there was room for.
type boastful struct{}

func (boastful) Read(p []byte) (int, error) { return len(p) + 1, nil }

// TestForWriters: what another process needs to put, and nothing that opens anything; recipients stand there themselves, since their file is not on every machine.
func TestForWriters(t *testing.T) {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	public := key.Recipient().String()
	file := filepath.Join(t.TempDir(), "recipients")
	if err := os.WriteFile(file, []byte("# ours\n"+public+"\n\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	given := persistence.Settings{"place": "/s", "secret-key": "hush", persistence.KeyEncryptTo: file + ", " + public, persistence.KeyIdentity: "/keys/mine"}
	got, err := given.ForWriters()
	if err != nil || got[persistence.KeyEncryptTo] != public+","+public || got[persistence.KeyIdentity] != "" || got["secret-key"] != "hush" || got["place"] != "/s" {
		t.Error(map[string]string(got), err)
	}
	if given[persistence.KeyIdentity] == "" {
		t.Error("what was given has changed")
	}
	if _, err := (persistence.Settings{persistence.KeyEncryptTo: "/nowhere"}).ForWriters(); !errors.Is(err, persistence.ErrInvalid) {
		t.Error(err)
	}
	if got, err := (persistence.Settings{"place": "/s"}).ForWriters(); err != nil || len(got) != 1 {
		t.Error(got, err)
	}
}
