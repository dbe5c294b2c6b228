package commands

import "larder/protocol/resp"

// memoryUsage is exact, so that it needs no samples: what the key's item takes, with its share of the index and of the expiry wheel.
func memoryUsage(c *Call) {
	if err := parseUsage(c.Args[3:]); err != noError {
		c.W.Error(err)
		return
	}
	it, ok := c.DB.Peek(c.Args[2], c.NowMS)
	if !ok {
		c.W.Null()
		return
	}
	c.W.Int(int64(it.Size()))
}

// parseUsage checks SAMPLES n, which may stand more than once (Redis 7.0 object.c, memoryCommand).
func parseUsage(args [][]byte) (err string) {
	for ; len(args) > 0; args = args[2:] {
		if len(args) < 2 || !is(args[0], "samples") {
			return errSyntax
		}
		n, ok := resp.ParseNumber(args[1])
		switch {
		case !ok:
			return errNotInt
		case n < 0:
			return errSyntax
		}
	}
	return noError
}
