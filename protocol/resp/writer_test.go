package resp_test

import (
	"math"
	"testing"

	"larder/protocol/command"
	"larder/protocol/resp"
)

var _ command.Reply = (*resp.Writer)(nil)

func TestWriter(t *testing.T) {
	for _, test := range []struct {
		name         string
		write        func(w *resp.Writer)
		resp2, resp3 string
	}{
		{"status", func(w *resp.Writer) { w.Status("a\r\nb") }, "+a  b\r\n", "+a  b\r\n"},
		{"ok", func(w *resp.Writer) { w.OK() }, "+OK\r\n", "+OK\r\n"},
		{"error", func(w *resp.Writer) { w.Error("ERR a\nb\r\n") }, "-ERR a b\r\n", "-ERR a b\r\n"},
		{"int", func(w *resp.Writer) { w.Int(math.MinInt64) }, ":-9223372036854775808\r\n", ":-9223372036854775808\r\n"},
		{"digit", func(w *resp.Writer) { w.Int(9) }, ":9\r\n", ":9\r\n"},
		{"bulk", func(w *resp.Writer) { w.Bulk(""); w.BulkString("a\r\n"); w.BulkBytes([]byte("0123456789")) }, "$0\r\n\r\n$3\r\na\r\n\r\n$10\r\n0123456789\r\n", "$0\r\n\r\n$3\r\na\r\n\r\n$10\r\n0123456789\r\n"},
		{"bulk int", func(w *resp.Writer) { w.BulkInt(-12) }, "$3\r\n-12\r\n", "$3\r\n-12\r\n"},
		{"array", func(w *resp.Writer) { w.Array(12) }, "*12\r\n", "*12\r\n"},
		{"map", func(w *resp.Writer) { w.Map(2) }, "*4\r\n", "%2\r\n"},
		{"set", func(w *resp.Writer) { w.Set(2) }, "*2\r\n", "~2\r\n"},
		{"push", func(w *resp.Writer) { w.Push(3) }, "*3\r\n", ">3\r\n"},
		{"attribute", func(w *resp.Writer) { w.Attribute(1) }, "", "|1\r\n"},
		{"null", func(w *resp.Writer) { w.Null() }, "$-1\r\n", "_\r\n"},
		{"null array", func(w *resp.Writer) { w.NullArray() }, "*-1\r\n", "_\r\n"},
		{"bool", func(w *resp.Writer) { w.Bool(true); w.Bool(false) }, ":1\r\n:0\r\n", "#t\r\n#f\r\n"},
		{"double", func(w *resp.Writer) { w.Double(0.1) }, "$3\r\n0.1\r\n", ",0.1\r\n"},
		{"inf", func(w *resp.Writer) { w.Double(math.Inf(-1)) }, "$4\r\n-inf\r\n", ",-inf\r\n"},
		{"nan", func(w *resp.Writer) { w.Double(math.NaN()) }, "$3\r\nnan\r\n", ",nan\r\n"},
		{"big number", func(w *resp.Writer) { w.BigNumber("123") }, "$3\r\n123\r\n", "(123\r\n"},
		{"verbatim", func(w *resp.Writer) { w.Verbatim("txt", "hello world") }, "$11\r\nhello world\r\n", "=15\r\ntxt:hello world\r\n"},
		{"raw", func(w *resp.Writer) { w.Raw([]byte("+x\r\n")) }, "+x\r\n", "+x\r\n"},
	} {
		for proto, want := range map[int]string{0: test.resp2, 2: test.resp2, 3: test.resp3} {
			w := resp.Writer{Proto: proto}
			test.write(&w)
			if string(w.Out) != want {
				t.Errorf("%s, RESP%d: %q, want %q", test.name, proto, w.Out, want)
			}
		}
	}
}

func TestAppendCommand(t *testing.T) {
	const want = "*2\r\n$3\r\nGET\r\n$0\r\n\r\n"
	if got := resp.AppendCommand(nil, []byte("GET"), nil); string(got) != want {
		t.Errorf("%q", got)
	}
	if got := resp.AppendCommandStrings(nil, "GET", ""); string(got) != want {
		t.Errorf("%q", got)
	}
}

func TestWriterAllocations(t *testing.T) {
	w := resp.Writer{Out: make([]byte, 0, 4096), Proto: 2}
	value := make([]byte, 1024)
	if allocs := testing.AllocsPerRun(100, func() {
		w.Out = w.Out[:0]
		w.BulkBytes(value)
		w.Double(0.1)
		w.BulkInt(1 << 40)
		w.Null()
		w.Error("ERR x")
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
