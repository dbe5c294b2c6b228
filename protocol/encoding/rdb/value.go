package rdb

// Value is a key and what belongs to it, as a file has them. Nothing is decoded but the key, and all of it is a stranger's.
type Value struct {
	Key      []byte
	Type     Type
	Body     []byte // what follows the key
	ExpiryMS int64  // milliseconds since 1970; 0 = none
	IdleS    int64  // seconds for which it was not looked at; -1 = not told
	Freq     int    // 0 to 255, Redis's logarithmic counter of how often it was looked at; -1 = not told
}

// ModuleName takes a module's number apart: the name of its type, of nine letters, and the version of its encoding (Redis 7.0 module.c).
func ModuleName(number uint64) (name string, version int) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	const length, letterBits, versionBits = 9, 6, 10
	var out [length]byte
	left := number >> versionBits
	for i := length - 1; i >= 0; i-- {
		out[i] = letters[left&(1<<letterBits-1)]
		left >>= letterBits
	}
	return string(out[:]), int(number & (1<<versionBits - 1))
}
