package router_test

import (
	"strings"
	"testing"

	"larder/router"
)

func TestSelection(t *testing.T) {
	for _, c := range []struct {
		db, prefix, slots string
		says              string
		has, lacks        string // database and key
	}{
		{"", "", "", "all keys", "3 a", ""},
		{"2", "", "", "keys of database 2", "2 a", "1 a"},
		{"", "user:", "", `keys that begin with "user:"`, "7 user:1", "0 use"},
		{"", "", "15495,0-100", "keys of slots 15495,0-100", "0 a", "0 b"},
		{"0", "{a", "10276", `keys of database 0 of slots 10276 that begin with "{a"`, "0 {a", "0 a"},
	} {
		s, err := router.ParseSelection(c.db, c.prefix, c.slots)
		if err != nil || s.String() != c.says || s.All() != (c.says == "all keys") {
			t.Errorf("%+v: %s, %v", c, &s, err)
		}
		for text, want := range map[string]bool{c.has: true, c.lacks: false} {
			db, key, ok := strings.Cut(text, " ")
			if ok && s.Has(int(db[0]-'0'), []byte(key)) != want {
				t.Errorf("%s: %s is selected: %v", &s, text, !want)
			}
		}
	}
	for _, c := range [][3]string{{"x", "", ""}, {"-1", "", ""}, {"", "", "20000"}, {"", "", "5-1"}, {"", "", "0-9,9"}, {"3000000000", "", ""}} {
		if s, err := router.ParseSelection(c[0], c[1], c[2]); err == nil {
			t.Errorf("%v is %s", c, &s)
		}
	}
	everything := router.Everything()
	if !everything.All() || !everything.HasSlot(7) || !everything.HasDB(7) {
		t.Error(everything)
	}
}
