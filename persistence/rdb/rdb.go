// Package rdb is the frame of RDB files, Redis's snapshots: what stands around the values. What a value is made of is protocol/encoding/rdb's and its
// type's business.
//
// A Frame writes a file as bytes; a File puts those on the disk so that under its name there is always a whole file, the old one or
// the new. docs/formats/rdb.md says which forms are written. Everything here belongs to whoever made it, on any goroutine.
package rdb
