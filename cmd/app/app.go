// Package app builds each role of the binary from its configuration and runs it. What must hold: a role returns only
// when everything it started has ended; what clients connect to stops first, then what it stands on; a failing part
// stops all others, and its error is the role's. Dev, Engine and Gateway block until their context ends; cmd/larder
// calls one of them, once, on the main goroutine.
package app

import (
	"io"
	"log/slog"

	"larder/configs"
)

// Env is what a role gets from its process.
type Env struct {
	Out    io.Writer // what dev serves is printed here
	Log    *slog.Logger
	Loaded *configs.Loaded // where the settings came from; nil: nobody knows
}

// Logger logs to w as the configuration says.
func Logger(w io.Writer, c configs.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo // configs takes no other words than slog's
	}
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
