package engine_test

import (
	"strings"
	"testing"
)

// TestScriptsKeepToTheirSlots: what a script that came over a lane touches must be of the node's slots: those of its assignment, or those that the lane
// says if it has none. Nothing of the call is done. A plain client is not asked.
func TestScriptsKeepToTheirSlots(t *testing.T) {
	const (
		put       = "return redis.pcall('mset', 'mine', 1, ARGV[1], 2)"
		elsewhere = "-ERR Script attempted to access a non local key in a cluster node\r\n"
		ofAll     = "-ERR Script attempted to look at the keys of all shards: it runs on one of them\r\n"
	)
	// Of three shards, {foo} is the third's, {bar} the first's.
	mine, other, theirs := "{foo}mine", "{foo}other", "{bar}theirs"
	script := strings.ReplaceAll(put, "mine", mine)
	b := newBed(t, nil)
	lane, plain := b.client(), b.client()
	lane.do("LARDER", "HELLO", "1")
	lane.says("+OK\r\n", "EVAL", script, "0", theirs) // the lane has not said which slots
	lane.says("+OK\r\n", "FLUSHALL")

	third := topology(t, 7, 3)
	check := func() {
		t.Helper()
		lane.says("+OK\r\n", "EVAL", script, "0", other)
		lane.says(":2\r\n", "DEL", mine, other)
		lane.says(elsewhere, "EVAL", script, "0", theirs)
		lane.says(":0\r\n", "EXISTS", mine)
		lane.says(ofAll, "EVAL", "return redis.pcall('dbsize')", "0")
		lane.says(ofAll, "EVAL", "return redis.pcall('scan', 0)", "0")
		if got := lane.do("EVAL", "redis.call('set', '"+mine+"', 1) redis.call('get', '"+theirs+"')", "0"); !strings.HasPrefix(got, elsewhere[:len(elsewhere)-2]+" script: ") {
			t.Errorf("an error that ends the script: %q", got)
		}
		lane.says(":1\r\n", "DEL", mine) // what it did before stays done, as in Redis
		lane.says("+OK\r\n", "MULTI")
		lane.says("+QUEUED\r\n", "EVAL", script, "0", theirs)
		lane.says("*1\r\n"+elsewhere, "EXEC")
		plain.says("+OK\r\n", "EVAL", script, "0", theirs)
		plain.says(":2\r\n", "DEL", mine, theirs)
	}
	lane.says("-ERR slots \"x\": want a slot or from-to, from 0 to 16383\r\n", "LARDER", "SLOTS", "x")
	lane.says("+OK\r\n", "LARDER", "SLOTS", "10912-16383")
	check()
	lane.says("+OK\r\n", "LARDER", "SLOTS", "0-16383")
	lane.says("+OK\r\n", "EVAL", script, "0", theirs)
	lane.says(":2\r\n", "DEL", mine, theirs)

	lane.says("+OK\r\n", "LARDER", "SLOTS", "0-100") // the assignment goes before it
	if err := b.node.Assign(2, third); err != nil {
		t.Fatal(err)
	}
	lane.says("+OK\r\n", "LARDER", "TERM", "7")
	check()
	lane.says("-ERR Can not run script on cluster, 'no-cluster' flag is set.\r\n", "EVAL", "#!lua flags=no-cluster\nreturn 1", "0")
	plain.says(":1\r\n", "EVAL", "#!lua flags=no-cluster\nreturn 1", "0")
}

// TestHelloTellsFunctions: a gateway learns whether the node has any.
func TestHelloTellsFunctions(t *testing.T) {
	k := newBed(t, nil).client()
	for want, code := range []string{"", "#!lua name=a\nredis.register_function('f', function() return 1 end)", "#!lua name=b\nredis.register_function('g', function() return 1 end)"} {
		if code != "" {
			k.do("FUNCTION", "LOAD", code)
		}
		if got := k.do("LARDER", "HELLO", "1"); !strings.HasSuffix(got, "$9\r\nfunctions\r\n:"+string('0'+rune(want))+"\r\n") {
			t.Errorf("with %d libraries: %q", want, got)
		}
	}
}
