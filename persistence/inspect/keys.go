package inspect

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"
	"unicode/utf8"

	"larder/persistence/rdb"
	"larder/protocol/command"
)

// Key is what is told of a key.
type Key struct {
	DB       int    `json:"db"`
	Type     string `json:"type"`
	Elements int    `json:"elements"`
	Bytes    int64  `json:"bytes"`                // in the file
	ExpiryMS int64  `json:"expires_ms"`           // milliseconds since 1970; 0 = never
	Key      string `json:"key"`                  // empty if it is not UTF-8
	Raw      []byte `json:"key_base64,omitempty"` // then it is here
}

func describe(e *rdb.Entry, elements int) Key {
	k := Key{DB: e.DB, Type: typeOf(e), Elements: elements, Bytes: e.Size, ExpiryMS: e.ExpiryMS}
	k.setName(e.Key)
	return k
}

func (k *Key) setName(name []byte) {
	if utf8.Valid(name) {
		k.Key = string(name)
		return
	}
	k.Raw = append([]byte(nil), name...)
}

// Name is the key in quotes, with escapes where it has bytes that cannot be printed.
func (k *Key) Name() string {
	if k.Raw != nil {
		return quote(k.Raw)
	}
	return quote([]byte(k.Key))
}

func quote(text []byte) string { return strconv.Quote(string(text)) }

// expires is when a key expires, in words.
func (k *Key) expires() string {
	if k.ExpiryMS == 0 {
		return "never"
	}
	return time.UnixMilli(k.ExpiryMS).UTC().Format("2006-01-02T15:04:05.000Z")
}

// Keys writes a line for each key that a pattern of KEYS matches: database, type, elements, bytes, expiry and key, or the same as JSON.
func Keys(r io.Reader, out io.Writer, o Options, asJSON bool, pattern string) (*Summary, error) {
	var c counting
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	return walk(r, o, func(e *rdb.Entry) error {
		if !command.Match([]byte(pattern), e.Key) {
			return nil
		}
		n, err := c.elements(e)
		if err != nil {
			return err
		}
		k := describe(e, n)
		if asJSON {
			err = lines.Encode(&k)
		} else {
			_, err = fmt.Fprintf(out, "%d\t%s\t%d\t%d\t%s\t%s\n", k.DB, k.Type, k.Elements, k.Bytes, k.expires(), k.Name())
		}
		if err != nil {
			return fmt.Errorf("write: %w", err)
		}
		return nil
	})
}
