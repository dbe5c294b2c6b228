package conform

// intendedOfPlaces are the differences of the commands on places.
func intendedOfPlaces() []Difference {
	return []Difference{
		{
			Name: "store-twice", Reason: "of two keys to store at, Redis checks slot and rights of the first and writes the last; we refuse",
			Rows:   []string{"georadius", "georadiusbymember"},
			Redis:  exactly(`:\d+\r\n`),
			Larder: exactly(`-ERR syntax error\r\n`),
		},
	}
}
