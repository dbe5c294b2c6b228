package embedded_test

import (
	"testing"

	"go.uber.org/goleak"

	"larder/backends/registry"
	"larder/backends/registry/embedded"
	"larder/internal/registrytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSuite(t *testing.T) {
	registrytest.Run(t, registrytest.Form{
		Synthetic: true,
		Open: func(t *testing.T) registry.Registry {
			r, err := embedded.Open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			return r
		},
	})
}
