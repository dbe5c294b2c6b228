package conform_test

import (
	"fmt"
	"strings"
	"testing"

	"larder/internal/peers"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// TestAbsentCommands: what a real server has and we don't is refused as a server refuses what it doesn't know, and the connection stays.
func TestAbsentCommands(t *testing.T) {
	names := realCommands(t)
	for _, e := range endpoints {
		t.Run(e.name, func(t *testing.T) {
			addr := e.start(t)
			for proto := 2; proto <= 3; proto++ {
				c := peers.Dial(t, addr, proto)
				for _, name := range names {
					for _, args := range [][]string{{name}, {strings.ToUpper(name), "key", "1", "\r\n"}} {
						want := string(resp.AppendError(nil, command.UnknownError(views(args))))
						if got := string(c.Do(args...)); got != want {
							t.Errorf("RESP%d %q: %q, want %q", proto, args, got, want)
						}
					}
					if got := string(c.Do("ECHO", name)); got != string(resp.AppendBulkString(nil, name)) {
						t.Fatalf("RESP%d ECHO behind %s: %q", proto, name, got)
					}
				}
			}
		})
	}
}

// realCommands are those of a redis-server that have no row.
func realCommands(t *testing.T) []string {
	t.Helper()
	c := peers.Dial(t, peers.StartRedis(t), 2)
	var names []string
	it := resp.Elements(c.Do("COMMAND", "LIST"))
	for e, ok := it.Next(); ok; e, ok = it.Next() {
		name, _ := resp.BulkOf(e)
		if first, _, _ := strings.Cut(string(name), "|"); first == string(name) && command.Lookup(name) == nil {
			names = append(names, first)
		}
	}
	if len(names) == 0 {
		t.Fatal("a redis-server without commands that we lack: then this test may go")
	}
	return names
}

// TestAbsentSubcommands: the same for what a container lacks.
func TestAbsentSubcommands(t *testing.T) {
	c := peers.Dial(t, peers.StartRedis(t), 2)
	var absent [][]string
	for _, r := range command.Rows() {
		if len(r.Subs) == 0 {
			continue
		}
		it := resp.Elements(c.Do("COMMAND", "LIST", "FILTERBY", "PATTERN", r.Name+"|*"))
		for e, ok := it.Next(); ok; e, ok = it.Next() {
			name, _ := resp.BulkOf(e)
			_, sub, _ := strings.Cut(string(name), "|")
			if r.Sub([]byte(sub)) == nil {
				absent = append(absent, []string{r.Name, sub})
			}
		}
	}
	for _, e := range endpoints {
		t.Run(e.name, func(t *testing.T) {
			c := peers.Dial(t, e.start(t), 3)
			for _, args := range absent {
				want := fmt.Sprintf("-ERR unknown subcommand '%s'. Try %s HELP.\r\n", args[1], strings.ToUpper(args[0]))
				if got := string(c.Do(append(args, "x")...)); got != want {
					t.Errorf("%q: %q, want %q", args, got, want)
				}
			}
		})
	}
}

func views(args []string) [][]byte {
	out := make([][]byte, len(args))
	for i, a := range args {
		out[i] = []byte(a)
	}
	return out
}
