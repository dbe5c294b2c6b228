package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"larder/control/compare"
)

// TestMigrateVerify compares a server with a password with a cluster of three shards by the command: equal, with a difference, and what can be said wrongly.
func TestMigrateVerify(t *testing.T) {
	dir := t.TempDir()
	c, stop := dev(t, dir, "--shards", "3")
	defer stop()
	t.Setenv("LARDER_GATEWAY_PASSWORD", "hush")
	from, stopSource := dev(t, t.TempDir(), "--shards", "1")
	defer stopSource()
	t.Setenv("LARDER_GATEWAY_PASSWORD", "")
	from.Options().Password = "hush"
	source := from.Options().Addr
	for _, key := range []string{"a", "b", "c", "d"} {
		for _, side := range []*redis.Client{c, from} {
			if err := side.Set(t.Context(), key, "1", 0).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	verify := func(code int, wants string, args ...string) string {
		t.Helper()
		got, stdout, stderr := say(t, append([]string{"migrate", "verify"}, args...)...)
		if got != code || !strings.Contains(stdout+stderr, wants) || strings.Contains(stdout+stderr, "hush") {
			t.Errorf("migrate verify %v: code %d, does not say %q:\n%s%s", args, got, wants, stdout, stderr)
		}
		return stdout
	}
	verify(1, "say which server", "--dir", dir)
	verify(1, "--from: no address of a server", "--from", "cache:6379", "--dir", dir)
	verify(1, "NOAUTH", "--from", "redis://"+source, "--dir", dir)
	verify(1, "no Larder runs", "--from", "redis://"+source, "--dir", t.TempDir())
	t.Setenv("LARDER_FROM_PASSWORD", "hush")
	verify(0, "4 keys are the same on both sides", "--from", "redis://"+source, "--dir", dir)
	verify(0, "4 keys are the same", "--from", "redis://"+source, "--to", "redis://"+c.Options().Addr, "--rate", "100000")
	c.HSet(t.Context(), "e", "f", "v")
	c.Del(t.Context(), "a")
	verify(1, "source and target differ: 1 missing at the source, 1 missing at the target", "--from", "redis://"+source, "--dir", dir)
	var r compare.Report
	if err := json.Unmarshal([]byte(verify(1, `"equal": false`, "--from", "redis://"+source, "--dir", dir, "--json")), &r); err != nil || len(r.First) != 2 || r.Alike != 3 {
		t.Errorf("%+v %v", r, err)
	}
	verify(1, "numbers from 0 on", "--from", "redis://"+source, "--dir", dir, "--sample", "-1")
}

// TestMigrateByScan moves a server into three shards by the commands, without replication: filled, followed, cut over, compared, and let go.
func TestMigrateByScan(t *testing.T) {
	from, stopSource := dev(t, t.TempDir(), "--shards", "1")
	defer stopSource()
	dir := t.TempDir()
	to, stop := dev(t, dir, "--shards", "3")
	defer stop()
	filled(t, from, 400)
	source := "redis://" + from.Options().Addr
	migrates := func(code int, wants string, args ...string) {
		t.Helper()
		got, stdout, stderr := say(t, append([]string{"migrate"}, args...)...)
		if got != code || !strings.Contains(stdout+stderr, wants) {
			t.Fatalf("migrate %v: code %d, does not say %q:\n%s%s", args, got, wants, stdout, stderr)
		}
	}
	migrates(1, "no way of hearing", "start", "--from", source, "--by", "scan", "--notifications", "loudly", "--dir", dir)
	migrates(1, "a rate is", "start", "--from", source, "--by", "scan", "--rate", "-1", "--dir", dir)
	migrates(1, "replication and scan are", "start", "--from", source, "--by", "ship", "--dir", dir)
	migrates(0, "has begun", "start", "--from", source, "--by", "scan", "--dir", dir)
	for _, key := range []string{"text:1", "late"} {
		if err := from.Set(t.Context(), key, "changed", 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(time.Minute); to.Get(t.Context(), "late").Val() != "changed"; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("what changes does not come")
		}
	}
	from.Del(t.Context(), "text:2")
	migrates(0, "cut over", "cutover", "--dir", dir, "--timeout", "1m")
	migrates(0, "are the same on both sides", "verify", "--from", source, "--dir", dir)
	same(t, state(t, to), state(t, from))
	migrates(0, "cut over", "abort", "--dir", dir)
	if err := from.Set(t.Context(), "after", "1", 0).Err(); err != nil {
		t.Error(err)
	}
}
