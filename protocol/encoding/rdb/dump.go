package rdb

import (
	"encoding/binary"
	"errors"

	"larder/protocol/encoding/crc64"
)

// A DUMP payload is a type byte, the value, and a footer: the version of the forms as u16 LE, and the CRC-64 of all before it as u64 LE.
const (
	versionLen = 2
	footerLen  = versionLen + 8
)

const (
	valkeyPayload = 80 // the first version of a payload that is Valkey's own

	typeNone Type = 255 // of a payload with a type that there is not
)

// Version is the version of RDB that is written: Redis 7.0's, which every Redis from 7.0 on and every Valkey read.
const Version = 10

// ErrPayload is what RESTORE answers to: a payload that is cut off, too new, or not what was dumped.
var ErrPayload = errors.New("rdb: DUMP payload version or checksum are wrong")

// AppendFooter ends a DUMP payload that begins at that offset of dst.
func AppendFooter(dst []byte, start int) []byte {
	dst = binary.LittleEndian.AppendUint16(dst, Version)
	return binary.LittleEndian.AppendUint64(dst, crc64.Update(0, dst[start:]))
}

// OpenPayload checks a payload's footer and gives its type byte and its value's bytes, both untrusted still: a checksum keeps nobody from writing what
// he likes. Versions above the newest given are refused.
func OpenPayload(payload []byte, newest int) (t Type, value []byte, version int, err error) {
	if end := len(payload) - footerLen; end >= 1 && binary.LittleEndian.Uint64(payload[end+versionLen:]) != crc64.Update(0, payload[:end+versionLen]) {
		return 0, nil, int(binary.LittleEndian.Uint16(payload[end:])), ErrPayload
	}
	return CutPayload(payload, newest)
}

// CutPayload is OpenPayload for who does not care about the checksum.
func CutPayload(payload []byte, newest int) (t Type, value []byte, version int, err error) {
	end := len(payload) - footerLen
	if end < 1 {
		return 0, nil, 0, ErrPayload
	}
	version = int(binary.LittleEndian.Uint16(payload[end:]))
	if version > newest {
		return 0, nil, version, ErrPayload
	}
	if t, ok := TypeOf(payload[0], version, version >= valkeyPayload); ok {
		return t, payload[1:end:end], version, nil
	}
	return typeNone, payload[1:end:end], version, nil
}
