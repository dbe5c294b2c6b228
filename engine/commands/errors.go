package commands

import (
	"bytes"

	"larder/protocol/command"
)

// Errors as Redis 7.0.15 writes them. A function that makes options of arguments gives one of them as its last result, or noError.
const (
	noError = ""

	errWrongType = "WRONGTYPE Operation against a key holding the wrong kind of value"

	errSyntax         = "ERR syntax error"
	errNotInt         = "ERR value is not an integer or out of range"
	errNotFloat       = "ERR value is not a valid float"
	errInfinite       = "ERR increment would produce NaN or Infinity"
	errOverflow       = "ERR increment or decrement would overflow"
	errDecrOverflow   = "ERR decrement would overflow"
	errTooLong        = "ERR string exceeds maximum allowed size (proto-max-bulk-len)"
	errOffset         = "ERR offset is out of range"
	errNoKey          = "ERR no such key"
	errSameObject     = "ERR source and destination objects are the same"
	errDBRange        = "ERR DB index is out of range"
	errNotInt32       = "ERR value is out of range, value must between -2147483648 and 2147483647"
	errNXAndOthers    = "ERR NX and XX, GT or LT options at the same time are not compatible"
	errGTAndLT        = "ERR GT and LT options at the same time are not compatible"
	errBit            = "ERR bit is not an integer or out of range"
	errBitOffset      = "ERR bit offset is not an integer or out of range"
	errBitArgument    = "ERR The bit argument must be 1 or 0."
	errBitOpNot       = "ERR BITOP NOT must be called with a single source key."
	errFieldType      = "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."
	errOverflowType   = "ERR Invalid OVERFLOW type specified"
	errFieldReadOnly  = "ERR BITFIELD_RO only supports the GET subcommand"
	errLCSType        = "ERR The specified keys must contain string values"
	errLenAndIdx      = "ERR If you want both the length and indexes, please just use IDX."
	errLCSMemory      = "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"
	errIndex          = "ERR index out of range"
	errCountPositive  = "ERR count should be greater than 0"
	errPosRank        = "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list"
	errPosCount       = "ERR COUNT can't be negative"
	errPosMaxLen      = "ERR MAXLEN can't be negative"
	errBusyKey        = "BUSYKEY Target key name already exists."
	errTTL            = "ERR Invalid TTL value, must be >= 0"
	errIdleTime       = "ERR Invalid IDLETIME value, must be >= 0"
	errFrequency      = "ERR Invalid FREQ value, must be >= 0 and <= 255"
	errPayload        = "ERR DUMP payload version or checksum are wrong"
	errBadFormat      = "ERR Bad data format"
	errNoFrequency    = "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."
	errNoIdleTime     = "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."
	errSlot           = "ERR Invalid slot"
	errSlotOrCount    = "ERR Invalid slot or number of keys"
	errOptionUnknown  = "ERR Unsupported option "
	errExpireTimeHead = "ERR invalid expire time in '"
)

func errExpireTime(row *command.Row) string { return errExpireTimeHead + row.Name + "' command" }

// errOption repeats what the client sent up to its first NUL, since Redis formats it as a C string.
func errOption(word []byte) string { return errOptionUnknown + cString(word) }

// cString is a text up to its first NUL.
func cString(word []byte) string {
	if i := bytes.IndexByte(word, 0); i >= 0 {
		word = word[:i]
	}
	return string(word)
}
