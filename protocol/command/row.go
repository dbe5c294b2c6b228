// Package command holds every command once: one Row a command or subcommand with its name, arity, flags, keys, categories and the way
// a gateway routes it and merges the replies. The gateway's routing, the node's dispatch, the COMMAND family, access rules and the fuzzers'
// dictionary all read these rows, so that they cannot drift apart.
//
// What must hold: IDs are dense from 1 (ByID is an index), names are lower case and unique, and where Redis has the row its facts are
// Redis's (a test compares them with a running redis-server). Rows are built before main and never change afterwards: everything here may
// be called from any goroutine. The package is pure: no goroutine, no clock, no I/O, and Lookup, Sub and KeyPositions do not allocate.
package command

// Row is one command, or one subcommand of a container. It is read-only for everybody.
type Row struct {
	ID     ID     // 0: of an Overlay
	Name   string // lower case; a subcommand is "client|list"
	Parent ID     // the container, 0 for a command
	Subs   []ID   // of a container: its subcommands in order, else empty
	own    []*Row // likewise, of an Overlay's

	Arity      int // counts the name(s); negative: at least that many
	Flags      Flags
	Categories Categories // complete: those that follow from Flags are in it

	// The classic key range, derived from KeySpecs as Redis derives it: indexes in args, Last < 0 counts from the end; all 0 without keys.
	First, Last, Step int
	KeySpecs          []KeySpec

	Request  Request
	Response Response
	Tips     []string // as COMMAND INFO prints them; where Redis has the row these are Redis's, Request and Response are ours

	Group string // "string", "generic" ...: a heading of the documentation
	Since string // Redis's version (or Larder's, for our own rows) that had it first
}

// Flags says how a command may be run. Bits are in the order in which COMMAND INFO names them.
type Flags uint32

// The names are Redis's; a flag COMMAND INFO does not print is marked hidden.
const (
	Write Flags = 1 << iota
	ReadOnly
	DenyOOM
	Admin
	PubSub
	NoScript
	Blocking
	Loading
	Stale
	SkipMonitor
	SkipSlowlog
	Asking
	Fast
	NoAuth
	MayReplicate // hidden: CLIENT PAUSE WRITE holds it back, and a script that does not write must not run it
	NoMandatoryKeys
	NoAsyncLoading
	NoMulti
	AllowBusy
	MovableKeys          // keys cannot be told from First, Last, Step alone
	TouchesArbitraryKeys // hidden: looks at keys that are not among its arguments
	NodeOnly             // hidden: a gateway does not know it
	OverShards           // hidden: reads, and where its keys lie on several shards a gateway gathers what they hold (XREADGROUP, which writes, asks for each)
	InSteps              // hidden: writes, and where its keys lie on several shards a gateway may be told to do it in steps
	Module               // of an Overlay: a server has it from a module
)

// Has reports whether all bits of want are set.
func (f Flags) Has(want Flags) bool { return f&want == want }

// Categories is a set of ACL categories. Bits are in the order in which COMMAND INFO names them.
type Categories uint32

// Redis's ACL categories.
const (
	CatKeyspace Categories = 1 << iota
	CatRead
	CatWrite
	CatSet
	CatSortedSet
	CatList
	CatHash
	CatString
	CatBitmap
	CatHyperLogLog
	CatGeo
	CatStream
	CatPubSub
	CatAdmin
	CatFast
	CatSlow
	CatBlocking
	CatDangerous
	CatConnection
	CatTransaction
	CatScripting
)

// Request says to whom a gateway sends a command.
type Request uint8

const (
	RequestKey        Request = iota // to the shard of its key(s); all keys in one slot, else CROSSSLOT
	RequestMultiShard                // split by key: one sub-command a shard
	RequestAllShards                 // to every shard, once
	RequestAllNodes                  // to every node, replicas too
	RequestSpecial                   // the gateway has its own code for it (SCAN, RANDOMKEY, what concerns one slot)
	RequestLocal                     // answered where it arrives, whatever a shard would say
)

// Response says how a gateway makes one reply of several.
type Response uint8

const (
	// ResponseDefault: one reply is passed on; of RequestMultiShard the elements are put in the order of the keys (MGET); of RequestAllShards
	// the arrays are joined in any order (KEYS).
	ResponseDefault Response = iota
	ResponseOneSucceeded
	ResponseAllSucceeded // the first error, else one of the (equal) replies
	ResponseAggSum
	ResponseAggMin
	ResponseAggMax
	ResponseAggLogicalAnd
	ResponseAggLogicalOr
	ResponseSpecial
)

// KeyFlags says what a command does to the keys of one KeySpec. Bits are in the order in which COMMAND INFO names them.
type KeyFlags uint16

// Exactly one of RO, RW, OW, RM is set in each spec; the others say what happens to the value's content.
const (
	KeyRO KeyFlags = 1 << iota
	KeyRW
	KeyOW
	KeyRM
	KeyAccess
	KeyUpdate
	KeyInsert
	KeyDelete
	KeyNotKey
	KeyIncomplete
	KeyVariable // the flags depend on other arguments: see variableFlags
)

// BeginKind says how the first key of a KeySpec is found.
type BeginKind uint8

const (
	BeginUnknown BeginKind = iota
	BeginIndex             // at Index
	BeginKeyword           // behind the word Keyword, searched from From
)

// FindKind says how the other keys of a KeySpec are found from the first.
type FindKind uint8

const (
	FindUnknown FindKind = iota
	FindRange            // up to LastKey, every Step, Limit
	FindKeyNum           // as many as the number at KeyNumIndex says, from FirstKey
)

// KeySpec tells where keys stand among the arguments, as COMMAND INFO prints it. Offsets of FindKeys count from where Begin ended.
type KeySpec struct {
	Notes string
	Flags KeyFlags

	Begin   BeginKind
	Index   int    // BeginIndex
	Keyword string // BeginKeyword
	From    int    // BeginKeyword: first argument looked at; negative: from the end, backwards

	Find        FindKind
	LastKey     int // FindRange: offset of the last key; negative: from the end of the arguments
	Step        int // FindRange, FindKeyNum: from key to key
	Limit       int // FindRange with LastKey -1: only the first 1/Limit of the rest; 0 and 1: all
	KeyNumIndex int // FindKeyNum: offset of the number
	FirstKey    int // FindKeyNum: offset of the first key
}

// ArityOK reports whether a command of n arguments, its name(s) counted, has as many as it needs.
func (r *Row) ArityOK(n int) bool {
	if r.Arity < 0 {
		return n >= -r.Arity
	}
	return n == r.Arity
}
