package listpack

import "larder/protocol/encoding/decimal"

// Find is the first entry from that offset on that stands for the text, looking at every entry that is a multiple of skip+1 behind it: skip 1 finds the
// fields of a hash and not its values. 0 if there is none; from may be 0, which is no entry.
func (l List) Find(from int, text []byte, skip int) int {
	if from == 0 {
		return 0
	}
	w := wantedOf(text)
	for at := from; ; {
		head := l[at]
		switch {
		case head <= numberSmall:
			if w.isNumber && w.number == int64(head) {
				return at
			}
			at += 2
		case head < number13: // a text under 64 bytes: the length behind is one byte
			next := at + 2 + int(head&0x3f)
			if head == w.head && l[next-2] == w.last && string(l[at+1:next-1]) == string(text) {
				return at
			}
			at = next
		case head == endMark:
			return 0
		default:
			if e := l.Get(at); e.is(&w) {
				return at
			}
			at += span(l, at)
		}
		if at = l.skip(at, skip); at == 0 {
			return 0
		}
	}
}

// skip is the offset n entries behind the one at that offset, which may be that of the end mark; 0 if the end comes before.
func (l List) skip(at, n int) int {
	for ; n > 0; n-- {
		switch head := l[at]; {
		case head <= numberSmall:
			at += 2
		case head < number13:
			at += 2 + int(head&0x3f)
		case head == endMark:
			return 0
		default:
			at += span(l, at)
		}
	}
	return at
}

// wanted is a text to be found, looked at once.
type wanted struct {
	text     []byte
	number   int64
	isNumber bool
	head     byte // of the text as an entry of the shortest form; endMark if it is too long for that
	last     byte // of the entry's head and text: what differs most between fields of one prefix
}

func wantedOf(text []byte) wanted {
	w := wanted{text: text, head: endMark}
	w.number, w.isNumber = decimal.Parse(text)
	if len(text) < 1<<6 {
		w.head = text6 | byte(len(text))
		w.last = w.head
	}
	if len(text) > 0 {
		w.last = text[len(text)-1]
	}
	return w
}

func (e Entry) is(w *wanted) bool {
	if e.Text == nil {
		return w.isNumber && e.Int == w.number
	}
	return string(e.Text) == string(w.text)
}
