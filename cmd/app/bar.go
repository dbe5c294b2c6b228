package app

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

const (
	barCells = 30                     // of the bar
	barEvery = 100 * time.Millisecond // how often it is drawn anew
	barWait  = 300 * time.Millisecond // what is done by then needs none
)

// Bar shows on a terminal how far a piece of work has come. Where there is no terminal it shows nothing.
type Bar struct {
	out   io.Writer // nil: nobody looks on
	total int64     // 0 = not known
	unit  string    // of what is counted; empty = bytes
	begun time.Time
	drawn time.Time
}

// NewBar makes a bar for as many bytes.
func NewBar(out io.Writer, total int64) *Bar {
	b := &Bar{total: total, begun: time.Now()}
	if f, ok := out.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			b.out = out
		}
	}
	return b
}

// Of says how much there is in all of what, as soon as that is known; an empty unit is bytes.
func (b *Bar) Of(total int64, unit string) { b.total, b.unit = total, unit }

// Show is told how much is done.
func (b *Bar) Show(done int64) {
	if b.out == nil {
		return
	}
	now := time.Now()
	if now.Sub(b.begun) < barWait || now.Sub(b.drawn) < barEvery {
		return
	}
	b.drawn = now
	fmt.Fprintf(b.out, "\r\x1b[K%s", b.text(done, now.Sub(b.begun)))
}

// text is the bar's line: how much, how fast, how long it will take.
func (b *Bar) text(done int64, took time.Duration) string {
	const mib = 1 << 20
	speed := float64(done) / took.Seconds()
	if b.unit != "" {
		return fmt.Sprintf("%d of %d %s, %.0f a second", done, b.total, b.unit, speed)
	}
	if b.total <= 0 {
		return fmt.Sprintf("%.1f MiB, %.1f MiB/s", float64(done)/mib, speed/mib)
	}
	done = min(done, b.total)
	full := int(done * barCells / b.total)
	left := time.Duration(float64(b.total-done) / max(speed, 1) * float64(time.Second)).Round(time.Second)
	return fmt.Sprintf("[%s%s] %3d%% of %.1f MiB, %.1f MiB/s, %s left", strings.Repeat("=", full), strings.Repeat(" ", barCells-full), done*100/b.total,
		float64(b.total)/mib, speed/mib, left)
}

// Clear takes the bar away.
func (b *Bar) Clear() {
	if b.out != nil && !b.drawn.IsZero() {
		fmt.Fprint(b.out, "\r\x1b[K")
	}
}
