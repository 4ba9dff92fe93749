package backend

import (
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"samediff/sdlib/internal/repo"
)

// pluginPathEnv lists folders, separated by colons, that are searched first. It is go-xla's own variable.
const pluginPathEnv = "PJRT_PLUGIN_LIBRARY_PATH"

// pluginFiles are the places, below a folder of libraries, where XLA's plugins lie:
// under the name that go-xla uses, and as the wheels on PyPI unpack them.
var pluginFiles = map[string][]string{
	"cpu": {
		"pjrt_c_api_cpu_plugin.so", "pjrt_plugin_cpu.so", "pjrt_c_api_cpu_v*_plugin.so",
		"xla_cpu_pjrt.so", "xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so",
	},
	"cuda": {
		"pjrt_c_api_cuda_plugin.so", "pjrt_plugin_cuda.so",
		"xla_cuda_plugin.so", "jax_plugins/xla_cuda*/xla_cuda_plugin.so",
	},
}

// pluginFolders returns where plugins are looked for, in order. When
// PJRT_PLUGIN_LIBRARY_PATH is set it alone counts, as for go-xla itself.
func pluginFolders() []string {
	if v := os.Getenv(pluginPathEnv); v != "" {
		return strings.Split(v, string(os.PathListSeparator))
	}
	var folders []string
	venv := func(dir string) {
		found, _ := filepath.Glob(filepath.Join(dir, "lib", "python3*", "site-packages"))
		if len(found) == 0 { // named in errors as a pattern
			found = []string{filepath.Join(dir, "lib", "python3*", "site-packages")}
		}
		folders = append(folders, found...)
	}
	if root, ok := repo.Root(); ok {
		venv(filepath.Join(root, ".venv"))
	}
	if dir := os.Getenv("VIRTUAL_ENV"); dir != "" {
		venv(dir)
	}
	if home, err := os.UserHomeDir(); err == nil {
		folders = append(folders, filepath.Join(home, ".local", "lib", "go-xla"))
	}
	return append(folders, "/usr/local/lib/go-xla")
}

// findPlugin returns the path of the plugin for "cpu" or "cuda"; an absolute path is taken as it is.
// Of several in one place it takes the first that prefer lists.
func findPlugin(kind string, prefer func(paths []string) []string) (string, error) {
	if filepath.IsAbs(kind) {
		return kind, checkPlugin(kind)
	}
	folders := pluginFolders()
	for _, folder := range folders {
		for _, name := range pluginFiles[kind] {
			matches, _ := filepath.Glob(filepath.Join(folder, name))
			for _, path := range prefer(matches) {
				return path, checkPlugin(path)
			}
		}
	}
	return "", &missingError{
		Short: fmt.Sprintf("no XLA plugin for %s found", kind),
		Long:  fmt.Sprintf(": looked for %s in %s", strings.Join(pluginFiles[kind], ", "), strings.Join(folders, ", ")),
		Mend: fmt.Sprintf("run `%s` to install it, or set %s to the folder that holds one (a Python's site-packages, for instance), or use the backend %q",
			installs(kind), pluginPathEnv, Go),
	}
}

// installs is the command that installs a plugin.
func installs(kind string) string {
	if kind == "cuda" {
		return "make cuda"
	}
	return "make setup"
}

// checkPlugin returns an error unless a file can be a plugin, a shared library that exports
// GetPjrtApi: this is known before the dynamic loader is given it.
func checkPlugin(path string) error {
	const mend = "expected a PJRT plugin, a shared library that exports GetPjrtApi; run `make setup` to install XLA's CPU plugin anew"
	f, err := elf.Open(path)
	if err != nil {
		if os.IsNotExist(err) {
			return &missingError{Short: "XLA plugin " + path, Long: ": there is no such file", Mend: mend}
		}
		return fmt.Errorf("XLA plugin %s is no ELF library (%v): %s", path, err, mend)
	}
	defer f.Close()
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return fmt.Errorf("XLA plugin %s can't be read (%v): %s", path, err, mend)
	}
	for _, s := range symbols {
		if s.Name == "GetPjrtApi" && s.Section != elf.SHN_UNDEF {
			return nil
		}
	}
	return fmt.Errorf("XLA plugin %s does not export GetPjrtApi: %s", path, mend)
}
