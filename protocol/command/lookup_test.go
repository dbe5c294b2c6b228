package command_test

import (
	"strings"
	"testing"

	"larder/protocol/command"
)

// naive finds a row by comparing strings.
func naive(parent command.ID, name string) *command.Row {
	lower := strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, name)
	if parent != 0 {
		lower = command.ByID(parent).Name + "|" + lower
	}
	for _, r := range command.Rows() {
		if r.Parent == parent && r.Name == lower {
			return r
		}
	}
	return nil
}

func TestLookup(t *testing.T) {
	for _, r := range command.Rows() {
		if r.Parent != 0 {
			continue
		}
		for _, name := range []string{r.Name, strings.ToUpper(r.Name), strings.ToUpper(r.Name[:1]) + r.Name[1:]} {
			if command.Lookup([]byte(name)) != r {
				t.Errorf("%s is not found", name)
			}
		}
		// One bit or byte beside a name is another name, unless it is the bit of the case.
		for i := range r.Name {
			for bit := range 8 {
				other := []byte(r.Name)
				other[i] ^= 1 << bit
				if got, want := command.Lookup(other), naive(0, string(other)); got != want {
					t.Errorf("%q: %v, want %v", other, got, want)
				}
			}
		}
		for _, other := range []string{r.Name + "x", r.Name + "\x00", " " + r.Name, r.Name[1:], r.Name[:len(r.Name)-1], r.Name + "|"} {
			if got, want := command.Lookup([]byte(other)), naive(0, other); got != want {
				t.Errorf("%q: %v, want %v", other, got, want)
			}
		}
	}
	for _, name := range []string{"", "nope", "bitfield\x7fro", "client|list", strings.Repeat("a", 24), strings.Repeat("get", 100)} {
		if r := command.Lookup([]byte(name)); r != nil {
			t.Errorf("%q is %s", name, r.Name)
		}
	}
	if r := command.ByID(command.CmdGet).Sub([]byte("list")); r != nil {
		t.Errorf("GET LIST is %s", r.Name)
	}
	if r := command.ByID(command.CmdClient).Sub([]byte("encoding")); r != nil {
		t.Errorf("CLIENT ENCODING is %s", r.Name)
	}
}

func TestLookupDoesNotAllocate(t *testing.T) {
	get, list, incr, nope := []byte("get"), []byte("LIST"), []byte("IncrByFloat"), []byte("nosuchcommand")
	client := command.Lookup([]byte("client"))
	if n := testing.AllocsPerRun(100, func() {
		if command.Lookup(get) == nil || command.Lookup(incr) == nil || command.Lookup(nope) != nil || client.Sub(list) == nil {
			t.Error("wrong row")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzLookup(f *testing.F) {
	for _, r := range command.Rows() {
		f.Add([]byte(strings.ToUpper(r.Name)), byte(r.Parent))
	}
	f.Add([]byte(""), byte(0))
	f.Add([]byte("\xe0\xc1Z[@"), byte(command.CmdClient))
	f.Fuzz(func(t *testing.T, name []byte, parent byte) {
		if got, want := command.Lookup(name), naive(0, string(name)); got != want {
			t.Errorf("Lookup(%q) is %v, want %v", name, got, want)
		}
		if p := command.ByID(command.ID(parent)); p != nil {
			if got, want := p.Sub(name), naive(p.ID, string(name)); got != want {
				t.Errorf("%s.Sub(%q) is %v, want %v", p.Name, name, got, want)
			}
		}
	})
}

func BenchmarkLookup(b *testing.B) {
	for _, name := range []string{"get", "GET", "SET", "mget", "incrbyfloat", "bitfield_ro", "nosuch"} {
		b.Run(name, func(b *testing.B) {
			n := []byte(name)
			b.ReportAllocs()
			for b.Loop() {
				command.Lookup(n)
			}
		})
	}
	b.Run("mixed", func(b *testing.B) {
		names := [][]byte{[]byte("GET"), []byte("SET"), []byte("mget"), []byte("DEL"), []byte("expire"), []byte("INCR"), []byte("exists"), []byte("SETEX")}
		i := 0
		for b.Loop() {
			command.Lookup(names[i&7])
			i++
		}
	})
}

func BenchmarkResolveSub(b *testing.B) {
	args := views("CLIENT", "ID")
	for b.Loop() {
		_, _ = command.Resolve(args)
	}
}
