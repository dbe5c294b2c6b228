package commands

import (
	"larder/engine/hashes"
	"larder/engine/store"
	"larder/protocol/client"
	"larder/protocol/command"
)

// hScan shows a small hash as a whole, whatever COUNT says, as Redis does.
func hScan(c *Call) {
	at, ok := client.ParseCursor(c.Args[2])
	if !ok {
		c.W.Error(errCursor)
		return
	}
	it, found, wrong := c.lookKind(c.Args[1], store.KindHash, store.KindHashBig)
	if wrong {
		return
	}
	head := len(c.W.Out)
	if !found { // whatever the options say
		c.insertScanHead(head, 0, 0)
		return
	}
	o, err := parseMembersScan(c.Args[3:])
	if err != noError {
		c.W.Error(err)
		return
	}
	h := hashes.Open(c.Store, it, c.NowMS)
	shown := 0
	next := h.Scan(at, o.count, func(field, value hashes.Text) {
		if o.match != nil {
			c.bytes = field.Append(c.bytes[:0])
			if !command.Match(o.match, c.bytes) {
				return
			}
		}
		c.hashText(field)
		c.hashText(value)
		shown += 2
	})
	if !c.full() {
		c.insertScanHead(head, next, shown)
	}
}
