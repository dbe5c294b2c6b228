// Package rdb is the frame of RDB files, Redis's snapshots: what stands around the values. What a value is made of is protocol/encoding/rdb's and its
// type's business.
//
// A Frame writes a file as bytes; a File puts those on the disk so that under its name there is always a whole file, the old one or
// the new. A Scanner is fed a file's bytes as they come, from a disk or a primary, and finds keys with their values, each delimited and not decoded.
// docs/formats/rdb.md says which forms are written and read. Everything here belongs to whoever made it, on any goroutine.
//
// What must hold of a Scanner: what is found does not depend on how the bytes were cut; no byte is looked at twice but those of a head that was cut; a length
// that is said and not there takes no memory: at most what was fed and not yet read is kept, which is one value and one feed; wrong bytes give an *Error that
// says where, and then nothing more.
package rdb
