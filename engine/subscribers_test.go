package engine_test

import "testing"

// TestSubscribers: PUBLISH and PUBSUB count the clients behind a gateway's lane, also from within scripts and transactions, and forget them with the lane.
func TestSubscribers(t *testing.T) {
	b := newBed(t, nil)
	lane, plain, k := b.client(), b.client(), b.client()
	lane.do("HELLO", "3")
	lane.do("LARDER", "HELLO", "1")
	lane.do("SUBSCRIBE", "a", "b")
	lane.do("PSUBSCRIBE", "a*")
	lane.do("SSUBSCRIBE", "s")
	lane.talk(`
		LARDER SUBSCRIBERS channel a 5 PATTERN a* 3 shard s 2 channel nosuch 9 => +OK
		LARDER SUBSCRIBERS channel a => -ERR wrong number of arguments for 'larder|subscribers' command
		LARDER SUBSCRIBERS channel a 1 x => -ERR syntax error
		LARDER SUBSCRIBERS what a 1 => -ERR syntax error
		LARDER SUBSCRIBERS channel a 0 => -ERR value is not an integer or out of range
	`)
	plain.do("SUBSCRIBE", "a")
	k.talk(`
		PUBSUB NUMSUB a b nosuch => *6\r\n$1\r\na\r\n:6\r\n$1\r\nb\r\n:1\r\n$6\r\nnosuch\r\n:0
		PUBSUB SHARDNUMSUB s => *2\r\n$1\r\ns\r\n:2
		PUBLISH a x => :9
		PUBLISH ab x => :3
		SPUBLISH s x => :2
		EVAL return{redis.call('publish','a','x'),redis.call('spublish','s','x')} 0 => *2\r\n:9\r\n:2
		MULTI => +OK
		PUBLISH a x => +QUEUED
		EXEC => *1\r\n:9
	`)
	lane.do("LARDER", "SUBSCRIBERS", "channel", "a", "2")
	k.talk(`PUBLISH a x => :6`)
	lane.do("UNSUBSCRIBE", "a")
	k.talk(`PUBLISH a x => :4`)
	lane.do("SUBSCRIBE", "a")
	k.talk(`PUBLISH a x => :5`)
	lane.c.Hangup(nil)
	k.talk(`
		PUBLISH a x => :1
		PUBSUB SHARDNUMSUB s => *2\r\n$1\r\ns\r\n:0
	`)
}
