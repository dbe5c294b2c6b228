package s3

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

func (c *Choice) parse(text string) error {
	switch strings.ToLower(text) {
	case "true", "yes", "1":
		*c = Yes
	case "false", "no", "0":
		*c = No
	default:
		return errors.New("it is true or false")
	}
	return nil
}

// sizes are how bytes are written, the largest first.
var sizes = []struct {
	suffix string
	bytes  int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"gb", 1 << 30}, {"mb", 1 << 20}, {"kb", 1 << 10}}

func parseBytes(text string) (int64, error) {
	times := int64(1)
	for _, size := range sizes {
		if len(text) > len(size.suffix) && strings.EqualFold(text[len(text)-len(size.suffix):], size.suffix) {
			text, times = text[:len(text)-len(size.suffix)], size.bytes
			break
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n <= 0 || n > math.MaxInt64/times {
		return 0, errors.New("it is no number of bytes; write 16mb")
	}
	return n * times, nil
}

func formatBytes(n int64) string {
	switch {
	case n == 0:
		return ""
	case n%(1<<20) == 0:
		return fmt.Sprintf("%dmb", n>>20)
	}
	return strconv.FormatInt(n, 10)
}
