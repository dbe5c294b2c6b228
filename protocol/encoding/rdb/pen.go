package rdb

import (
	"encoding/binary"

	"larder/protocol/encoding/lzf"
)

// Pen writes values, each a type byte, perhaps a key, and what the type says. A large value is written in pieces: whoever owns the pen is asked now and
// then whether to go on, and may take away what has been written until then.
//
// A text that may gain by being compressed is compressed at once if there is a Compressor. With Later it is written as it is and noted in Texts, so that
// somebody else can compress it.
type Pen struct {
	Out        []byte
	Key        []byte          // stands behind the type byte; nil: none does, as in a payload
	Compressor *lzf.Compressor // nil: texts are written as they are
	Later      bool            // texts are noted in Texts instead
	Texts      []Span

	// Pause is called when about Left bytes have been written or passed over, and sets Left anew; false: the rest is not wanted. nil: the value is written
	// in one go.
	Pause   func() bool
	Left    int
	stopped bool

	// RedisTimed has hashes whose fields expire written as Redis 7.4 does, else as Valkey 9 does.
	RedisTimed bool
}

// Span is a string in what a pen has written: a length and a text.
type Span struct {
	At   int // of the length
	Head int // its bytes
	Len  int // of the text
}

const (
	pieceBytes = 64 << 10 // of a text that is written at once, if the pen may pause
	laterMax   = 64 << 10 // bytes of a text that is noted: it lies in one piece
	stepCost   = 16       // bytes that an element costs beside its text
)

// Begin begins a value.
func (p *Pen) Begin(t Type) {
	p.Out = append(p.Out, byte(t))
	if p.Key != nil {
		p.Out = AppendString(p.Out, p.Key, nil)
	}
}

// Rest is called after each element: it lets the owner have a say, if it is time. False: the writing ends here. Out may be another afterwards.
func (p *Pen) Rest() bool {
	if p.Pause == nil {
		return true
	}
	if p.Left -= stepCost; p.Left <= 0 && !p.stopped {
		p.stopped = !p.Pause()
	}
	return !p.stopped
}

// Length writes a length.
func (p *Pen) Length(n uint64) { p.Out = AppendLength(p.Out, n) }

// Uint64 writes eight bytes, little endian.
func (p *Pen) Uint64(n uint64) { p.Out = binary.LittleEndian.AppendUint64(p.Out, n) }

// Double writes a double of eight bytes.
func (p *Pen) Double(f float64) { p.Out = AppendDouble(p.Out, f) }

// Int writes a number as a string.
func (p *Pen) Int(n int64) { p.Out = AppendInt(p.Out, n) }

// String writes a text.
func (p *Pen) String(text []byte) {
	n := len(text)
	p.Left -= n
	switch {
	case p.Pause != nil && n > pieceBytes:
		p.inPieces(text)
	case n < compressLenMin || !p.Later:
		p.Out = AppendString(p.Out, text, p.Compressor)
	default:
		s := Span{At: len(p.Out), Len: n}
		p.Out = AppendLength(p.Out, uint64(n))
		s.Head = len(p.Out) - s.At
		p.Out = append(p.Out, text...)
		if n <= laterMax {
			p.Texts = append(p.Texts, s)
		}
	}
}

// inPieces writes a large text, uncompressed.
func (p *Pen) inPieces(text []byte) {
	p.Out = AppendLength(p.Out, uint64(len(text)))
	p.Left += len(text)
	for len(text) > 0 && !p.stopped {
		n := min(len(text), pieceBytes)
		p.Out = append(p.Out, text[:n]...)
		p.Left -= n
		text = text[n:]
		p.Rest()
	}
}

// AppendCompressed appends what a pen has written with the noted texts compressed where that gains.
func AppendCompressed(dst, written []byte, texts []Span, c *lzf.Compressor) []byte {
	from := 0
	for _, s := range texts {
		dst = append(dst, written[from:s.At]...)
		body := s.At + s.Head
		from = body + s.Len
		if out, ok := appendCompressed(dst, written[body:from], c); ok {
			dst = out
		} else {
			dst = append(dst, written[s.At:from]...)
		}
	}
	return append(dst, written[from:]...)
}
