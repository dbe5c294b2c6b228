// Package journal keeps a node's data on disk as Redis 7 does with appendonly: a folder with a base (an RDB file), incremental files of commands, and a
// manifest that says which of them are the data.
//
// Folder is the files, Writer the goroutine that works on them, Reader reads an incremental file, ParseManifest the manifest. What must hold: whatever
// operation is the last one before a crash, the manifest on disk names whole files, and what Sync has confirmed is in them; a failed write leaves nothing
// behind that a later one stands after; no file is changed or deleted that is not the journal's own. docs/formats/journal.md says what stands in the files. A
// Folder and a Reader belong to one goroutine at a time; a Writer's methods are the owner's to call, and its goroutine calls back.
package journal

// The names of files, as Redis 7.0 makes them (aof.c).
const (
	tempPrefix     = "temp-"
	manifestSuffix = ".manifest"
	baseSuffix     = ".base.rdb"
	oldBaseSuffix  = ".base.aof"
	incrSuffix     = ".incr.aof"
)
