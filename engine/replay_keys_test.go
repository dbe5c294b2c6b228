package engine_test

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"

	"larder/protocol/encoding/rdb"
	"larder/protocol/resp"
)

// keyRecord is a key as Redis 7.2.6 had it: testdata/recorded/redis-7.2.6/keys.jsonl.gz.
type keyRecord struct {
	Key      blob            `json:"key"`
	Type     string          `json:"type"`
	Encoding string          `json:"encoding"`
	ExpireMS *int64          `json:"expire_ms"`
	Value    json.RawMessage `json:"value"`
	Dump     []byte          `json:"dump"`
}

// blob is bytes: in JSON a text, {"b64": …}, or, of long ones, {"len": …, "sha256": …}.
type blob struct {
	text string
	len  int
	sum  string // of the bytes, "" if they are in text
}

func (b *blob) UnmarshalJSON(p []byte) error {
	if p[0] == '"' {
		return json.Unmarshal(p, &b.text)
	}
	var o struct {
		B64    []byte `json:"b64"`
		Len    int    `json:"len"`
		SHA256 string `json:"sha256"`
	}
	err := json.Unmarshal(p, &o)
	b.text, b.len, b.sum = string(o.B64), o.Len, o.SHA256
	return err
}

func (b blob) is(text string) bool {
	if b.sum == "" {
		return b.text == text
	}
	sum := sha256.Sum256([]byte(text))
	return len(text) == b.len && hex.EncodeToString(sum[:]) == b.sum
}

func keyRecords(t *testing.T) (all []keyRecord) {
	t.Helper()
	f, err := os.Open("testdata/recorded/redis-7.2.6/keys.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	const lineMax = 1 << 20
	lines.Buffer(nil, lineMax)
	for lines.Scan() {
		var k keyRecord
		if err := json.Unmarshal(lines.Bytes(), &k); err != nil {
			t.Fatal(err)
		}
		all = append(all, k)
	}
	if lines.Err() != nil || len(all) == 0 {
		t.Fatalf("%d keys, %v", len(all), lines.Err())
	}
	return all
}

// TestKeysAsRecorded gives a node what DUMP of 7.2.6 gave, and compares type, encoding, expiry and value. Our DUMP of it is the same value again, and the same
// bytes but for the version at its end and for where compression finds what to shorten: a text is unpacked before it is compared.
func TestKeysAsRecorded(t *testing.T) {
	k := newBed(t, nil).client()
	met := map[string]bool{}
	for _, r := range keyRecords(t) {
		ttl, name, form := "0", r.Key.text, r.Type+" "+r.Encoding
		if r.ExpireMS != nil {
			ttl = strconv.FormatInt(*r.ExpireMS, 10)
		}
		k.says("+OK\r\n", "RESTORE", name, ttl, string(r.Dump), "ABSTTL")
		k.isRecorded(&r, name, false)
		ours := bulk(k.do("DUMP", name))
		if a, b := unpacked(t, ours), unpacked(t, r.Dump); a != b {
			if met[form] = true; dumpsOtherwise[form] == "" {
				t.Errorf("%q, %s: our payload\n%.300q, theirs\n%.300q", name, form, a, b)
			}
		}
		k.says("+OK\r\n", "RESTORE", "again", ttl, string(ours), "ABSTTL")
		k.isRecorded(&r, "again", true)
		k.do("DEL", "again", name)
	}
	for form := range dumpsOtherwise {
		if !met[form] {
			t.Errorf("%s: our payloads are the recorded ones, so no reason is needed", form)
		}
	}
}

// unpacked is a payload without its version and checksum, and its texts as they are when they are not compressed.
func unpacked(t *testing.T, payload []byte) string {
	t.Helper()
	const footer = 10
	p := payload[1 : len(payload)-footer]
	out := []byte{payload[0]}
	pairs := rdb.Type(payload[0]) == rdb.TypeZSet
	switch rdb.Type(payload[0]) {
	case rdb.TypeString, rdb.TypeSetIntset, rdb.TypeHashListpack, rdb.TypeZSetListpack, rdb.TypeSetListpack, rdb.TypeZSet:
	default:
		return string(append(out, p...))
	}
	if pairs {
		n, size, err := rdb.Length(p)
		if err != nil {
			t.Fatal(err)
		}
		out, p = rdb.AppendLength(out, n), p[size:]
	}
	for len(p) > 0 {
		text, size, err := rdb.String(p, nil)
		if err != nil {
			t.Fatal(err)
		}
		out, p = append(out, text...), p[size:]
		if pairs {
			const score = 8
			out, p = append(out, p[:score]...), p[score:]
		}
	}
	return string(out)
}

func bulk(reply string) []byte {
	text, _ := resp.BulkOf([]byte(reply))
	return text
}

// isRecorded compares a key with a record; ours: it came from our payload.
func (k *talker) isRecorded(r *keyRecord, name string, ours bool) {
	t := k.b.t
	t.Helper()
	want := "-1"
	if r.ExpireMS != nil {
		want = strconv.FormatInt(*r.ExpireMS, 10)
	}
	k.says(":"+want+"\r\n", "PEXPIRETIME", name)
	k.says("+"+r.Type+"\r\n", "TYPE", name)
	if got := string(bulk(k.do("OBJECT", "ENCODING", name))); (got != r.Encoding) != (got == encodingsOtherwise[r.Key.text]) {
		t.Errorf("%q: encoding %s, recorded %s", name, got, r.Encoding)
	}
	if why := k.valueDiffers(r, name, ours); why != "" {
		t.Errorf("%q, %s %s: %s", name, r.Type, r.Encoding, why)
	}
}

func (k *talker) valueDiffers(r *keyRecord, name string, ours bool) string {
	if r.Type == "stream" {
		return k.streamDiffers(r.Value, name, ours)
	}
	var one blob
	var all []blob
	var pairs [][]blob
	switch r.Type {
	case "string":
		if err := json.Unmarshal(r.Value, &one); err != nil {
			return err.Error()
		}
		if got := string(bulk(k.do("GET", name))); !one.is(got) {
			return fmt.Sprintf("the value is %.200q", got)
		}
		return ""
	case "hash", "zset":
		if err := json.Unmarshal(r.Value, &pairs); err != nil {
			return err.Error()
		}
		all = slices.Concat(pairs...)
	default:
		if err := json.Unmarshal(r.Value, &all); err != nil {
			return err.Error()
		}
	}
	got := k.elementsOf(r.Type, name)
	if !slices.EqualFunc(all, got, blob.is) {
		return fmt.Sprintf("the value is %.300q", got)
	}
	return ""
}

// elementsOf gives a collection's elements, those of a set and of a hash in the order of their bytes.
func (k *talker) elementsOf(typ, name string) []string {
	switch typ {
	case "list":
		return texts(k.do("LRANGE", name, "0", "-1"))
	case "zset":
		return texts(k.do("ZRANGE", name, "0", "-1", "WITHSCORES"))
	case "set":
		return slices.Sorted(slices.Values(texts(k.do("SMEMBERS", name))))
	}
	pairs := slices.Collect(slices.Chunk(texts(k.do("HGETALL", name)), 2))
	slices.SortFunc(pairs, slices.Compare[[]string])
	return slices.Concat(pairs...)
}

func texts(reply string) (all []string) {
	it := resp.Elements([]byte(reply))
	for e, ok := it.Next(); ok; e, ok = it.Next() {
		all = append(all, string(bulk(string(e))))
	}
	return all
}
