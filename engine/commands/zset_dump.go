package commands

func loadZSet(c *Call, in incoming) bool {
	if !c.zbuild.Load(in.t, in.value) {
		return false
	}
	c.zbuild.Store(c.Store, c.DB, in.key, c.Limits.ZSet, in.expiryMS, c.NowMS)
	return true
}
