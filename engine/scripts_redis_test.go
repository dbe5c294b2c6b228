package engine_test

import (
	"bytes"
	"flag"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"larder/internal/conform"
	"larder/internal/peers"
)

// programs are those of a file: one a line, with ¶ for the ends of their own lines.
func programs(t testing.TB, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, line := range strings.Split(string(text), "\n") {
		if line != "" && !strings.HasPrefix(line, "###") {
			out = append(out, strings.ReplaceAll(line, "¶", "\n"))
		}
	}
	return out
}

// TestProgramsAsRedis compares what programs answer, errors and all; doubles that go to a command are written as 7.2 does.
func TestProgramsAsRedis(t *testing.T) {
	s := serve(t, quiet(), nil, nil)
	for _, proto := range []int{2, 3} {
		ours, theirs := peers.Dial(t, s.Addr(), proto), peers.Dial(t, peers.StartRedis(t), proto)
		ours.Do("FLUSHALL")
		ours.Do("SCRIPT", "FLUSH")
		for _, src := range programs(t, "testdata/programs.lua.txt") {
			if got, want := ours.Do("EVAL", src, "0"), theirs.Do("EVAL", src, "0"); !conform.SameDoubles(want, got) {
				t.Errorf("RESP%d %s\n\tgot  %.300q\n\twant %.300q", proto, src, got, want)
			}
		}
	}
}

var luaSeed = flag.Uint64("luaseed", 1, "seed of programs by chance; 0: a new one, which is printed")

// TestRandomProgramsAsRedis compares what programs by chance answer, errors and all.
func TestRandomProgramsAsRedis(t *testing.T) {
	seed := *luaSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-luaseed %d", seed)
	s := serve(t, quiet(), nil, nil)
	ours, theirs := peers.Dial(t, s.Addr(), 2), peers.Dial(t, peers.StartRedis(t), 2)
	g := luaGen{r: rand.New(rand.NewPCG(seed, 0))}
	rounds, wrong := 3000, 0
	if testing.Short() {
		rounds = 300
	}
	for range rounds {
		src := g.program()
		got, want := ours.Do("EVAL", src, "0"), theirs.Do("EVAL", src, "0")
		if conform.SameDoubles(want, got) || signOfZero(want) || signOfZero(got) {
			continue
		}
		t.Errorf("%s\n\tgot  %.600q\n\twant %.600q", src, got, want)
		if wrong++; wrong == 2 {
			return
		}
	}
}

// signOfZero tells whether the sign of a zero can be seen in a reply. Lua 5.1 folds constants and keeps 0 and -0, which are equal, in one place of a function:
// which of the two it then is depends on the constants before. In ours each stays what it is.
func signOfZero(reply []byte) bool {
	return bytes.Contains(reply, []byte("-0")) || bytes.Contains(reply, []byte("inf"))
}
