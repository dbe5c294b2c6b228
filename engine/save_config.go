package engine

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"larder/protocol/client"
)

// saveSettings are what CONFIG says of the node's file.
type saveSettings struct {
	name       string
	points     []savePoint // never changed in place
	compress   bool
	checksum   bool
	stopWrites bool // while the data cannot be saved
}

// savePoint begins a save when there were so many changes since the last and so many seconds have passed.
type savePoint struct{ seconds, changes int64 }

func newSaveSettings(o *Options) saveSettings {
	points, _ := parseSavePoints(o.Save) // Validate has seen it
	return saveSettings{name: o.DBFilename, points: points, compress: o.RDBCompression, checksum: o.RDBChecksum, stopWrites: o.StopWrites}
}

// parseSavePoints reads pairs of seconds and changes.
func parseSavePoints(text string) (points []savePoint, wrong string) {
	const invalid = "Invalid save parameters"
	numbers := strings.Fields(text)
	if len(numbers)%2 != 0 {
		return nil, invalid
	}
	for i := 0; i < len(numbers); i += 2 {
		seconds, err1 := strconv.ParseInt(numbers[i], 10, 32)
		changes, err2 := strconv.ParseInt(numbers[i+1], 10, 32)
		if err1 != nil || err2 != nil || seconds < 1 || changes < 0 {
			return nil, invalid
		}
		points = append(points, savePoint{seconds, changes})
	}
	return points, ""
}

// CheckSavePoints says whether a text may be Options.Save.
func CheckSavePoints(text string) error {
	if _, wrong := parseSavePoints(text); wrong != "" {
		return fmt.Errorf("save is %q: must be pairs of seconds (from 1) and changes such as \"3600 1 300 100\", or empty", text)
	}
	return nil
}

// CheckFileName says whether a text may be the name of a file in the node's folder.
func CheckFileName(name string) error {
	if name == "" || name == "." || name == ".." || filepath.Base(name) != name {
		return fmt.Errorf("%q must be the name of a file in the node's folder, not a path", name)
	}
	return nil
}

var saveParameters = client.Parameters[*session, settings]{
	{Name: "dbfilename", Get: func(s *session) string { return s.p.set.saving.name }, Set: protected},
	{Name: "rdb-save-incremental-fsync", Get: func(*session) string { return "yes" }, Set: onlyYes},
	{Name: "save", Get: func(s *session) string { return savePointsText(s.p.set.saving.points) }, Set: setSave},
	yesNo("rdbcompression", func(s *settings) *bool { return &s.saving.compress }),
	immutable(yesNo("rdbchecksum", func(s *settings) *bool { return &s.saving.checksum })),
	yesNo("stop-writes-on-bgsave-error", func(s *settings) *bool { return &s.saving.stopWrites }),
}

func savePointsText(points []savePoint) string {
	var words []string
	for _, p := range points {
		words = append(words, strconv.FormatInt(p.seconds, 10), strconv.FormatInt(p.changes, 10))
	}
	return strings.Join(words, " ")
}

func setSave(set *settings, value string) string {
	points, wrong := parseSavePoints(value)
	if wrong == "" {
		set.saving.points = points
	}
	return wrong
}
