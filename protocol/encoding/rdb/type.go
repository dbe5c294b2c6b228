package rdb

// Type says what a value is made of (Redis 7.2 rdb.h). Up to 21 it is the byte in the file.
type Type byte

const (
	TypeString         Type = 0  // a string
	TypeList           Type = 1  // a length, strings
	TypeSet            Type = 2  // a length, strings
	TypeZSetText       Type = 3  // a length, strings each with a double in text
	TypeHash           Type = 4  // a length, fields and values as strings
	TypeZSet           Type = 5  // a length, strings each with a double of 8 bytes
	TypeModule1        Type = 6  // of a module of Redis 4.0 before its release: nobody but the module knows where it ends
	TypeModule         Type = 7  // of a module: its number, then values that say what they are
	TypeHashZipmap     Type = 9  // a string that is a zipmap
	TypeListZiplist    Type = 10 // a string that is a ziplist
	TypeSetIntset      Type = 11 // a string that is an intset
	TypeZSetZiplist    Type = 12 // a string that is a ziplist of members and scores
	TypeHashZiplist    Type = 13 // a string that is a ziplist of fields and values
	TypeListQuicklist  Type = 14 // a length, strings that are ziplists
	TypeStream         Type = 15 // up to Redis 6.2
	TypeHashListpack   Type = 16 // a string that is a listpack of fields and values
	TypeZSetListpack   Type = 17 // a string that is a listpack of members and scores
	TypeListQuicklist2 Type = 18 // a length, nodes: a length Node… and a string
	TypeStream2        Type = 19 // Redis 7.0
	TypeSetListpack    Type = 20 // a string that is a listpack; Redis 7.2
	TypeStream3        Type = 21 // Redis 7.2
)

// What the string of a quicklist's node is.
const (
	NodePlain  = 1 // one element
	NodePacked = 2 // a listpack
)

// The numbers from 22 on mean one thing to Redis and another to Valkey. Valkey's are named by their numbers; Redis's are redisOnly more here than in a file,
// and TypeOf tells them apart.
const redisOnly = 100

const (
	TypeHashTimed Type = 22 // Valkey 9.0: a length, fields and values as strings, each pair with its expiry as i64 LE in milliseconds since 1970, -1 = none

	TypeHashExpiriesEarly     Type = redisOnly + 22 // Redis 7.4 before its release: a length, expiries as lengths (0 = none), fields and values
	TypeHashPackExpiriesEarly Type = redisOnly + 23 // a string that is a listpack of fields, values and expiries
	TypeHashExpiries          Type = redisOnly + 24 // Redis 7.4: the least expiry as i64 LE, then a length, expiries less the least and one more (0 = none), fields and values
	TypeHashPackExpiries      Type = redisOnly + 25 // the least expiry as i64 LE, then a string that is a listpack of fields, values and expiries
	TypeStream4               Type = redisOnly + 26 // Redis 8.6
)

// forkVersion is the first version of Redis's that has types of the numbers that Valkey has given away too.
const forkVersion = 12

// Byte is what stands for the type in a file or payload of a version that has it.
func (t Type) Byte() byte {
	if t >= redisOnly {
		t -= redisOnly
	}
	return byte(t)
}

// TypeOf gives the type that a byte stands for in a file or payload of that version. Not ok: there is none of that number. Up to Redis 7.2 nobody had numbers
// from 22 on: in what says such a version, 22 is Valkey's, since Larder writes payloads so, and the others Redis's, since it writes files so.
func TypeOf(b byte, version int, valkey bool) (t Type, ok bool) {
	switch {
	case b <= byte(TypeStream3):
		return Type(b), b != 8
	case valkey || version < forkVersion && Type(b) == TypeHashTimed:
		return Type(b), Type(b) == TypeHashTimed
	default:
		t = Type(b) + redisOnly
		return t, t >= TypeHashExpiriesEarly && t <= TypeStream4
	}
}
