package conform

import (
	"testing"
)

func TestSameDoubles(t *testing.T) {
	for _, x := range []struct {
		want, got string
		same      bool
	}{
		{",0.10000000000000001\r\n", ",0.1\r\n", true},
		{"$19\r\n0.10000000000000001\r\n", "$3\r\n0.1\r\n", true},
		{"$5\r\n1e+17\r\n", "$18\r\n100000000000000000\r\n", true},
		{"*2\r\n$1\r\na\r\n,0.10000000000000001\r\n", "*2\r\n$1\r\na\r\n,0.1\r\n", true},
		{"*2\r\n$1\r\na\r\n,0.10000000000000001\r\n", "*2\r\n$1\r\nb\r\n,0.1\r\n", false},
		{"*1\r\n,0.10000000000000001\r\n", "*1\r\n$3\r\n0.1\r\n", false},
		{",0.10000000000000001\r\n", ",0.10000000000000001\r\n", true},
		{",0.1\r\n", ",0.10000000000000001\r\n", false},
		{",0.10000000000000001\r\n", ",0.10\r\n", false},
		{",0.10000000000000001\r\n", ",0.2\r\n", false},
		{"$3\r\n1.0\r\n", "$1\r\n1\r\n", false},
		{"+0.10000000000000001\r\n", "+0.1\r\n", false},
		{"$-1\r\n", "$3\r\n0.1\r\n", false},
	} {
		if SameDoubles([]byte(x.want), []byte(x.got)) != x.same {
			t.Errorf("%q and %q: want same: %v", x.want, x.got, x.same)
		}
	}
}

func TestCompare(t *testing.T) {
	for _, x := range []struct {
		how       How
		tolerance int64
		want, got string
		same      bool
	}{
		{Exact, 0, "+OK\r\n", "+OK\r\n", true},
		{Exact, 0, "+OK\r\n", "+Ok\r\n", false},
		{Exact, 0, "$-1\r\n", "_\r\n", false},
		{AnyOrder, 0, "*2\r\n$1\r\na\r\n$1\r\nb\r\n", "*2\r\n$1\r\nb\r\n$1\r\na\r\n", true},
		{AnyOrder, 0, "*2\r\n$1\r\na\r\n$1\r\nb\r\n", "*2\r\n$1\r\nb\r\n$1\r\nb\r\n", false},
		{AnyOrder, 0, "*2\r\n$1\r\na\r\n$1\r\nb\r\n", "~2\r\n$1\r\nb\r\n$1\r\na\r\n", false},
		{AnyOrder, 0, "*1\r\n$1\r\na\r\n", "*2\r\n$1\r\na\r\n$1\r\na\r\n", false},
		{AnyOrder, 0, "-ERR a\r\n", "-ERR b\r\n", false},
		{Approx, 5, ":100\r\n", ":105\r\n", true},
		{Approx, 5, ":100\r\n", ":106\r\n", false},
		{Approx, 5, ":1\r\n", ":-1\r\n", false},
		{Approx, 5, ":-1\r\n", ":-2\r\n", false},
		{Approx, 5, "$3\r\n100\r\n", "$2\r\n99\r\n", true},
		{Approx, 5, ":100\r\n", "$3\r\n100\r\n", false},
		{Approx, 5, "$1\r\nx\r\n", "$1\r\ny\r\n", false},
		{Shape, 0, "*2\r\n$1\r\na\r\n:1\r\n", "*2\r\n$2\r\nbb\r\n:7\r\n", true},
		{Shape, 0, "*2\r\n$1\r\na\r\n:1\r\n", "*2\r\n$2\r\nbb\r\n$1\r\n7\r\n", false},
		{Shape, 0, "*1\r\n$1\r\na\r\n", "*1\r\n$-1\r\n", false},
		{Shape, 0, "*1\r\n*1\r\n:1\r\n", "*1\r\n*2\r\n:1\r\n:2\r\n", false},
		{Shape, 0, "*1\r\n:1\r\n", "*-1\r\n", false},
		{Shape, 0, "-ERR a\r\n", "-ERR b\r\n", false},
		{Outcome, 0, ":1\r\n", ":2\r\n", true},
		{Outcome, 0, ":1\r\n", "$1\r\n2\r\n", false},
		{Outcome, 0, "$-1\r\n", "$1\r\n2\r\n", true},
		{Outcome, 0, "-ERR a\r\n", "-ERR b\r\n", false},
		{Outcome, 0, "-ERR a\r\n", ":1\r\n", false},
		{Outcome, 0, "-ERR a\r\n", "-ERR a\r\n", true},
	} {
		if why := compare(x.how, x.tolerance, []byte(x.want), []byte(x.got)); (why == "") != x.same {
			t.Errorf("%v %d: %q and %q: %q, want same: %v", x.how, x.tolerance, x.want, x.got, why, x.same)
		}
	}
}
