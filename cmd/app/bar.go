package app

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	barCells  = 30                     // of the bar
	barEvery  = 100 * time.Millisecond // how often it is drawn anew
	barWait   = 300 * time.Millisecond // what is done by then needs none
	lineEvery = 5 * time.Second        // where there is no terminal
)

// Bar shows how far a piece of work has come: on a terminal as a bar that is drawn anew, elsewhere as a line now and then, which a log can have.
type Bar struct {
	out      io.Writer // nil: nobody looks on
	terminal bool
	width    int   // of the terminal; 0 = not known
	total    int64 // 0 = not known
	unit     string
	begun    time.Time
	drawn    time.Time
}

// NewBar makes a bar for as many bytes; out may be nil.
func NewBar(out io.Writer, total int64) *Bar {
	b := &Bar{out: out, total: total, begun: time.Now()}
	if f, ok := out.(*os.File); ok {
		if _, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS); err == nil {
			b.terminal = true
			if size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil {
				b.width = int(size.Col)
			}
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
	took := now.Sub(b.begun)
	if !b.terminal {
		if took >= lineEvery && now.Sub(b.drawn) >= lineEvery {
			b.drawn = now
			fmt.Fprintf(b.out, "larder: %s\n", b.text(done, took))
		}
		return
	}
	if took < barWait || now.Sub(b.drawn) < barEvery {
		return
	}
	b.drawn = now
	line := b.cells(done) + b.text(done, took)
	if b.width > 0 { // what is longer than the line could not be taken away again
		line = line[:min(len(line), b.width-1)]
	}
	fmt.Fprintf(b.out, "\r\x1b[K%s", line)
}

// cells is the bar.
func (b *Bar) cells(done int64) string {
	if b.total <= 0 {
		return ""
	}
	full := int(min(done, b.total) * barCells / b.total)
	return "[" + strings.Repeat("=", full) + strings.Repeat(" ", barCells-full) + "] "
}

// text says how much, how fast, how long it will take.
func (b *Bar) text(done int64, took time.Duration) string {
	const percent = 100
	amount := func(n float64) string { return fmt.Sprintf("%.1f MiB", n/(1<<20)) }
	if b.unit != "" {
		amount = func(n float64) string { return fmt.Sprintf("%.0f %s", n, b.unit) }
	}
	speed := float64(done) / took.Seconds()
	if b.total <= 0 {
		return fmt.Sprintf("%s, %s/s", amount(float64(done)), amount(speed))
	}
	done = min(done, b.total)
	left := time.Duration(float64(b.total-done) / max(speed, 1) * float64(time.Second)).Round(time.Second)
	return fmt.Sprintf("%3d%% of %s, %s/s, %s left", done*percent/b.total, amount(float64(b.total)), amount(speed), left)
}

// Clear takes the bar away.
func (b *Bar) Clear() {
	if b.out != nil && b.terminal && !b.drawn.IsZero() {
		fmt.Fprint(b.out, "\r\x1b[K")
	}
}
