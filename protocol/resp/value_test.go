package resp_test

import (
	"fmt"
	"strings"
	"testing"

	"larder/protocol/resp"
)

func TestValue(t *testing.T) {
	const attribute = "|1\r\n+popularity\r\n*2\r\n$1\r\nk\r\n,0.5\r\n"
	for _, test := range []struct {
		reply string
		text  string // of Bytes; "-" where it has none
		null  bool
		elems string
	}{
		{"+OK\r\n", "OK", false, ""},
		{"-ERR x y\r\n", "ERR x y", false, ""},
		{":-7\r\n", "-7", false, ""},
		{"$5\r\na\r\nbc\r\n", "a\r\nbc", false, ""},
		{"$0\r\n\r\n", "", false, ""},
		{"$-1\r\n", "-", true, ""},
		{"*-1\r\n", "-", true, ""},
		{"_\r\n", "-", true, ""},
		{",1.5\r\n", "1.5", false, ""},
		{"#t\r\n", "t", false, ""},
		{"(-12\r\n", "-12", false, ""},
		{"!5\r\nERR x\r\n", "ERR x", false, ""},
		{"=8\r\ntxt:some\r\n", "some", false, ""},
		{"*3\r\n:1\r\n*1\r\n:2\r\n$-1\r\n", "-", false, `":1\r\n" "*1\r\n:2\r\n" "$-1\r\n"`},
		{"%1\r\n+a\r\n*0\r\n", "-", false, `"+a\r\n" "*0\r\n"`},
		{"~1\r\n+a\r\n", "-", false, `"+a\r\n"`},
		{">1\r\n+a\r\n", "-", false, `"+a\r\n"`},
		{"*2\r\n" + attribute + ":1\r\n:2\r\n", "-", false, `"` + strings.ReplaceAll(attribute, "\r\n", `\r\n`) + `:1\r\n" ":2\r\n"`},
	} {
		for _, before := range []string{"", attribute, "|0\r\n"} {
			v := resp.Value(before + test.reply)
			if v.Kind() != resp.Kind(test.reply[0]) || v.IsNull() != test.null {
				t.Errorf("%q: kind %c, null %v", v, v.Kind(), v.IsNull())
			}
			if text, ok := v.Bytes(); ok != (test.text != "-") || ok && string(text) != test.text {
				t.Errorf("%q: text %q %v", v, text, ok)
			}
			var elems []string
			it := v.Elements()
			for elem, ok := it.Next(); ok; elem, ok = it.Next() {
				elems = append(elems, fmt.Sprintf("%q", elem))
			}
			if got := strings.Join(elems, " "); got != test.elems || v.Len() != len(elems) {
				t.Errorf("%q: elements %s, %d; want %s", v, got, v.Len(), test.elems)
			}
		}
	}
}

func TestParseInt(t *testing.T) {
	for _, test := range []struct {
		in   string
		want int64
		ok   bool
	}{
		{":0\r\n", 0, true},
		{":-1\r\n", -1, true},
		{":+12\r\n", 12, true},
		{":007\r\n", 7, true},
		{":9223372036854775807\r\n", 1<<63 - 1, true},
		{":-9223372036854775808\r\n", -1 << 63, true},
		{":9223372036854775808\r\n", 1<<63 - 1, false},
		{":\r\n", 0, false},
		{":-\r\n", 0, false},
		{":1", 0, false},
		{"$1\r\n1\r\n", 0, false},
		{"", 0, false},
		{"|1\r\n+a\r\n+b\r\n:3\r\n", 3, true},
	} {
		if got, ok := resp.ParseInt([]byte(test.in)); ok != test.ok || ok && got != test.want {
			t.Errorf("%q: %d %v", test.in, got, ok)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, test := range []struct{ in, first, text string }{
		{"+OK\r\n", "", ""},
		{"-ERR a\r\n", "-ERR a\r\n", "ERR a"},
		{"!5\r\nERR a\r\n", "!5\r\nERR a\r\n", "ERR a"},
		{"*3\r\n+OK\r\n*1\r\n-ERR deep\r\n-ERR later\r\n", "-ERR deep\r\n", ""},
		{"*2\r\n$6\r\n-ERR a\r\n$1\r\n-\r\n", "", ""},
		{"", "", ""},
	} {
		first, ok := resp.FirstError([]byte(test.in))
		if string(first) != test.first || ok != (test.first != "") {
			t.Errorf("%q: first error %q", test.in, first)
		}
		text, ok := resp.ErrorOf([]byte(test.in))
		if string(text) != test.text || ok != (test.text != "") || resp.IsError([]byte(test.in)) != ok {
			t.Errorf("%q: text %q", test.in, text)
		}
	}
}
