package engine_test

import "slices"

// What a node tells otherwise than the servers that it is compared with, and why that is right.
const (
	asUnlink    = "a value's memory is always given back behind the reply: as Redis with lazyfree-lazy-…"
	byTheWay    = "the key that was given a time that is over dies with the next command that comes to pass time, not at once"
	oneSRem     = "one SREM does for all; which members go is chance"
	sameMS      = "the node's clock stands still between commands"
	groupRead   = "the group's ENTRIESREAD would else be another on a replica, as in Valkey"
	consumer    = "a consumer that has got nothing is told too"
	noPayload80 = "payloads of version 80 are refused"
	isExact     = "the arguments are told as they were understood"
	judged      = "conditions were judged already, and hold for fields that have died there"
	noCondition = "conditions were judged already"
	hidden      = "what redis.set_repl hides is hidden, SPOP too"
)

func said(reason, ours string, lines ...string) (all []difference) {
	for _, line := range lines {
		all = append(all, difference{line, ours, reason})
	}
	return all
}

var differencesStreams = slices.Concat(
	said(sameMS, `0: XADD x MAXLEN "=" 2 <ms>-1 f v`, `XADD x MAXLEN ~ 100 * f v`),
	said(sameMS, `0: XADD x MINID "=" 9999999999999-1 9999999999999-9 f v`, `XADD x MINID ~ 5 9999999999999-9 f v`), // blocks end elsewhere
	said(consumer, `0: XGROUP CREATECONSUMER y g c3`, `XREADGROUP GROUP g c3 STREAMS y >`),
	said(consumer, `0: XGROUP CREATECONSUMER y g c6`, `XCLAIM y g c6 999999999 3-1`),
	said(consumer, `MULTI; 0: XCLAIM y g c5 0 3-1 TIME <ms> RETRYCOUNT 2 FORCE JUSTID LASTID 3-1; 0: XGROUP CREATECONSUMER y g c7; EXEC`, `XAUTOCLAIM y g c7 0 0`),
	said(consumer, `0: XGROUP CREATECONSUMER newx g c9`, `other> XREADGROUP GROUP g c9 BLOCK 0 STREAMS newx >   (blocks)`),
)

var differencesRecorded70 = slices.Concat(differencesStreams,
	said(asUnlink, `0: UNLINK k`, `EXPIRE k -1`),
	said(asUnlink, `0: UNLINK e2`, `GETEX e2 PXAT 1`),
	said(asUnlink, `0: UNLINK e3`, `GETDEL e3`),
	said(asUnlink, `0: UNLINK s`, `SPOP s 3`, `SPOP s 1`),
	said(asUnlink, `0: UNLINK gone`, `GET gone`),
	said(asUnlink, `MULTI; 0: UNLINK gone; 0: SET gone new; EXEC`, `SET gone new`),
	said(asUnlink, `MULTI; 0: UNLINK gone2; 0: RENAME gone gone2; EXEC`, `RENAME gone gone2`),
	said(asUnlink, `MULTI; 0: UNLINK goneh; 0: HSET goneh g v; EXEC`, `HSET goneh g v`),
	said(asUnlink, `0: UNLINK active`, `(wait 400 ms)`),
	said(byTheWay, `0: SET past v PXAT 1`, `SET past v PXAT 1`),
	said(byTheWay, `0: UNLINK past`, `BZPOPMIN z 0.01`),
	said(oneSRem, `0: SREM sbig \d \d`, `SPOP sbig 2`),
	said(groupRead, `MULTI; 0: XCLAIM y g c1 0 1-1 TIME <ms> RETRYCOUNT 1 FORCE JUSTID LASTID 1-1; 0: XGROUP SETID y g 1-1 ENTRIESREAD 1; EXEC`,
		`XREADGROUP GROUP g c1 COUNT 1 STREAMS y >`),
	said(groupRead, `MULTI; 0: XCLAIM y g c2 0 3-1 TIME <ms> RETRYCOUNT 1 FORCE JUSTID LASTID 3-1; 0: XGROUP SETID y g 3-1 ENTRIESREAD 3; EXEC`,
		`XREADGROUP GROUP g c2 STREAMS y >`),
	said(groupRead, `0: XADD newx 1-1 a b; MULTI; 0: XCLAIM newx g c9 0 1-1 TIME <ms> RETRYCOUNT 1 FORCE JUSTID LASTID 1-1; 0: XGROUP SETID newx g 1-1 ENTRIESREAD 1; EXEC`,
		`XADD newx 1-1 a b`),
)

var differencesRecorded91 = slices.Concat(differencesStreams,
	said(asUnlink, `0: UNLINK e3`, `GETDEL e3`),
	said("a value that is over is set and dies", `0: SET past v PXAT 1`, `SET past v PXAT 1`),
	said(byTheWay, `0: UNLINK past`, `BZPOPMIN z 0.01`),
	said(noPayload80, ``, `RESTORE r2 0 "\x00\x01vP\x00^\"\x07#\x87j\xed:"`, `RESTORE r2 100000 "\x00\x01vP\x00^\"\x07#\x87j\xed:" REPLACE`,
		`RESTORE r2 4102444800000 "\x00\x01vP\x00^\"\x07#\x87j\xed:" REPLACE ABSTTL`),
	said(oneSRem, `0: SREM sbig \d \d`, `SPOP sbig 2`),
)

var differencesFields = slices.Concat(
	said(judged, `0: HPEXPIREAT h 4102444800000 FIELDS 1 c`, `HPEXPIREAT h 4102444800000 FIELDS 2 c nosuch`),
	said(judged, `0: HPEXPIREAT h 4102444800009 FIELDS 2 c b`, `HPEXPIREAT h 4102444800009 GT FIELDS 2 c b`),
	said(judged, `0: HPERSIST h FIELDS 1 a`, `HPERSIST h FIELDS 2 a nosuch`),
	said(judged, `0: HDEL h y`, `HGETDEL h FIELDS 2 y nosuch`),
	said("HINCRBY keeps the field's time by itself", `0: HINCRBY h c 1`, `HINCRBY h c 1`),
	said("HDEL of the last field deletes the key", `0: HDEL h3 a`, `(wait 500 ms)`),
	said(noPayload80, ``, `RESTORE h7 0 "\x16\x01\x01a\xc0\x01T!L\x07\xa2\x01\x00\x00P\x00\xa0l\xac\xc9m;g\xf4"`,
		`RESTORE h7 100000 "\x16\x01\x01a\xc0\x01T!L\x07\xa2\x01\x00\x00P\x00\xa0l\xac\xc9m;g\xf4" REPLACE`,
		`RESTORE h7 4102444800000 "\x16\x01\x01a\xc0\x01T!L\x07\xa2\x01\x00\x00P\x00\xa0l\xac\xc9m;g\xf4" REPLACE ABSTTL`),
)

var differencesRedis = slices.Concat(
	said(asUnlink, `0: UNLINK d`, `RESTORE d 1 "\x00\x01v\n\x00\x91\x08\xce\xb2\x198\x8a\xce" ABSTTL REPLACE`),
	said(asUnlink, `0: UNLINK one`, `SPOP one 5`),
	said(noCondition, `0: PEXPIREAT d 4102444800000`, `EXPIREAT d 4102444800 NX`),
	said(noCondition, `0: PEXPIREAT d <ms>`, `EXPIRE d 100 LT`),
	said(isExact, `0: XADD x MAXLEN "=" 5 5-1 a 5`, `XADD x MAXLEN ~ 2 LIMIT 10 5-1 a 5`),
	said(isExact, `0: XADD x MINID "=" 2-0 6-1 a 6`, `XADD x MINID = 2 6-1 a 6`),
	said(isExact, `0: XTRIM x MINID "=" 3-0`, `XTRIM x MINID 3`),
	said(isExact, `0: XTRIM x MAXLEN "=" 3`, `XTRIM x MAXLEN 3`),
	said(isExact, `0: XADD x MAXLEN "=" 3 7-1 a 7`, `XADD x MAXLEN 3 7-1 a 7`),
	said(groupRead, `MULTI; 0: XCLAIM x g c 0 6-1 TIME <ms> RETRYCOUNT 1 FORCE JUSTID LASTID 6-1; 0: XGROUP SETID x g 6-1 ENTRIESREAD 2; EXEC`,
		`XREADGROUP GROUP g c COUNT 1 STREAMS x >`),
	said(consumer, `0: XGROUP CREATECONSUMER x g new`, `XREADGROUP GROUP g new COUNT 1 STREAMS x 0`),
	said(consumer, `0: XGROUP CREATECONSUMER x g c3`, `XCLAIM x g c3 0 7-1 TIME 1 RETRYCOUNT 5`),
	said(consumer, `0: XGROUP CREATECONSUMER x g c4`, `XAUTOCLAIM x g c4 0 0 COUNT 1`),
	said(hidden, ``,
		`EVAL "redis.set_repl(redis.REPL_NONE); redis.call('sadd', KEYS[1], '1', '2'); redis.call('spop', KEYS[1], 1); redis.call('incrbyfloat', KEYS[2], '1')" 2 hid fl`),
)
