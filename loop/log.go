package loop

import (
	"context"
	"fmt"
	"log/slog"
)

// logger gives gnet's own words to slog. What it says in the course of things (it starts, it ends) is detail for us.
type logger struct{ log *slog.Logger }

func (l logger) say(level slog.Level, format string, args ...any) {
	if l.log.Enabled(context.Background(), level) {
		l.log.Log(context.Background(), level, "event loop", "what", fmt.Sprintf(format, args...))
	}
}

func (l logger) Debugf(format string, args ...any) { l.say(slog.LevelDebug, format, args...) }
func (l logger) Infof(format string, args ...any)  { l.say(slog.LevelDebug, format, args...) }
func (l logger) Warnf(format string, args ...any)  { l.say(slog.LevelDebug, format, args...) }
func (l logger) Errorf(format string, args ...any) { l.say(slog.LevelError, format, args...) }
func (l logger) Fatalf(format string, args ...any) { l.say(slog.LevelError, format, args...) }
