package app

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// linkedVersion is set by the linker (-X) where the build sees no repository, as the container's does.
var linkedVersion string

// BuildVersion is what the linker was told, else the module's version, else the commit it was built from, or "unknown".
func BuildVersion() string {
	if linkedVersion != "" {
		return linkedVersion
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return "unknown"
}

// Version is what `larder version` prints.
func Version() string {
	return fmt.Sprintf("larder %s (%s %s/%s)", BuildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
