package remote_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"larder/backends/remote"
)

func TestParse(t *testing.T) {
	all := remote.AllDBs
	for text, want := range map[string]remote.Address{
		"redis://cache":                  {Hosts: []string{"cache:6379"}, DB: all},
		"redis://cache:7000/3":           {Hosts: []string{"cache:7000"}, DB: 3},
		"redis://cache/":                 {Hosts: []string{"cache:6379"}, DB: all},
		"redis://[::1]":                  {Hosts: []string{"[::1]:6379"}, DB: all},
		"redis://[::1]:1/0":              {Hosts: []string{"[::1]:1"}, DB: 0},
		"redis://:secret@cache":          {Hosts: []string{"cache:6379"}, DB: all, Login: remote.Login{Password: "secret"}},
		"redis://me:se%40cr@et@cache":    {Hosts: []string{"cache:6379"}, DB: all, Login: remote.Login{User: "me", Password: "se@cr@et"}},
		"rediss://cache?insecure=yes":    {Hosts: []string{"cache:6379"}, DB: all, TLS: true, Insecure: true},
		"rediss://c?ca=a&server-name=n":  {Hosts: []string{"c:6379"}, DB: all, TLS: true, CA: "a", ServerName: "n"},
		"redis+cluster://a:1,b:2":        {Kind: remote.Cluster, Hosts: []string{"a:1", "b:2"}, DB: all},
		"rediss+cluster://a/0":           {Kind: remote.Cluster, Hosts: []string{"a:6379"}, TLS: true},
		"redis+sentinel://a,b:2/main":    {Kind: remote.Sentinel, Hosts: []string{"a:26379", "b:2"}, Master: "main", DB: all},
		"redis+sentinel://u:p@a/main/15": {Kind: remote.Sentinel, Hosts: []string{"a:26379"}, Master: "main", DB: 15, Login: remote.Login{User: "u", Password: "p"}},
		"redis+sentinel://a/m?sentinel-password=x": {
			Kind: remote.Sentinel, Hosts: []string{"a:26379"}, Master: "m", DB: all, SentinelLogin: remote.Login{Password: "x"},
		},
	} {
		if got, err := remote.Parse(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v %v, want %+v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"cache:6379":              "it has no ://",
		"http://cache":            `"http" is neither`,
		"redis+ring://cache":      `"ring" behind the +`,
		"redis://":                "a host is missing",
		"redis://a,":              "a host is missing",
		"redis://a,b":             "it names 2 hosts",
		"redis://a:0":             `"a:0" is no HOST:PORT`,
		"redis://a:port":          "is no HOST:PORT",
		"redis://a/x":             `"x" behind the last / is no number`,
		"redis://a/-1":            "is no number",
		"redis://a/99999999":      "is no number",
		"redis+cluster://a/1":     "has no database 1",
		"redis+sentinel://a":      "the name that they know",
		"redis://a?ca=x":          "is not rediss://",
		"rediss://a?colour=green": `"colour" behind the ? is not known`,
		"redis://u:100%@a":        "write %25",
	} {
		if _, err := remote.Parse(text); !errors.Is(err, remote.ErrAddress) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// TestNoPasswordIsShown: neither an address nor an error has it.
func TestNoPasswordIsShown(t *testing.T) {
	for _, text := range []string{"redis://me:hush@cache:1/2", "redis+sentinel://me:hush@a,b/main?sentinel-password=hush", "rediss+cluster://:hush@a"} {
		a, err := remote.Parse(text)
		if err != nil || strings.Contains(a.String(), "hush") || !strings.Contains(a.String(), a.Hosts[0]) {
			t.Errorf("%s: %s %v", text, a, err)
		}
		if again, err := remote.Parse(a.String()); err != nil || !reflect.DeepEqual(again.Hosts, a.Hosts) || again.DB != a.DB || again.Kind != a.Kind {
			t.Errorf("%s is read as %+v, was %+v", a, again, a)
		}
	}
	for _, text := range []string{"redis://me:hush@cache:x", "redis://me:hush%@cache", "redis+x://:hush@cache", "redis://:hush@cache/x"} {
		if _, err := remote.Parse(text); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"redis://u:p@h:1/2", "redis+sentinel://a,b/m/1?sentinel-user=x", "rediss+cluster://[::1]:3,c?insecure=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := remote.Parse(text)
		if err != nil {
			return
		}
		again, err := remote.Parse(a.String())
		if err != nil || !reflect.DeepEqual(again.Hosts, a.Hosts) || again.DB != a.DB || again.Kind != a.Kind || again.Master != a.Master || again.TLS != a.TLS {
			t.Fatalf("%q is %+v, shown as %q, which is %+v %v", text, a, a, again, err)
		}
	})
}
