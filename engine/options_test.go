package engine_test

import (
	"strings"
	"testing"

	"larder/engine"
)

func TestValidate(t *testing.T) {
	if err := engine.DefaultOptions().Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	for want, change := range map[string]func(*engine.Options){
		"clients max is -1: must be at least 0":                  func(o *engine.Options) { o.ClientsMax = -1 },
		"databases is 0: must be at least 1":                     func(o *engine.Options) { o.Databases = 0 },
		"databases is 20000: must be at most 16384":              func(o *engine.Options) { o.Databases = 20000 },
		"max memory is -5: must be at least 0":                   func(o *engine.Options) { o.MaxMemory = -5 },
		"args max is 3: must be at least 16":                     func(o *engine.Options) { o.ArgsMax = 3 },
		"bulk max bytes is 5: must be at least 1048576":          func(o *engine.Options) { o.BulkMaxBytes = 5 },
		"inline max bytes is 0: must be at least 64":             func(o *engine.Options) { o.InlineMaxBytes = 0 },
		"query max bytes is 0: must be at least 1048576":         func(o *engine.Options) { o.QueryMaxBytes = 0 },
		"output max bytes is 0: must be at least 65536":          func(o *engine.Options) { o.OutputMaxBytes = 0 },
		"idle timeout is -1: must be at least 0":                 func(o *engine.Options) { o.IdleTimeout = -1 },
		"listen is empty: must be host:port":                     func(o *engine.Options) { o.Listen = "" },
		"parse access list: entry 1 \"x\": not an address; want": func(o *engine.Options) { o.Access = []string{"x"} },
	} {
		o := engine.DefaultOptions()
		change(&o)
		if err := o.Validate(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
		if _, err := engine.New(o, quiet(), nil); err == nil {
			t.Errorf("New takes options that are wrong: %s", want)
		}
	}
}
