package journal_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"larder/persistence/journal"
	"larder/protocol/resp"
)

func command(words ...string) string { return string(resp.AppendCommandStrings(nil, words...)) }

// readAll gives the records as text, a line each, up to the error.
func readAll(from io.Reader, size int64) (lines []string, r *journal.Reader, err error) {
	r = journal.NewReader(from, 0, size)
	for {
		rec, err := r.Next()
		if err != nil {
			return lines, r, err
		}
		if rec.Args == nil {
			lines = append(lines, "#"+rec.Note)
		} else {
			lines = append(lines, string(bytes.Join(rec.Args, []byte(" "))))
		}
	}
}

func readText(text string) ([]string, *journal.Reader, error) {
	return readAll(strings.NewReader(text), int64(len(text)))
}

// TestReader reads a file in one piece and byte by byte.
func TestReader(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	text := command("SELECT", "0") + "#TS:1700000000\r\n" + command("MULTI") + command("SET", "a", "") + "#x\n" + command("EXEC") + command("SET", "b", big) + command("PING")
	want := []string{"SELECT 0", "#TS:1700000000", "MULTI", "SET a ", "#x", "EXEC", "SET b " + big, "PING"}
	for _, from := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text)), iotest.DataErrReader(strings.NewReader(text))} {
		lines, r, err := readAll(from, int64(len(text)))
		if err != io.EOF || strings.Join(lines, "|") != strings.Join(want, "|") {
			t.Errorf("read %d records, %v", len(lines), err)
		}
		if r.Offset() != int64(len(text)) || r.Whole() != r.Offset() {
			t.Errorf("at %d, whole up to %d, of %d", r.Offset(), r.Whole(), len(text))
		}
	}
}

// TestTornAnywhere cuts a file at every byte: what is whole is read, and where it ends is known.
func TestTornAnywhere(t *testing.T) {
	pieces := []string{command("SELECT", "0"), command("SET", "a", "1"), command("MULTI") + command("INCR", "a") + command("INCR", "b") + command("EXEC"), "#TS:17\r\n", command("SET", "c", "\r\n*x")}
	text := strings.Join(pieces, "")
	ends := map[int64]bool{0: true}
	at := int64(0)
	for _, p := range pieces {
		at += int64(len(p))
		ends[at] = true
	}
	for cut := range int64(len(text)) + 1 {
		whole := cut
		for !ends[whole] {
			whole--
		}
		_, r, err := readText(text[:cut])
		var torn *journal.TornError
		switch {
		case ends[cut]:
			if err != io.EOF {
				t.Errorf("cut at %d: %v", cut, err)
			}
		case !errors.As(err, &torn) || torn.At != whole || torn.Size != cut:
			t.Errorf("cut at %d: %v, want torn at %d", cut, err, whole)
		}
		if r.Whole() != whole {
			t.Errorf("cut at %d: whole up to %d, want %d", cut, r.Whole(), whole)
		}
	}
}

// TestDamaged is about files that nobody has written so.
func TestDamaged(t *testing.T) {
	first := command("SET", "a", "1")
	n := int64(len(first))
	for _, c := range []struct {
		text, why string
		at        int64
	}{
		{"hello\r\n", "must begin with '*', here is 'h'", 0},
		{first + "\x00\x00" + first, "must begin with '*'", n},
		{first + "*0\r\n" + first, "no arguments", n},
		{first + "*x\r\n" + first, "must be a number", n},
		{first + "*-1\r\n" + first, "must be a number", n},
		{first + "*99999999999999999999999999\r\n", "must be a number", n},
		{first + "*1\r\n:3\r\nabc\r\n", "must begin with '$'", n},
		{first + "*1\r\n$3\r\nabcd\r\n", "not followed by CR LF", n},
		{first + "*1\n$4\r\nPING\r\n", "must be a number", n},
		{first + "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$5000\r\n1\r\n" + first + first, "a whole command follows at offset", n},
		{command("MULTI") + "*2\r\n$4\r\nINCR\r\n$70\r\na\r\n" + command("EXEC") + first, "a whole command follows", int64(len(command("MULTI")))},
		{"#" + strings.Repeat("x", 3000) + "\r\n", "shorter than", 0},
	} {
		_, _, err := readText(c.text)
		var damaged *journal.DamagedError
		if !errors.As(err, &damaged) || damaged.At != c.at || !strings.Contains(damaged.Why, c.why) {
			t.Errorf("%.80q: %v, want damaged at %d: %s", c.text, err, c.at, c.why)
		}
	}
}

// TestZerosAreTorn: a file system may leave zeros where the power went before the bytes came.
func TestZerosAreTorn(t *testing.T) {
	text := command("SET", "a", "1")
	var torn *journal.TornError
	if _, _, err := readText(text + strings.Repeat("\x00", 1<<20)); !errors.As(err, &torn) || torn.At != int64(len(text)) {
		t.Errorf("%v, want torn at %d", err, len(text))
	}
}

// TestTellsMuchAndHasLittle: a length is no reason to take memory.
func TestTellsMuchAndHasLittle(t *testing.T) {
	var torn *journal.TornError
	if allocated := testing.AllocsPerRun(1, func() {
		if _, _, err := readText("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$900000000\r\nabc"); !errors.As(err, &torn) || torn.At != 0 {
			t.Error(err)
		}
	}); allocated > 100 {
		t.Errorf("%v allocations", allocated)
	}
	if _, _, err := readText("*1000000000\r\n$1\r\na"); !errors.As(err, &torn) {
		t.Error(err)
	}
}

func TestNotes(t *testing.T) {
	const id = "0123456789abcdef0123456789abcdef01234567"
	line := journal.AppendStream(nil, id, 1<<62)
	if len(line) > 127 {
		t.Errorf("Redis reads lines of up to 127 bytes, this has %d", len(line))
	}
	text := string(line) + string(journal.AppendTime(nil, 1700000000))
	lines, _, err := readText(text)
	if err != io.EOF || len(lines) != 2 {
		t.Fatal(lines, err)
	}
	if got, offset, ok := journal.ParseStream(lines[0][1:]); got != id || offset != 1<<62 || !ok {
		t.Error(got, offset, ok)
	}
	if s, ok := journal.ParseTime(lines[1][1:]); s != 1700000000 || !ok {
		t.Error(s, ok)
	}
	for _, wrong := range []string{"", "TS:x", "LARDER:stream ", "LARDER:stream abc 1", "LARDER:stream " + id, "LARDER:stream " + id + " -1", "LARDER:stream " + strings.ToUpper(id) + " 1"} {
		_, _, ok := journal.ParseStream(wrong)
		_, timed := journal.ParseTime(wrong)
		if ok || timed {
			t.Errorf("%q was read", wrong)
		}
	}
}

// FuzzReader: whatever stands in a file, it is read up to an error that says where; what is whole is whole alone, too.
func FuzzReader(f *testing.F) {
	f.Add([]byte(command("SELECT", "0") + "#TS:1700000000\r\n" + command("MULTI") + command("SET", "a", "") + command("EXEC")))
	f.Add([]byte(command("SET", "a", "1")[:20]))
	f.Add([]byte(command("SET", "a", "1") + "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$5000\r\n1\r\n" + command("PING")))
	f.Add([]byte(command("PING") + "\x00\x00\x00"))
	f.Add([]byte(command("MULTI") + command("INCR", "x")))
	f.Fuzz(func(t *testing.T, text []byte) {
		lines, r, err := readText(string(text))
		again, _, errAgain := readAll(iotest.OneByteReader(bytes.NewReader(text)), int64(len(text)))
		if err.Error() != errAgain.Error() || strings.Join(lines, "|") != strings.Join(again, "|") {
			t.Fatalf("in one piece: %v, byte by byte: %v", err, errAgain)
		}
		var torn *journal.TornError
		var damaged *journal.DamagedError
		switch {
		case err == io.EOF:
		case errors.As(err, &torn):
			if torn.At > int64(len(text)) || torn.At < 0 {
				t.Fatal(err)
			}
			if _, _, err := readText(string(text[:torn.At])); err != io.EOF {
				t.Fatalf("what was called whole is not: %v", err)
			}
		case !errors.As(err, &damaged):
			t.Fatal(err)
		}
		if r.Whole() > int64(len(text)) {
			t.Fatal(r.Whole())
		}
	})
}
