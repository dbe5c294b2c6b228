package engine_test

import (
	"strings"
	"testing"
)

// A gateway says for whom scripts run; all else that the lane runs is the gateway's own affair.
func TestLarderUser(t *testing.T) {
	b := newBed(t, nil)
	lane := b.client()
	lane.says("+OK\r\n", "SET", "other", "1")
	lane.says("+OK\r\n", "LARDER", "USER", "u", "~k*", "resetchannels", "-@all", "+get", "+sort", "(~w* resetchannels -@all +set)")
	lane.says("$1\r\n1\r\n", "GET", "other")
	lane.says("$-1\r\n", "EVAL", "return redis.call('get', 'k')", "0")
	lane.says("+OK\r\n", "EVAL", "return redis.call('set', 'w', 1)", "0")
	for _, script := range []string{"return redis.call('get', 'other')", "return redis.call('set', 'k', 1)", "return redis.call('sort', 'k', 'by', 'x*')", "return redis.call('publish', 'c', 'm')"} {
		if got := lane.do("EVAL", script, "0"); !strings.HasPrefix(got, "-ERR ") || !strings.Contains(got, "can't") && !strings.Contains(got, "denied") {
			t.Errorf("%s: %q", script, got)
		}
	}
	lane.says("*2\r\n$-1\r\n:1\r\n", "EVAL", "return {redis.acl_check_cmd('set', 'k', 1), redis.acl_check_cmd('get', 'k') and 1}", "0")
	lane.says("-ERR Error in ACL SETUSER modifier '+nosuch': Unknown command or category name in ACL\r\n", "LARDER", "USER", "u", "+nosuch")
	lane.says("+OK\r\n", "LARDER", "USER")
	lane.says("$1\r\n1\r\n", "EVAL", "return redis.call('get', 'other')", "0")
}
