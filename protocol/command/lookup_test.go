package command_test

import (
	"testing"

	"larder/protocol/command"
)

func BenchmarkLookup(b *testing.B) {
	for _, name := range []string{"get", "GET", "SET", "mget", "incrbyfloat", "bitfield_ro", "nosuch"} {
		b.Run(name, func(b *testing.B) {
			n := []byte(name)
			for b.Loop() {
				command.Lookup(n)
			}
		})
	}
}
