package commands

import "larder/protocol/encoding/decimal"

func parseDouble(text []byte) (f float64, ok bool) { return decimal.ParseDouble(text) }

// bulkDouble writes a double as a bulk whatever the protocol.
func (c *Call) bulkDouble(f float64) {
	var room [decimal.DoubleLenMax]byte
	c.W.BulkBytes(decimal.AppendDouble(room[:0], f))
}
