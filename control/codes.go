package control

import (
	"errors"

	"larder/persistence"
	"larder/persistence/snapshot"
)

// codes is what errors of an agent are to programs: the first that fits is an error's code. docs/api.md tells of them.
var codes = []struct {
	err  error
	code string
}{
	{errCanceled, "canceled"},
	{snapshot.ErrUnknown, "unknown"},
	{ErrUnknown, "unknown"},
	{snapshot.ErrTaken, "taken"},
	{ErrBusy, "busy"},
	{ErrNotEmpty, "not-empty"},
	{ErrKept, "too-slow"},
	{ErrLost, "lost"},
	{snapshot.ErrName, "invalid"},
	{snapshot.ErrManifest, "damaged"},
}

// Code is what an error is to programs: these before what a store says (persistence.Code), and "failed" for what has no name of its own.
func Code(err error) string {
	for _, known := range codes {
		if errors.Is(err, known.err) {
			return known.code
		}
	}
	if code := persistence.Code(err); code != "" {
		return code
	}
	return "failed"
}
