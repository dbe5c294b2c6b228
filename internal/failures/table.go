package failures

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Row is what a fault did.
type Row struct {
	Fault string
	Gap   time.Duration // the longest in which no write to the shard with the fault was acknowledged
	Other time.Duration // that of the other shards
	Noise time.Duration // the longest before the fault: what the machine does by itself
	Note  string        // empty: nothing
	Verdict
}

// Table is rows in Markdown, under a title of their own.
func Table(title string, rows []Row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n", title)
	b.WriteString("| fault | longest gap, ms | of other shards | before the fault | errors | acknowledged | lost | run twice | sockets closed | |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %s | %d | %d | %d | %d | %s |\n", r.Fault, r.Gap.Milliseconds(), r.Other.Milliseconds(), r.Noise.Milliseconds(),
			r.errors(), r.Acknowledged, r.Lost, r.Twice, r.Closed, r.Note)
	}
	return b.String()
}

func (r *Row) errors() string {
	kinds := make([]string, 0, len(r.Errors))
	for _, kind := range slices.Sorted(maps.Keys(r.Errors)) {
		kinds = append(kinds, fmt.Sprintf("%d %s", r.Errors[kind], kind))
	}
	if len(kinds) == 0 {
		return "0"
	}
	return strings.Join(kinds, ", ")
}

// Between puts a text in the place of what stands between two lines of a page.
func Between(page, begin, end, text string) (string, error) {
	before, rest, ok := strings.Cut(page, begin+"\n")
	_, after, closed := strings.Cut(rest, end+"\n")
	if !ok || !closed {
		return "", fmt.Errorf("the page has no line %q with %q behind it", begin, end)
	}
	return before + begin + "\n" + text + end + "\n" + after, nil
}
