package configs

import "larder/engine"

// The settings of what a node keeps on its disk. Their flags have the names of Redis's parameters.

func savingSettings(c *Config) []setting {
	e := &c.Engine
	return []setting{
		{
			key: "engine.save", kind: checked{text{&e.Save}, "pairs of seconds and changes such as 3600 1 300 100", engine.CheckSavePoints}, flag: "save", roles: RoleEngine,
			meaning: "When a node saves its data to a file by itself: pairs of seconds and changes, each begins a save once so many changes were made and so many seconds have passed " +
				"since the last. With any, the node also saves when it ends. Empty = never: a cache starts empty.",
		},
		{
			key: "engine.dbfilename", kind: checked{text{&e.DBFilename}, "the name of a file, not a path", engine.CheckFileName}, flag: "dbfilename", roles: RoleEngine,
			meaning: "The file in the node's folder that is saved to, and that is loaded when the node starts if it is there.",
		},
		{
			key: "engine.rdbcompression", kind: yesNo{boolean{&e.RDBCompression}}, flag: "rdbcompression", roles: RoleEngine,
			meaning: "Whether texts in that file are compressed where that gains.",
		},
		{
			key: "engine.rdbchecksum", kind: yesNo{boolean{&e.RDBChecksum}}, flag: "rdbchecksum", roles: RoleEngine,
			meaning: "Whether that file ends with a checksum.",
		},
		{
			key: "engine.stop-writes-on-bgsave-error", kind: yesNo{boolean{&e.StopWrites}}, flag: "stop-writes-on-bgsave-error", roles: RoleEngine,
			meaning: "Whether writes are refused with -MISCONF while engine.save is set and the last save in the background has failed.",
		},
		{
			key: "engine.snapshot-kept-percent", kind: number{&e.SnapshotKeptPercent},
			meaning: "How much data that was overwritten meanwhile a node keeps for saves and replicas that are still being written, in percent of engine.maxmemory, " +
				"or of the machine's memory without one. Beyond it they are given up.",
		},
	}
}

// checked is text that must be of a certain form.
type checked struct {
	text
	form  string
	check func(string) error
}

func (k checked) want() string { return k.form }

func (k checked) set(s string) error {
	if k.check(s) != nil {
		return mustBe(k)
	}
	return k.text.set(s)
}
