package engine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"larder/engine"
)

// What users may do, as clients see it.
func TestACL(t *testing.T) {
	k := newBed(t, nil).client()
	k.says("+OK\r\n", "SET", "a", "1")
	k.says("$7\r\ndefault\r\n", "ACL", "WHOAMI")
	k.says("+OK\r\n", "ACL", "SETUSER", "reader", "on", ">pw", "+@read", "+acl|whoami", "-strlen", "~a*")
	k.says("-WRONGPASS invalid username-password pair or user is disabled.\r\n", "AUTH", "reader", "no")
	k.says("+OK\r\n", "AUTH", "reader", "pw")
	k.says("$6\r\nreader\r\n", "ACL", "WHOAMI")
	k.says("$1\r\n1\r\n", "GET", "a")
	k.says("-NOPERM User reader has no permissions to run the 'set' command\r\n", "SET", "a", "2")
	k.says("-NOPERM User reader has no permissions to run the 'strlen' command\r\n", "STRLEN", "a")
	k.says("-NOPERM No permissions to access a key\r\n", "GET", "b")
	k.says("-ERR unknown command 'NOSUCH', with args beginning with: \r\n", "NOSUCH")
	k.says("-NOPERM User reader has no permissions to run the 'acl|list' command\r\n", "ACL", "LIST")
	k.says("+RESET\r\n", "RESET")
	k.says("$7\r\ndefault\r\n", "ACL", "WHOAMI")
	k.says("*2\r\n$7\r\ndefault\r\n$6\r\nreader\r\n", "ACL", "USERS")
	k.says("+OK\r\n", "ACL", "DRYRUN", "reader", "GET", "a")
	k.says("$52\r\nUser reader has no permissions to access the 'b' key\r\n", "ACL", "DRYRUN", "reader", "GET", "b")
	k.says(":1\r\n", "ACL", "DELUSER", "reader", "nobody")
	k.says("-ERR The 'default' user cannot be removed\r\n", "ACL", "DELUSER", "default")
}

// A change reaches those who are the user already; a user that is gone loses its connections.
func TestACLChanges(t *testing.T) {
	b := newBed(t, nil)
	admin, other := b.client(), b.client()
	admin.says("+OK\r\n", "ACL", "SETUSER", "u", "on", "nopass", "+@all", "~*")
	other.says("+OK\r\n", "AUTH", "u", "any")
	other.says("+OK\r\n", "SET", "k", "v")
	admin.says("+OK\r\n", "ACL", "SETUSER", "u", "-set")
	other.says("-NOPERM User u has no permissions to run the 'set' command\r\n", "SET", "k", "v")
	admin.says(":1\r\n", "ACL", "DELUSER", "u")
	if !other.c.Closed {
		t.Error("the connection of a user that was deleted is open")
	}
}

// Who is subscribed to a channel that its user loses is cut off, others are not.
func TestACLChannels(t *testing.T) {
	b := newBed(t, nil)
	admin, loses, keeps := b.client(), b.client(), b.client()
	admin.says("+OK\r\n", "ACL", "SETUSER", "u", "on", "nopass", "+@all", "&a*", "&b")
	for _, k := range []*talker{loses, keeps} {
		k.says("+OK\r\n", "AUTH", "u", "any")
	}
	loses.says("-NOPERM No permissions to access a channel\r\n", "SUBSCRIBE", "c")
	loses.says("-NOPERM No permissions to access a channel\r\n", "PSUBSCRIBE", "a")
	loses.says("*3\r\n$10\r\npsubscribe\r\n$2\r\na*\r\n:1\r\n", "PSUBSCRIBE", "a*")
	keeps.says("*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:1\r\n", "SUBSCRIBE", "b")
	admin.says("+OK\r\n", "ACL", "SETUSER", "u", "resetchannels", "&b")
	if !loses.c.Closed || keeps.c.Closed {
		t.Errorf("closed: %v, want true; %v, want false", loses.c.Closed, keeps.c.Closed)
	}
}

// SORT by keys that are not among its arguments is for who may read every key, and where it stores is looked at.
func TestACLSort(t *testing.T) {
	k := newBed(t, nil).client()
	k.says(":2\r\n", "RPUSH", "a", "1", "2")
	k.says("+OK\r\n", "ACL", "SETUSER", "u", "on", "nopass", "+@all", "~a")
	k.says("*2\r\n$1\r\n2\r\n$1\r\n1\r\n", "SORT", "a", "BY", "secret*", "DESC")
	k.says("+OK\r\n", "AUTH", "u", "x")
	k.says("*2\r\n$1\r\n2\r\n$1\r\n1\r\n", "SORT", "a", "DESC")
	k.says("-ERR BY option of SORT denied due to insufficient ACL permissions\r\n", "SORT", "a", "BY", "secret*")
	k.says("-ERR GET option of SORT denied due to insufficient ACL permissions\r\n", "SORT_RO", "a", "GET", "secret*")
	k.says("-NOPERM No permissions to access a key\r\n", "SORT", "a", "STORE", "b")
	k.says("*2\r\n$1\r\n2\r\n$1\r\n1\r\n", "EVAL", "return redis.call('SORT', 'a', 'DESC')", "0")
	if got := k.do("EVAL", "return redis.call('SORT', 'a', 'GET', 'secret*')", "0"); got[0] != '-' {
		t.Errorf("a script reads what its user may not: %q", got)
	}
}

// requirepass is the default user's password, and both tell of each other.
func TestACLRequirePass(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	k.says("+OK\r\n", "CONFIG", "SET", "requirepass", "secret")
	k.says("+PONG\r\n", "PING")
	late := b.client()
	late.says("-NOAUTH Authentication required.\r\n", "GET", "k")
	late.says("+OK\r\n", "AUTH", "secret")
	late.says("$-1\r\n", "GET", "k")
	k.says("+OK\r\n", "CONFIG", "SET", "requirepass", "")
	b.client().says("$-1\r\n", "GET", "k")
}

func TestACLLog(t *testing.T) {
	k := newBed(t, nil).client()
	k.says("+OK\r\n", "ACL", "SETUSER", "u", "on", "nopass", "+get", "+auth", "~a")
	k.says("-WRONGPASS invalid username-password pair or user is disabled.\r\n", "AUTH", "nobody", "x")
	k.says("+OK\r\n", "AUTH", "u", "x")
	k.says("-NOPERM No permissions to access a key\r\n", "GET", "b")
	k.says("-NOPERM No permissions to access a key\r\n", "GET", "b")
	k.says("+RESET\r\n", "RESET")
	got := k.do("ACL", "LOG")
	for _, want := range []string{"*2\r\n*20\r\n", "$5\r\ncount\r\n:2\r\n", "$6\r\nreason\r\n$3\r\nkey\r\n", "$6\r\nobject\r\n$1\r\nb\r\n", "$6\r\nreason\r\n$4\r\nauth\r\n", "$8\r\nusername\r\n$6\r\nnobody\r\n", "$8\r\nentry-id\r\n:1\r\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("ACL LOG lacks %q: %q", want, got)
		}
	}
	k.says("+OK\r\n", "ACL", "LOG", "RESET")
	k.says("*0\r\n", "ACL", "LOG")
}

// Users are kept in a file and read again; a wrong file changes nothing.
func TestACLFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users.acl")
	if err := os.WriteFile(file, []byte("user default on nopass ~* &* +@all\nuser u on >pw +get ~*\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	k := newBed(t, func(o *engine.Options) { o.ACLFile = file }).client()
	k.says("*2\r\n$7\r\ndefault\r\n$1\r\nu\r\n", "ACL", "USERS")
	k.says("+OK\r\n", "ACL", "SETUSER", "v", "on")
	k.says("+OK\r\n", "ACL", "SAVE")
	k.says(":1\r\n", "ACL", "DELUSER", "v")
	k.says("+OK\r\n", "ACL", "LOAD")
	k.says("*3\r\n$7\r\ndefault\r\n$1\r\nu\r\n$1\r\nv\r\n", "ACL", "USERS")
	if err := os.WriteFile(file, []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := k.do("ACL", "LOAD"); !strings.HasPrefix(got, "-ERR "+file+":1: line must start with the 'user' keyword") {
		t.Errorf("a wrong file: %q", got)
	}
	k.says("*3\r\n$7\r\ndefault\r\n$1\r\nu\r\n$1\r\nv\r\n", "ACL", "USERS")
	plain := newBed(t, nil).client()
	if got := plain.do("ACL", "SAVE"); !strings.HasPrefix(got, "-ERR This Redis instance is not configured to use an ACL file.") {
		t.Errorf("without a file: %q", got)
	}
}
