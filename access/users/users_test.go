package users_test

import (
	"strings"
	"testing"

	"larder/access/users"
	"larder/protocol/command"
)

func words(s string) []string { return strings.Split(s, " ") }

// What ACL LIST shows after rules (Redis 7.0.15's words but for sanitize-payload, which 7.2 shows).
func TestText(t *testing.T) {
	for _, c := range []struct{ rules, want string }{
		{"", "a off sanitize-payload resetchannels -@all"},
		{"on nopass ~* &* +@all", "a on nopass sanitize-payload ~* &* +@all"},
		{"on >pw +get -@all +@read ~x* %R~y* &c* +config|get", "a on sanitize-payload #30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4 ~x* %R~y* resetchannels &c* -@all +@read +config|get"},
		{"(+set ~z* ) (+@all -get %W~q)", "a off sanitize-payload resetchannels -@all (~z* resetchannels -@all +set) (%W~q resetchannels +@all -get)"},
		{"+config|get +config|set +config", "a off sanitize-payload resetchannels -@all +config"},
		{"+config -config|set -config", "a off sanitize-payload resetchannels -@all -config"},
		{"+GET -Get", "a off sanitize-payload resetchannels -@all -get"},
		{"%R~k %W~k", "a off sanitize-payload ~k resetchannels -@all"},
		{"+select|0", "a off sanitize-payload resetchannels -@all +select|0"},
		{"on >x nopass", "a on nopass sanitize-payload resetchannels -@all"},
		{"~* allchannels allcommands on reset", "a off sanitize-payload resetchannels -@all"},
	} {
		var rules []string
		if c.rules != "" {
			rules = words(c.rules)
		}
		u, err := users.New("").Set("a", rules)
		if err != nil {
			t.Errorf("%s: %v", c.rules, err)
			continue
		}
		if got := u.Text(); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.rules, got, c.want)
		}
	}
}

func TestErrors(t *testing.T) {
	for rules, want := range map[string]string{
		"bogus":            "Error in ACL SETUSER modifier 'bogus': Syntax error",
		"+nosuch":          "Error in ACL SETUSER modifier '+nosuch': Unknown command or category name in ACL",
		"+@nosuch":         "Error in ACL SETUSER modifier '+@nosuch': Unknown command or category name in ACL",
		"#123":             "Error in ACL SETUSER modifier '#123': The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters",
		"<nopw":            "Error in ACL SETUSER modifier '<nopw': The password you are trying to remove from the user does not exist",
		"-get|x":           "Error in ACL SETUSER modifier '-get|x': Unknown command or category name in ACL",
		"+config|nope":     "Error in ACL SETUSER modifier '+config|nope': Unknown command or category name in ACL",
		"(+get":            "Unmatched parenthesis in acl selector starting at '(+get'.",
		"+get)":            "Error in ACL SETUSER modifier '+get)': Unknown command or category name in ACL",
		"%X~a":             "Error in ACL SETUSER modifier '%X~a': Syntax error",
		"%~a":              "Error in ACL SETUSER modifier '%~a': Syntax error",
		"allkeys ~x":       "Error in ACL SETUSER modifier '~x': Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns",
		"allchannels &x":   "Error in ACL SETUSER modifier '&x': Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels",
		"+config|get|more": "Error in ACL SETUSER modifier '+config|get|more': Allowing first-arg of a subcommand is not supported",
	} {
		all := users.New("")
		_, err := all.Set("a", words(rules))
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", rules, err, want)
		}
		if all.Get("a") != nil {
			t.Errorf("%s: the user was made all the same", rules)
		}
	}
	if _, err := users.New("").Set("a b", nil); err == nil {
		t.Error("a name with a blank is taken")
	}
	if _, err := users.New("").Delete([]string{"default"}); err == nil {
		t.Error("the default user can be removed")
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		rules, command string
		want           users.Verdict
		at             int
	}{
		{"+@all ~*", "get k", users.Allowed, 0},
		{"+@all", "get k", users.DeniedKey, 1},
		{"~*", "get k", users.DeniedCommand, 0},
		{"~*", "auth x", users.Allowed, 0},
		{"+get ~a*", "get ab", users.Allowed, 0},
		{"+get +mget ~a*", "mget a b", users.DeniedKey, 2},
		{"+get %W~*", "get k", users.DeniedKey, 1},
		{"+set %W~*", "set k v", users.Allowed, 0},
		{"+set %W~*", "set k v get", users.DeniedKey, 1},
		{"+set %R~*", "set k v", users.DeniedKey, 1},
		{"+config|get", "config get x", users.Allowed, 0},
		{"+config|get", "config set x y", users.DeniedCommand, 0},
		{"+@all -config|set", "config set x y", users.DeniedCommand, 0},
		{"+select|0", "select 0", users.Allowed, 0},
		{"+select|0", "select 1", users.DeniedCommand, 0},
		{"+@read -get ~*", "get k", users.DeniedCommand, 0},
		{"+@read ~*", "strlen k", users.Allowed, 0},
		{"+get ~a (+set ~b)", "set b 1", users.Allowed, 0},
		{"+get ~a (+set ~b)", "get b", users.DeniedKey, 1},
		{"+get ~a (+set ~b)", "del b", users.DeniedCommand, 0},
	} {
		u, err := users.New("").Set("a", words(c.rules))
		if err != nil {
			t.Fatal(err)
		}
		var args [][]byte
		for _, w := range words(c.command) {
			args = append(args, []byte(w))
		}
		row, text := command.Resolve(args)
		if text != "" {
			t.Fatal(text)
		}
		if v, at := u.Check(row, args); v != c.want || at != c.at {
			t.Errorf("%s, %s: %v at %d, want %v at %d", c.rules, c.command, v, at, c.want, c.at)
		}
	}
}

func TestPasswords(t *testing.T) {
	all := users.New("secret")
	if u := all.Default(); !u.Admits([]byte("secret")) || u.Admits([]byte("other")) || u.Admits(nil) {
		t.Error("the default user's password")
	}
	u, _ := all.Set("a", words(">x >y on"))
	if !u.Admits([]byte("x")) || !u.Admits([]byte("y")) || u.Admits([]byte("z")) {
		t.Error("two passwords")
	}
	if u, _ = all.Set("a", words("<x")); u.Admits([]byte("x")) {
		t.Error("a password that was removed")
	}
	if u, _ = all.Set("a", words("off")); u.Admits([]byte("y")) {
		t.Error("a disabled user")
	}
	if u, _ = all.Set("a", words("on nopass")); !u.Admits([]byte("whatever")) {
		t.Error("a user without a password")
	}
}

// TestRightsOfOurs: a node is not told rules about commands that it lacks; a first argument with a dot is none of those.
func TestRightsOfOurs(t *testing.T) {
	u, err := users.New("").TakeForeign().Set("a", words("on +get|a.b +json.get +json.set|x -config|get"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(u.Rights(), " "), "resetchannels -@all +get|a.b -config|get"; got != want {
		t.Errorf("rights are %s, want %s", got, want)
	}
}

// A file of what there is gives the same users; wrong lines are named.
func TestFile(t *testing.T) {
	all := users.New("secret")
	for name, rules := range map[string]string{"u": "on >x +@all -@dangerous ~a* %R~b &c (+get ~d)", "v": "reset"} {
		if _, err := all.Set(name, words(rules)); err != nil {
			t.Fatal(err)
		}
	}
	again, err := users.Parse("users.acl", all.Text(), false)
	if err != nil {
		t.Fatal(err)
	}
	if got := again.Text(); got != all.Text() {
		t.Errorf("got %s\nwant %s", got, all.Text())
	}
	_, err = users.Parse("users.acl", "# a comment\nuser a on\nuser a off\nnobody\nuser b +nosuch\n", false)
	want := "users.acl:3: user 'a' is named twice\nusers.acl:4: line must start with the 'user' keyword\nusers.acl:5: Error in ACL SETUSER modifier '+nosuch': Unknown command or category name in ACL"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// Whatever rules are taken, their description is taken again and says the same.
func FuzzRules(f *testing.F) {
	for _, seed := range []string{"on >x +get ~a*", "(+get ~a) %RW~b &c -@all", "+select|1 -config|get +@read", "#30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, rules string) {
		u, err := users.New("").Set("a", strings.Fields(rules))
		if err != nil {
			return
		}
		text := strings.TrimPrefix(u.Text(), "a ")
		again, err := users.New("").Set("a", strings.Fields(text))
		if err != nil || again.Text() != u.Text() {
			t.Fatalf("%q: %q is read as %v, %v", rules, text, again, err)
		}
	})
}
