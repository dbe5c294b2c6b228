package fleet

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// Main runs a package's tests and then looks for goroutines that nobody ended. It gives the exit code.
func Main(m *testing.M) int {
	code := m.Run()
	if code != 0 {
		return code
	}
	// gnet keeps one pool of workers for the life of the process.
	const pool = "github.com/panjf2000/ants/v2."
	if err := goleak.Find(goleak.IgnoreAnyFunction(pool+"(*poolCommon).purgeStaleWorkers"), goleak.IgnoreAnyFunction(pool+"(*poolCommon).ticktock"),
		goleak.IgnoreAnyFunction(pool+"(*goWorker).run.func1")); err != nil {
		fmt.Fprintln(os.Stderr, "goroutines are left:", err)
		return 1
	}
	return 0
}
