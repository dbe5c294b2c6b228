package client

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"larder/protocol/command"
)

func words(line string) [][]byte { return bytes.Fields([]byte(line)) }

func TestParseMemory(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "100": 100, "1k": 1000, "1kb": 1024, "512MB": 512 << 20, "2g": 2e9, "": 0, "x": -1, "5tb": -1, "-1": -1, strings.Repeat("9", 30): -1,
	} {
		got, wrong := ParseMemory(text, 0)
		if wrong != "" {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
	if _, wrong := ParseMemory("5", 10); wrong != "argument must be between 10 and 9223372036854775807 inclusive" {
		t.Error(wrong)
	}
}

func TestParseNumbersOfConnections(t *testing.T) {
	for word, want := range map[string]string{
		"0": "", "15": "", "16": "ERR DB index is out of range", "-1": "ERR DB index is out of range", "01": "ERR value is not an integer or out of range",
		"+1": "ERR value is not an integer or out of range", "": "ERR value is not an integer or out of range", "1.0": "ERR value is not an integer or out of range",
		"9223372036854775807": "ERR value is out of range, value must between -2147483648 and 2147483647", "9223372036854775808": "ERR value is not an integer or out of range",
	} {
		if _, wrong := ParseDB([]byte(word), 16); wrong != want {
			t.Errorf("SELECT %q: %q, want %q", word, wrong, want)
		}
	}
	for word, want := range map[string]string{"2": "", "3": "", "4": "NOPROTO unsupported protocol version", "03": "ERR Protocol version is not an integer or out of range"} {
		if _, wrong := ParseProto([]byte(word)); wrong != want {
			t.Errorf("HELLO %q: %q, want %q", word, wrong, want)
		}
	}
}

func TestParsePause(t *testing.T) {
	const now = 1000
	long := Pause{UntilMS: now + 500, All: true}
	for _, c := range []struct {
		line   string
		before Pause
		want   Pause
		wrong  string
	}{
		{"CLIENT PAUSE 100", Pause{}, Pause{now + 100, true}, ""},
		{"CLIENT PAUSE 100 write", Pause{}, Pause{now + 100, false}, ""},
		{"CLIENT PAUSE 100 WRITE", long, long, ""},
		{"CLIENT PAUSE 900 WRITE", long, Pause{now + 900, true}, ""},
		{"CLIENT PAUSE 100 WRITE", Pause{UntilMS: 1, All: true}, Pause{now + 100, false}, ""},
		{"CLIENT PAUSE x", long, long, "ERR timeout is not an integer or out of range"},
		{"CLIENT PAUSE 010", long, long, "ERR timeout is not an integer or out of range"},
		{"CLIENT PAUSE -1", long, long, "ERR timeout is negative"},
		{"CLIENT PAUSE 1 some", long, long, "ERR CLIENT PAUSE mode must be WRITE or ALL"},
		{"client pause 1 all more", long, long, "ERR unknown subcommand or wrong number of arguments for 'pause'. Try CLIENT HELP."},
	} {
		if got, wrong := ParsePause(words(c.line), c.before, now); got != c.want || wrong != c.wrong {
			t.Errorf("%s after %v: %v %q, want %v %q", c.line, c.before, got, wrong, c.want, c.wrong)
		}
	}
	if p := (Pause{UntilMS: 5}); p.Holds(command.Lookup([]byte("GET"))) || !p.Holds(command.Lookup([]byte("SET"))) {
		t.Error("a pause of writes holds the wrong commands")
	}
}

func TestParseKillAndList(t *testing.T) {
	for line, want := range map[string]string{
		"ID 5": "", "id 0": "ERR client-id should be greater than 0", "ID 05": "ERR client-id should be greater than 0", "TYPE slave SKIPME no": "",
		"TYPE some": "ERR Unknown client type 'some'", "USER ann": "", "USER nobody": "ERR No such user 'nobody'", "ID 5 SKIPME": "ERR syntax error", "SOME 1": "ERR syntax error", "1.2.3.4:5": "",
	} {
		if _, wrong := ParseKill(words(line), func(user string) bool { return user == "default" || user == "ann" }); wrong != want {
			t.Errorf("CLIENT KILL %s: %q, want %q", line, wrong, want)
		}
	}
	for _, c := range []struct {
		line, wrong string
		want        List
	}{
		{"", "", List{All: true}},
		{"TYPE normal", "", List{Kind: KindNormal}},
		{"TYPE pubsub", "", List{Kind: KindPubSub}},
		{"ID 3 4", "", List{IDs: []uint64{3, 4}}},
		{"ID x", "ERR Invalid client ID", List{}},
		{"ID", "ERR syntax error", List{}},
	} {
		if got, wrong := ParseList(words(c.line)); got.All != c.want.All || got.Kind != c.want.Kind || !slices.Equal(got.IDs, c.want.IDs) || wrong != c.wrong {
			t.Errorf("CLIENT LIST %s: %v %q, want %v %q", c.line, got, wrong, c.want, c.wrong)
		}
	}
}
