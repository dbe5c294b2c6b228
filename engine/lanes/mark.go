// Package lanes is what a node knows of numbered lanes: connections of gateways whose requests are counted, so that it can be told of each of them whether it
// has run. The counts are a part of the data: marks bring them in the node's stream, in one transaction with what the requests did, and RDB files carry them.
package lanes

import (
	"bytes"
	"strconv"

	"larder/protocol/resp"
)

// Channel is the channel on which marks are published in the stream: whoever knows nothing of them has nobody who hears it.
const Channel = "__larder:lanes__"

// Aux is the name of the field of an RDB file that has the text of one lane's mark.
const Aux = "larder-lane"

// IDMax is how long the name of a lane may be, bytes.
const IDMax = 64

// form is the version of a mark's text, which stands first in it.
const form = "1 "

// Mark says of a lane either up to which of its requests all have run, or that it is forgotten.
type Mark struct {
	ID     []byte
	Number uint64
	Over   bool
}

// AppendText appends a mark's text: "1 ID NUMBER", or "1 ID -".
func (m Mark) AppendText(dst []byte) []byte {
	dst = append(append(dst, form...), m.ID...)
	if m.Over {
		return append(dst, " -"...)
	}
	return strconv.AppendUint(append(dst, ' '), m.Number, 10)
}

// AppendCommand appends the mark as it stands in a stream.
func (m Mark) AppendCommand(dst []byte) []byte {
	var room [len(form) + IDMax + 1 + 20]byte
	dst = resp.AppendBulkString(resp.AppendBulkString(resp.AppendArray(dst, 3), "PUBLISH"), Channel)
	return resp.AppendBulk(dst, m.AppendText(room[:0]))
}

// Parse reads a mark's text, of which the ID is a view.
func Parse(text []byte) (m Mark, ok bool) {
	rest, known := bytes.CutPrefix(text, []byte(form))
	id, number, has := bytes.Cut(rest, []byte{' '})
	if !known || !has || !ValidID(id) {
		return Mark{}, false
	}
	if string(number) == "-" {
		return Mark{ID: id, Over: true}, true
	}
	n, err := strconv.ParseUint(string(number), 10, 64)
	if err != nil || len(number) > 1 && number[0] == '0' {
		return Mark{}, false
	}
	return Mark{ID: id, Number: n}, true
}

// ValidID tells whether a word can be the name of a lane: letters, digits and -._: make one.
func ValidID(id []byte) bool {
	if len(id) == 0 || len(id) > IDMax {
		return false
	}
	for _, c := range id {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > ':') && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return true
}
