package fleet

import (
	"flag"
	"strconv"
)

// AtOnce has so many parallel tests run at a time, unless -parallel says another number. Those are tests that mostly wait, for servers to come up, to be
// missed and to be found again: how many is no matter of processors. What is busy, or measures time, runs before them, one test at a time. TestMain calls it.
func AtOnce(n int) error {
	told := false
	flag.Visit(func(f *flag.Flag) { told = told || f.Name == "test.parallel" })
	if told {
		return nil
	}
	return flag.Set("test.parallel", strconv.Itoa(n))
}
