package proxy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"larder/protocol/resp"
)

// keysOn are a key of each shard.
func (r *radio) keysOn() []string {
	on := make([]string, len(r.nodes))
	for i, left := 0, len(on); left > 0; i++ {
		key := fmt.Sprint("k", i)
		if at := &on[r.parts[0].topo.ShardOf([]byte(key))]; *at == "" {
			*at = key
			left--
		}
	}
	return on
}

// wireOf is the connection of a lane.
func (r *radio) wireOf(ln *lane) *radioWire {
	for _, w := range r.wires {
		if w.a.Conn == ln.c {
			return w
		}
	}
	r.t.Fatal("the lane has no connection")
	return nil
}

const publishing = "return redis.call('PUBLISH', ARGV[1], ARGV[2])"

// TestOrderOverShards: what a session publishes by scripts, transactions and plainly, on one node after the other, comes in that order, though the first
// node's messages take longer on their way, but not for ever: a node that does not send them is waited for half a second.
func TestOrderOverShards(t *testing.T) {
	for _, proto := range []int{2, 3} {
		r := newRadio(t, 1, 3, 1, 1)
		ear, k := r.clientOf(0, 3), r.clientOf(1, proto)
		keys := r.keysOn()
		ear.says(told(3, "subscribe", keys[1], "1"), "SUBSCRIBE", keys[1])
		ways := map[string]func(key, text string){
			"script": func(key, text string) { k.do("EVAL", publishing, "1", key, keys[1], text) },
			"piece": func(key, text string) {
				for _, words := range []string{"MULTI", "SET " + key + " v", "PUBLISH " + keys[1] + " " + text, "EXEC"} {
					k.do(strings.Fields(words)...)
				}
			},
			"plain": func(_, text string) { k.do("PUBLISH", keys[1], text) },
		}
		for _, order := range []string{"script piece", "piece script", "script plain", "plain script", "plain piece", "piece plain"} {
			first, second, _ := strings.Cut(order, " ")
			at, then := 0, 1 // the plain ones are the second node's
			if first == "plain" {
				at, then = 1, 2
			}
			slow := r.wireOf(r.parts[0].shards[at].ear.ln)
			slow.held = true
			ways[first](keys[at], "1")
			ways[second](keys[then], "2")
			ear.hears("")
			slow.held = false
			r.settle(10 * time.Millisecond)
			if got, want := ear.all(), told(3, "message", keys[1], "1")+told(3, "message", keys[1], "2"); got != want {
				t.Errorf("RESP%d, %s: got %q", proto, order, got)
			}
			slow.held = true
			ways[first](keys[at], "3")
			ways[second](keys[then], "4")
			r.settle(time.Duration(passMax) + 100*time.Millisecond)
			ear.hears(told(3, "message", keys[1], "4"))
			slow.held = false
			r.settle(10 * time.Millisecond)
			ear.hears(told(3, "message", keys[1], "3"))
		}
	}
}

// TestOrderIsFree: who publishes plainly, or runs scripts that do not publish, waits for nothing.
func TestOrderIsFree(t *testing.T) {
	r := newRadio(t, 1, 3, 1)
	k := r.clientOf(0, 2)
	keys := r.keysOn()
	for _, key := range keys { // lanes are there
		k.do("GET", key)
	}
	stalls := r.parts[0].count.pauses
	var pipeline []byte
	for i := range 30 {
		key := keys[i%3]
		pipeline = resp.AppendCommandStrings(pipeline, "PUBLISH", key, "x")
		pipeline = resp.AppendCommandStrings(pipeline, "EVAL", "return redis.call('GET', KEYS[1])", "1", key)
	}
	k.c.Feed(pipeline)
	r.settle(10 * time.Millisecond)
	if got := k.all(); got != strings.Repeat(":0\r\n$-1\r\n", 30) {
		t.Errorf("got %q", got)
	}
	if n := r.parts[0].count.pauses - stalls; n > 0 {
		t.Errorf("it had to wait %d times", n)
	}
}

// TestMayPublish: what is taken for a script that publishes.
func TestMayPublish(t *testing.T) {
	r := newRadio(t, 1, 1, 1)
	k := r.clientOf(0, 2)
	sha := func(text string) string {
		body, _ := resp.BulkOf([]byte(k.do("SCRIPT", "LOAD", text)))
		return string(body)
	}
	loaded, there := sha("return 1"), sha("redis.call('publish','a','b')")
	r.parts[0].g.scripts.now.Store(&texts{}) // both came by another gateway
	for range 2 {                            // the first time the node is asked
		k.do("EVALSHA", loaded, "0")
		k.do("EVALSHA", there, "0")
	}
	for command, want := range map[string]bool{
		"EVAL return 0": false, "EVAL redis.call('publish','a','b') 0": true, "EVAL redis.pCall(\"PubLish\") 0": true, "EVAL redis.call(ARGV[1]) 0 PUBLISH a b": true,
		"EVAL redis.call(ARGV[1]) 0 republish": false, "EVAL_RO redis.call('publish') 0": false, "EVALSHA " + loaded + " 0": false, "EVALSHA " + there + " 0": true,
		"EVALSHA 0123456789012345678901234567890123456789 0": true, "FCALL f 0": true,
	} {
		var args [][]byte
		for _, word := range strings.Fields(command) {
			args = append(args, []byte(word))
		}
		row, _ := k.session().p.g.find(args)
		if got := k.session().mayPublish(r.parts[0].shards[0], row, args); got != want {
			t.Errorf("%s: %v", command, got)
		}
	}
}
