package control

import (
	"errors"

	"larder/persistence"
	"larder/persistence/snapshot"
)

// codes is what errors are to programs: the first that fits is an error's code. docs/api.md tells of them.
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
	{snapshot.ErrName, "invalid"},
	{persistence.ErrNoBucket, "store-bucket"},
	{persistence.ErrCredentials, "store-credentials"},
	{persistence.ErrClock, "store-clock"},
	{persistence.ErrRegion, "store-region"},
	{persistence.ErrDenied, "store-denied"},
	{persistence.ErrFull, "store-full"},
	{persistence.ErrKey, "store-key"},
	{persistence.ErrUnavailable, "store"},
	{persistence.ErrDamaged, "damaged"},
	{snapshot.ErrManifest, "damaged"},
	{persistence.ErrInvalid, "invalid"},
	{persistence.ErrNotFound, "unknown"},
}

// Code is what an error is to programs; "failed" is what has no name of its own.
func Code(err error) string {
	for _, known := range codes {
		if errors.Is(err, known.err) {
			return known.code
		}
	}
	return "failed"
}
