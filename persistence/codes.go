package persistence

import "errors"

// codes is what a store's errors are to programs, and between processes: the first that fits is an error's code. docs/api.md tells of them.
var codes = []struct {
	err  error
	code string
}{
	{ErrNoBucket, "store-bucket"},
	{ErrCredentials, "store-credentials"},
	{ErrClock, "store-clock"},
	{ErrRegion, "store-region"},
	{ErrDenied, "store-denied"},
	{ErrFull, "store-full"},
	{ErrKey, "store-key"},
	{ErrUnavailable, "store"},
	{ErrDamaged, "damaged"},
	{ErrInvalid, "invalid"},
	{ErrNotFound, "unknown"},
}

// Code is what an error of a store is to programs; empty: it is none.
func Code(err error) string {
	for _, known := range codes {
		if errors.Is(err, known.err) {
			return known.code
		}
	}
	return ""
}

// ErrorOf is the error that a code stands for; nil: it is none of these.
func ErrorOf(code string) error {
	for _, known := range codes {
		if known.code == code {
			return known.err
		}
	}
	return nil
}
