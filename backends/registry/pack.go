package registry

import (
	"bytes"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// UnpackedMaxBytes is the most that Unpack unfolds: a topology of a thousand nodes takes a fiftieth.
const UnpackedMaxBytes = 16 << 20

// packWindow is how far back it looks, bytes: an encoder takes some times as much.
const packWindow = 1 << 20

// packed is what a zstd frame begins with (RFC 8878, 3.1.1).
var packed = []byte{0x28, 0xb5, 0x2f, 0xfd}

// Pack makes a text smaller, so that it fits into an entry: a zstd frame, which `zstd -d` reads too.
func Pack(plain []byte) ([]byte, error) {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true), zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithWindowSize(packWindow))
	if err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	return w.EncodeAll(plain, nil), nil
}

// Unpack is the text again. What is no zstd frame is taken for the text itself, so that people may write entries by hand.
func Unpack(value []byte) ([]byte, error) {
	if !bytes.HasPrefix(value, packed) {
		return value, nil
	}
	r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(UnpackedMaxBytes))
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	defer r.Close()
	plain, err := r.DecodeAll(value, nil)
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	return plain, nil
}
