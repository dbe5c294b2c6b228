package conform

// ofLists are the differences of lists.
func ofLists() []Difference {
	return []Difference{
		{
			Name: "list-encoding", Reason: "7.2, the version we report, keeps small lists as listpacks; 7.0 has quicklists only",
			Rows: []string{"object|encoding"}, Only: []string{TagNode, TagGateway},
			Redis:  exactly(`\$9\r\nquicklist\r\n`),
			Larder: exactly(`\$8\r\nlistpack\r\n`),
		},
		{
			Name: "least-number", Reason: "7.2 refuses the least number, whose opposite there is not",
			Rows: []string{"lrem", "lpos"}, Only: []string{TagNode, TagGateway},
			Redis:  exactly(`.*`),
			Larder: exactly(`-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807\r\n`),
		},
		{
			Name: "timeout-range", Reason: "7.2 tells a time to wait that is too long from one below 0",
			Rows: []string{"blpop", "brpop", "blmove", "brpoplpush", "blmpop"}, Only: []string{TagNode},
			Redis:  exactly(`-ERR timeout is negative\r\n`),
			Larder: exactly(`-ERR timeout is out of range\r\n`),
		},
	}
}
