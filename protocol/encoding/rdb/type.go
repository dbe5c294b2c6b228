package rdb

// Type is the byte that says what a value is made of (Redis 7.2 rdb.h). The numbers from 22 on mean different things to Redis and to Valkey and are
// not named here.
type Type byte

const (
	TypeString         Type = 0  // a string
	TypeList           Type = 1  // a length, strings
	TypeSet            Type = 2  // a length, strings
	TypeZSetText       Type = 3  // a length, strings each with a double in text
	TypeHash           Type = 4  // a length, fields and values as strings
	TypeZSet           Type = 5  // a length, strings each with a double of 8 bytes
	TypeModule         Type = 7  // a module's own
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
