package s3_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"larder/internal/buckettest"
	"larder/internal/peers"
	"larder/persistence"
	"larder/persistence/s3"
)

func TestOptions(t *testing.T) {
	o, err := s3.FromSettings(persistence.Settings{
		"place": "s3://bucket/pre/fix?region=eu-1&endpoint=http://h:9000&part-size=8mb", "access-key": "A", "secret-key": "S", "session-token": "T",
		"path-style": "false", "sse": "aws:kms", "sse-key": "K", "stall": "10s", "retry-for": "1m30s", "storage-class": "STANDARD_IA", "region": "eu-1",
		"encrypt-to": "age1", "identity": "",
	})
	want := s3.Options{
		Bucket: "bucket", Prefix: "pre/fix", Region: "eu-1", Endpoint: "http://h:9000", PartBytes: 8 << 20, AccessKey: "A", SecretKey: o.SecretKey,
		SessionToken: o.SessionToken, PathStyle: s3.No, SSE: s3.SSEKMS, SSEKey: "K", Stall: 10 * time.Second, RetryFor: 90 * time.Second, StorageClass: "STANDARD_IA",
	}
	if err != nil || o != want || o.SecretKey.Reveal() != "S" || o.SessionToken.Reveal() != "T" {
		t.Errorf("%v %v", o, err)
	}
}

// TestSettingsOfOptions fills every field, so that none is forgotten on the way to another process.
func TestSettingsOfOptions(t *testing.T) {
	o := s3.Options{
		Bucket: "bucket", Prefix: "p", Endpoint: "https://h", Region: "r", PathStyle: s3.Yes, Credentials: s3.FromAnywhere, AccessKey: "A",
		SecretKey: persistence.NewSecret("S"), SessionToken: persistence.NewSecret("T"), CredentialsFile: "f", Profile: "p", RoleEndpoint: "http://e",
		SSE: s3.SSEKMS, SSEKey: "k", StorageClass: "c", PartBytes: 6<<20 + 1, Stall: time.Second, RetryFor: time.Minute, CAFile: "ca",
	}
	for i := range reflect.TypeFor[s3.Options]().NumField() {
		if field := reflect.TypeFor[s3.Options]().Field(i); reflect.ValueOf(o).Field(i).IsZero() && field.Name != "Credentials" {
			t.Errorf("the test does not set %s", field.Name)
		}
	}
	var sent persistence.Settings
	if err := json.Unmarshal(o.Settings().Seal(), &sent); err != nil {
		t.Fatal(err)
	}
	back, err := s3.FromSettings(sent)
	if err != nil || back.SecretKey.Reveal() != "S" || back.SessionToken.Reveal() != "T" {
		t.Fatalf("%v %v", back, err)
	}
	if back.SecretKey, back.SessionToken = o.SecretKey, o.SessionToken; back != o {
		t.Errorf("sent %v, got %v", o, back)
	}
	roles := s3.Options{Bucket: "bucket", Credentials: s3.FromRole}
	if back, err := s3.FromSettings(roles.Settings()); err != nil || back != roles {
		t.Errorf("%v %v", back, err)
	}
}

// TestPage: docs/objectstores.md has every setting, and no other.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/objectstores.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "|---|")
	table, _, _ = strings.Cut(table, "\n\n")
	documented := map[string]bool{}
	for line := range strings.SplitSeq(table, "\n") {
		if cells := strings.Split(line, "|"); len(cells) > 1 {
			for key := range strings.SplitSeq(cells[1], ",") {
				documented[strings.Trim(key, " `")] = true
			}
		}
	}
	_, err = s3.FromSettings(persistence.Settings{"place": "s3://bucket", "no-such": "x"})
	_, known, _ := strings.Cut(err.Error(), "there are ")
	for key := range strings.SplitSeq(known, ", ") {
		if !documented[key] {
			t.Errorf("the page does not have %s", key)
		}
		delete(documented, key)
	}
	delete(documented, "---")
	delete(documented, "")
	if len(documented) > 0 {
		t.Errorf("the page has settings that there are not: %v", documented)
	}
}

func TestOptionsHideSecrets(t *testing.T) {
	o := s3.Options{Bucket: "bucket", AccessKey: "A", SecretKey: persistence.NewSecret("hush"), SessionToken: persistence.NewSecret("hush")}
	var out bytes.Buffer
	for _, one := range []any{o, &o, []s3.Options{o}, struct{ o s3.Options }{o}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", one)
		}
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "o", one)
		text, err := json.Marshal(one)
		if err != nil {
			t.Error(err)
		}
		out.Write(text)
	}
	if strings.Contains(out.String(), "hush") || strings.Contains(out.String(), "68757368") || !strings.Contains(out.String(), "hidden") {
		t.Error(out.String())
	}
}

func TestWrongOptions(t *testing.T) {
	for _, c := range []struct{ settings, says string }{
		{"place=/a", "place: "},
		{"place=s3://ab", "place: "},
		{"place=s3://Bucket", "place: "},
		{"place=s3://a_bucket", "place: "},
		{"place=s3://bucket/a//b", "place: "},
		{"place=s3://bucket/.a", "place: "},
		{"place=s3://bucket/" + strings.Repeat("abc/", 101), "place: "},
		{"endpoint=host:9000", "endpoint: "},
		{"endpoint=ftp://host", "endpoint: "},
		{"endpoint=https://key:hush@host", "endpoint: "},
		{"endpoint=https://host/bucket", "endpoint: "},
		{"endpoint=https://", "endpoint: "},
		{"path-style=maybe", "path-style: "},
		{"access-key=A", "secret-key: "},
		{"secret-key=hush", "access-key: "},
		{"session-token=hush", "access-key: "},
		{"access-key=A secret-key=hush credentials=role", "credentials: "},
		{"credentials=somewhere", "credentials: "},
		{"credentials=role credentials-file=f", "credentials-file: "},
		{"sse=aes", "sse: "},
		{"sse-key=k", "sse-key: "},
		{"sse=s3 sse-key=k", "sse-key: "},
		{"part-size=1mb", "part-size: "},
		{"part-size=1gb", "part-size: "},
		{"part-size=-5", "part-size: "},
		{"part-size=9223372036854775807gb", "part-size: "},
		{"part-size=big", "part-size: "},
		{"stall=10", "stall: "},
		{"stall=-1s", "stall: "},
		{"retry-for=-1s", "retry-for: "},
		{"ca-file=/not/there", "ca-file: "},
		{"bucket=b", "bucket: "},
		{"place=s3://bucket?acces-key=A", "acces-key: "},
		{"place=s3://bucket?region=a region=b", "region: "},
	} {
		s := persistence.Settings{"place": "s3://bucket"}
		for one := range strings.SplitSeq(c.settings, " ") {
			key, value, _ := strings.Cut(one, "=")
			s[key] = value
		}
		o, err := s3.FromSettings(s)
		if err == nil {
			_, err = s3.Open(o)
		}
		if !errors.Is(err, persistence.ErrInvalid) || !strings.HasPrefix(err.Error(), c.says) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", c.settings, err)
		}
	}
	if _, err := s3.Open(s3.Options{}); !errors.Is(err, persistence.ErrInvalid) {
		t.Error(err)
	}
}

// TestCredentials takes the keys from everywhere they can come from.
func TestCredentials(t *testing.T) {
	v := peers.StartVersitygw(t)
	p := newPlace(t, v)
	file := filepath.Join(t.TempDir(), "credentials")
	text := fmt.Sprintf("[default]\naws_access_key_id = nobody\naws_secret_access_key = nothing\n[ours]\naws_access_key_id = %s\naws_secret_access_key = %s\n",
		peers.VersitygwAccessKey, peers.VersitygwSecretKey)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	role := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // as machines of Amazon's have it
		switch {
		case r.Method == http.MethodPut:
			_, _ = io.WriteString(w, "token")
		case strings.HasSuffix(r.URL.Path, "/"):
			_, _ = io.WriteString(w, "the-role")
		default:
			fmt.Fprintf(w, `{"Code":"Success","AccessKeyId":%q,"SecretAccessKey":%q,"Token":"","Expiration":%q}`,
				peers.VersitygwAccessKey, peers.VersitygwSecretKey, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
		}
	}))
	defer role.Close()
	check := func(what string, want error, change func(o *s3.Options)) {
		t.Helper()
		o := p.options("http://" + v.Addr)
		o.AccessKey, o.SecretKey = "", persistence.Secret{}
		change(&o)
		buckettest.Want(t, what, open(t, o).Check(t.Context()), want)
	}
	t.Setenv("HOME", t.TempDir())
	none := func(*s3.Options) {}
	check("nothing anywhere", persistence.ErrCredentials, none)
	check("nothing in the environment", persistence.ErrCredentials, func(o *s3.Options) { o.Credentials = s3.FromEnvironment })
	check("no file", persistence.ErrCredentials, func(o *s3.Options) { o.Credentials = s3.FromFile })
	check("without keys", persistence.ErrDenied, func(o *s3.Options) { o.Credentials = s3.FromNowhere })
	check("a file", nil, func(o *s3.Options) { o.Credentials, o.CredentialsFile, o.Profile = s3.FromFile, file, "ours" })
	check("a file, as one of all", nil, func(o *s3.Options) { o.CredentialsFile, o.Profile = file, "ours" })
	check("another profile", persistence.ErrCredentials, func(o *s3.Options) { o.CredentialsFile = file })
	check("a role", nil, func(o *s3.Options) { o.Credentials, o.RoleEndpoint = s3.FromRole, role.URL })
	check("nobody who knows of roles", persistence.ErrCredentials, func(o *s3.Options) { o.Credentials, o.RoleEndpoint = s3.FromRole, "http://127.0.0.1:1" })
	t.Setenv("AWS_ACCESS_KEY_ID", peers.VersitygwAccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", peers.VersitygwSecretKey)
	check("the environment", nil, func(o *s3.Options) { o.Credentials = s3.FromEnvironment })
	check("the environment, as one of all", nil, none)
	t.Setenv("AWS_REGION", "eu-9")
	check("the environment's region", persistence.ErrRegion, func(o *s3.Options) { o.Region = "" })
	t.Setenv("AWS_REGION", "")
	check("the region that the service tells", nil, func(o *s3.Options) { o.Region = "" })
}

// TestPortable: keys that this machine finds stand in what another one is given; what a role gives is its own to ask.
func TestPortable(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	o := s3.Options{Bucket: "bucket", Endpoint: "http://127.0.0.1:1"}
	if _, err := o.Portable(); !errors.Is(err, persistence.ErrCredentials) {
		t.Error(err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "of-the-environment")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "hush")
	for _, from := range []string{s3.FromAnywhere, s3.FromEnvironment} {
		o.Credentials = from
		got, err := o.Portable()
		if err != nil || got.AccessKey != "of-the-environment" || got.SecretKey.Reveal() != "hush" {
			t.Error(got, err)
		}
		if again, err := s3.FromSettings(got.Settings()); err != nil || again.AccessKey != got.AccessKey {
			t.Error(again, err)
		}
	}
	for _, same := range []s3.Options{
		{Bucket: "bucket", Credentials: s3.FromRole},
		{Bucket: "bucket", Credentials: s3.FromNowhere},
		{Bucket: "bucket", AccessKey: "given", SecretKey: persistence.NewSecret("x")},
	} {
		if got, err := same.Portable(); err != nil || got.AccessKey != same.AccessKey {
			t.Error(got, err)
		}
	}
}
