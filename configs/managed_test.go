package configs

import (
	"maps"
	"strings"
	"testing"

	"larder/control/config"
)

// TestManaged: what may stand in the registry is read from a file's form in either writing, and anything else is refused in words that say why.
func TestManaged(t *testing.T) {
	m := Managed{}
	want := config.Values{"gateway.idle-timeout": "5m", "gateway.upstream.dial-timeout": "2s", "access.allow": "10.0.0.0/8,::1"}
	for _, text := range []string{
		"gateway:\n  idle-timeout: 300s\n  upstream: {dial-timeout: 2s}\naccess: {allow: [10.0.0.0/8, '::1']}\n",
		`{"gateway.idle-timeout": "5m", "gateway.upstream.dial-timeout": "2000ms", "access.allow": "10.0.0.0/8, ::1"}`,
		string(m.Format(want)),
	} {
		if got, err := m.Parse("kept", []byte(text)); err != nil || !maps.Equal(got, want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	if got, err := m.Parse("kept", m.Format(nil)); err != nil || len(got) != 0 {
		t.Errorf("nothing: %v, %v", got, err)
	}
	for text, says := range map[string]string{
		"gateway.password: hush":                            "kept:1: gateway.password: it is a secret",
		"\ngateway: {listen: ':1'}":                         "kept:2: gateway.listen: it is each gateway's own",
		"engine.maxmemory: 1gb":                             "it is no setting of gateways",
		"gateway.idle-timeuot: 1s":                          "do you mean gateway.idle-timeout?",
		"gateway.pending-max: 1":                            "gateway.pending-max: pending max is 1: must be at least 2",
		"gateway.pending-max: [1":                           "kept",
		"{gateway.pending-max: x, gateway.idle-timeout: y}": "gateway.pending-max \"x\"",
		"access.allow: 10.0.0.0/99":                         "CIDR",
	} {
		if _, err := m.Parse("kept", []byte(text)); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
	for _, s := range m.Settings() {
		if _, err := m.Check(config.Values{s.Key: s.Default}); err != nil {
			t.Errorf("%s: its default is refused: %v", s.Key, err)
		}
	}
}

// TestOver: the registry goes before file and environment and behind the command line; what it says may be wrong together with what the process was told.
func TestOver(t *testing.T) {
	file := "gateway: {idle-timeout: 1s, pending-max: 10, upstream: {backoff-max: 1s}}\n"
	env := map[string]string{"LARDER_GATEWAY_MULTI_MAX": "1mb"}
	base, err := load(t, RoleDev, file, env, "--allow", "10.0.0.0/8", "--loops", "2")
	if err != nil {
		t.Fatal(err)
	}
	values := config.Values{"gateway.idle-timeout": "2s", "gateway.multi-max": "2mb", "access.allow": "127.0.0.1", "gateway.databases": "3", "gateway.loops": "9"}
	next, err := base.Over(values, "version 7")
	if err != nil {
		t.Fatal(err)
	}
	g := next.Config.Gateway
	if g.IdleTimeout.String() != "2s" || g.MultiMaxBytes != 2<<20 || g.Access[0] != "10.0.0.0/8" || g.PendingMax != 10 || g.Databases != 3 || g.Loops != 2 {
		t.Errorf("got %+v", g)
	}
	if base.Config.Gateway.IdleTimeout.String() != "1s" || base.sources["gateway.databases"] != "" {
		t.Error("the base has changed")
	}
	if waiting := next.Waiting(base); len(waiting) != 1 || waiting[0] != "gateway.databases" {
		t.Errorf("%v wait for the next start", waiting)
	}
	own := base.Own()
	if o := own["access.allow"]; o != (config.Own{Value: "10.0.0.0/8", Source: "--allow", First: true}) {
		t.Errorf("--allow is %+v", o)
	}
	if o := own["gateway.multi-max"]; o.Source != "LARDER_GATEWAY_MULTI_MAX" || o.First || own["gateway.databases"].Source != "" {
		t.Errorf("its own are %+v", own)
	}
	_, err = base.Over(config.Values{"gateway.upstream.backoff-min": "2s"}, "version 8")
	if err == nil || !strings.Contains(err.Error(), "version 8: gateway.upstream.backoff-min") || !strings.Contains(err.Error(), "larder.yaml:1: gateway.upstream.backoff-max") {
		t.Errorf("wrong together: %v", err)
	}
}
