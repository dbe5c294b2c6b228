package commands_test

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"strconv"
	"testing"
)

// recordedKey is a key of a server whose digest was recorded; text that is not UTF-8 is {"b64": …}.
type recordedKey struct {
	Key    json.RawMessage
	Expiry *int64 `json:"expire_ms"`
	Digest string
	Dump   string
}

// TestDigestsAsRecorded restores what Redis 7.2.6 dumped, and wants the digests that it gave.
func TestDigestsAsRecorded(t *testing.T) {
	f, err := os.Open("testdata/digests.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := newNode(t, 2)
	seen := 0
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var k recordedKey
		if err := json.Unmarshal(lines.Bytes(), &k); err != nil {
			t.Fatalf("%s: %v", lines.Bytes(), err)
		}
		dump, err := base64.StdEncoding.DecodeString(k.Dump)
		if err != nil {
			t.Fatal(err)
		}
		ttl := "0"
		if k.Expiry != nil {
			ttl = strconv.FormatInt(*k.Expiry, 10)
		}
		if got := n.do("RESTORE", "k", ttl, string(dump), "ABSTTL", "REPLACE"); got != "+OK\r\n" {
			t.Errorf("%s: RESTORE: %q", k.Key, got)
			continue
		}
		d := n.call.DigestValue([]byte("k"))
		if got := hex.EncodeToString(d[:]); got != k.Digest {
			t.Errorf("%s: digest %s, Redis 7.2 has %s", k.Key, got, k.Digest)
		}
		seen++
	}
	if err := lines.Err(); err != nil || seen == 0 {
		t.Fatalf("%d keys: %v", seen, err)
	}
}
