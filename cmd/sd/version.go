package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version says what this program is built from: the commit, where it was built in the repository, and the version of Go.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown, " + runtime.Version()
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	commit := settings["vcs.revision"]
	switch {
	case commit == "":
		commit = info.Main.Version
	case settings["vcs.modified"] == "true":
		commit = commit[:min(12, len(commit))] + ", changed since"
	default:
		commit = commit[:min(12, len(commit))]
	}
	return fmt.Sprintf("%s, %s %s/%s", commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
