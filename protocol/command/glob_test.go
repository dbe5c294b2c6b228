package command_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"larder/internal/peers"
	"larder/protocol/command"
	"larder/protocol/resp"
)

func TestMatch(t *testing.T) {
	for _, x := range []struct {
		pattern, text string
		want, anyCase bool
	}{
		{"", "", true, true},
		{"*", "", true, true},
		{"**", "", false, false},
		{"?", "", false, false},
		{"", "a", false, false},
		{"*", "abc", true, true},
		{"a*c", "abbc", true, true},
		{"a*c", "abbcd", false, false},
		{"a**", "a", true, true},
		{"*a*b*", "xxaxxbxx", true, true},
		{"A*", "abc", false, true},
		{"h?llo", "hello", true, true},
		{"h?llo", "hllo", false, false},
		{"h[ae]llo", "hallo", true, true},
		{"h[^e]llo", "hello", false, false},
		{"[a-c]", "b", true, true},
		{"[c-a]", "b", true, true},
		{"[a-c]", "B", false, true},
		{`[\]]`, "]", true, true},
		{`\*`, "*", true, true},
		{`\*`, "a", false, false},
		{`a\`, `a\`, true, true},
		{"[a", "a", true, true},
		{"[^a", "b", true, true},
		{"[", "[", false, false},
		{"[]", "]", false, false},
		{"[^]", "x", true, true},
		{"[a-", "-", true, true},
		{"[Z-a]", "_", true, false},
		{"[\x01-\xff]", "\x00", true, true},
		{"[\x01-\xff]", "\x02", false, false},
	} {
		if got := command.Match([]byte(x.pattern), []byte(x.text)); got != x.want {
			t.Errorf("Match(%q, %q) = %v", x.pattern, x.text, got)
		}
		if got := command.MatchName(x.pattern, x.text); got != x.anyCase {
			t.Errorf("MatchName(%q, %q) = %v", x.pattern, x.text, got)
		}
	}
}

// TestMatchAsRedis draws patterns and keys of few letters and asks a server's KEYS.
func TestMatchAsRedis(t *testing.T) {
	c := peers.Dial(t, peers.StartRedis(t), 2)
	rng := rand.New(rand.NewPCG(1, 2))
	draw := func(letters string, most int) string {
		b := make([]byte, rng.IntN(most+1))
		for i := range b {
			b[i] = letters[rng.IntN(len(letters))]
		}
		return string(b)
	}
	keys := map[string]bool{"": true}
	for len(keys) < 300 {
		keys[draw("abcABC*?[]^-\\\x00\x7f\x80\xff", 5)] = true
	}
	var in []byte
	for k := range keys {
		in = resp.AppendCommandStrings(in, "SET", k, "v")
	}
	c.Send(in)
	for range keys {
		c.Reply()
	}
	for range 3000 {
		pattern := draw("abBC**?[[]]^--\\\x00\x7f\x80\xff", 8)
		_, reply, _ := strings.Cut(string(c.Do("KEYS", pattern)), "\r\n")
		matched := map[string]bool{}
		for len(reply) > 0 {
			head, rest, _ := strings.Cut(reply, "\r\n")
			n := 0
			for _, d := range head[1:] {
				n = n*10 + int(d-'0')
			}
			matched[rest[:n]], reply = true, rest[n+2:]
		}
		for k := range keys {
			if got := command.Match([]byte(pattern), []byte(k)); got != matched[k] {
				t.Errorf("Match(%q, %q) = %v, redis says %v", pattern, k, got, matched[k])
			}
		}
	}
}

func TestMatchStaysShort(t *testing.T) {
	pattern, text := []byte(strings.Repeat("*a", 2000)+"b"), []byte(strings.Repeat("a", 20000))
	start := time.Now()
	if command.Match(pattern, text) {
		t.Error("matched")
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add([]byte(`[^a-\]`), []byte("a"))
	f.Add([]byte("*[*"), []byte("x*"))
	f.Fuzz(func(t *testing.T, pattern, text []byte) {
		got := command.Match(pattern, text)
		if got && !command.MatchName(string(pattern), string(text)) && !strings.ContainsAny(string(pattern), "[") {
			t.Errorf("%q fits %q in its case, but not in any", pattern, text)
		}
	})
}
