// Package dumps gets values' bytes out of a real server and puts bytes into it, by DUMP and RESTORE, for the tests of the formats. It fails its test when
// a payload is not one. It belongs to the test's goroutine.
package dumps

import (
	"testing"

	"larder/internal/peers"
	"larder/protocol/encoding/rdb"
	"larder/protocol/resp"
)

// Get is a key's value as the server writes it: its type byte and the bytes behind.
func Get(t testing.TB, c *peers.Conn, key string) (rdb.Type, []byte) {
	t.Helper()
	reply := resp.Value(c.Do("DUMP", key))
	payload, ok := reply.Bytes()
	if !ok {
		t.Fatalf("DUMP %q: %q", key, reply)
	}
	kind, value, _, err := rdb.OpenPayload(payload, rdb.Version)
	if err != nil {
		t.Fatalf("DUMP %q: %q: %v", key, payload, err)
	}
	return kind, value
}

// Blob is the string that a key's value is but for its type, of which it must be.
func Blob(t testing.TB, c *peers.Conn, key string, want rdb.Type) []byte {
	t.Helper()
	kind, value := Get(t, c, key)
	blob, n, err := rdb.String(value, nil)
	if kind != want || err != nil || n != len(value) {
		t.Fatalf("%q: type %d, want %d; string of %d of %d bytes: %v", key, kind, want, n, len(value), err)
	}
	return blob
}

// Node is the listpack that a key's value is: a list of one node.
func Node(t testing.TB, c *peers.Conn, key string) []byte {
	t.Helper()
	kind, value := Get(t, c, key)
	if kind != rdb.TypeListQuicklist2 || len(value) < 2 || value[0] != 1 || value[1] != rdb.NodePacked {
		t.Fatalf("%q: type %d, %.20q…: not a list of one packed node", key, kind, value)
	}
	blob, n, err := rdb.String(value[2:], nil)
	if err != nil || n != len(value)-2 {
		t.Fatalf("%q: string of %d of %d bytes: %v", key, n, len(value)-2, err)
	}
	return blob
}

// Restore puts a value in the place of a key's and gives the reply: "+OK\r\n" or an error.
func Restore(t testing.TB, c *peers.Conn, key string, kind rdb.Type, value []byte) string {
	t.Helper()
	payload := rdb.AppendFooter(append([]byte{byte(kind)}, value...), 0)
	return string(c.Do("RESTORE", key, "0", string(payload), "REPLACE"))
}

// Texts are the elements of a reply that is an array of texts.
func Texts(t testing.TB, reply []byte) []string {
	t.Helper()
	texts := []string{}
	for it := resp.Elements(reply); it.Left() > 0; {
		elem, _ := it.Next()
		text, ok := resp.BulkOf(elem)
		if !ok {
			t.Fatalf("%q: an element is no text", reply)
		}
		texts = append(texts, string(text))
	}
	return texts
}
