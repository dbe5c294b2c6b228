package stock

// Parse is parse.
var Parse = parse

// Asked are the servers that are asked now, and whether each is one of ours.
func (c *Commands) Asked() map[string]bool {
	asked := map[string]bool{}
	for addr, s := range c.servers {
		asked[addr] = s.ours
	}
	return asked
}
