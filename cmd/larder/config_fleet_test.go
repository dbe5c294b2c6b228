package main

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"larder/control/config"
)

// TestConfigOfFleet: settings are changed while dev runs with a client connected, shown with where they come from, refused in words, compared and rolled back;
// they are there again when dev is started anew.
func TestConfigOfFleet(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("LARDER_GATEWAY_SLOWLOG_MAX_LEN", "7")
	c, stop := dev(t, dir, "--set", "gateway.pending-max=99", "--shards", "1")
	conn := c.Conn() // one connection, to the end
	defer conn.Close()
	ctx := context.Background()
	id := conn.ClientID(ctx).Val()
	says := func(want int, words string, args ...string) string {
		t.Helper()
		code, out, problems := say(t, append(append([]string{"config"}, args...), "--dir", dir)...)
		text := strings.Join(strings.Fields(out+problems), " ")
		if code != want || !strings.Contains(text, words) {
			t.Errorf("config %q: code %d: %s\nwant code %d and %q", args, code, text, want, words)
		}
		return out
	}
	says(0, "gateway.idle-timeout 0 default all", "get", "gateway.idle-timeout")
	says(0, "but gateway.pending-max is 99 there by --set", "set", "gateway.idle-timeout=100s", "gateway.pending-max=64", "gateway.databases=4")
	if got := conn.ConfigGet(ctx, "timeout").Val()["timeout"]; got != "100" {
		t.Errorf("the gateway's timeout is %s", got)
	}
	shown := says(0, "gateway.idle-timeout 1m40s registry all", "get")
	for _, want := range []string{
		"gateway.pending-max 99 flag --set all", "gateway.databases 4 registry all (at the next start)",
		"gateway.slowlog-max-len 7 environment LARDER_GATEWAY_SLOWLOG_MAX_LEN all", "access.allow 127.0.0.0/8,::1/128 default all",
	} {
		if !strings.Contains(strings.Join(strings.Fields(shown), " "), want) {
			t.Errorf("config get has no %q:\n%s", want, shown)
		}
	}
	says(1, "no secret stands in the registry", "set", "gateway.password=hush")
	says(1, "at least 2", "set", "gateway.pending-max", "1")
	says(1, "must be KEY=VALUE", "set", "gateway.pending-max")
	says(1, "none of the settings", "get", "engine.maxmemory")
	says(1, "not 1", "set", "gateway.gather-max=1mb", "--if", "1")
	says(0, "runs it", "set", "gateway.slowlog-max-len=8", "--unset", "gateway.idle-timeout")
	says(0, "gateway.slowlog-max-len (not set) 8", "diff")
	says(0, "gateway.idle-timeout=1m40s", "history")

	var h struct{ Versions []config.Version }
	if err := json.Unmarshal([]byte(says(0, "", "history", "--json")), &h); err != nil || len(h.Versions) != 2 {
		t.Fatalf("the history has %+v, %v", h, err)
	}
	first := strconv.FormatUint(h.Versions[1].Version, 10)
	says(0, "gateway.idle-timeout 1m40s (not set)", "diff", first)
	says(0, "runs it", "rollback", first)
	says(1, "no such version", "rollback", "99999")
	got := conn.ConfigGet(ctx, "*").Val()
	if got["timeout"] != "100" || got["slowlog-max-len"] != "7" {
		t.Errorf("rolled back: timeout %s, slowlog-max-len %s", got["timeout"], got["slowlog-max-len"])
	}
	if now := conn.ClientID(ctx).Val(); now != id {
		t.Errorf("client %d is %d now: its connection was not kept", id, now)
	}
	stop()
	c, stop = dev(t, dir, "--shards", "1")
	defer stop()
	if err := c.Do(ctx, "SELECT", "4").Err(); err == nil {
		t.Error("after a start gateway.databases=4 holds, and there is a database 4")
	}
	says(0, "gateway.databases 4 registry all The", "get", "gateway.databases")
}
