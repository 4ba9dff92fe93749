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

// pjrtMajor and pjrtMinor are the version of the PJRT interface that go-xla is built for, as its pjrt_c_api.h has it.
const pjrtMajor, pjrtMinor = 0, 104

// CUDAPlugins says which versions of the CUDA plugins are known to fit go-xla: they compile the passes and the training steps of
// the models here (docs/benchmarks.md).
const CUDAPlugins = "jax-cuda12-pjrt 0.10.2 (PJRT 0.112, the one of `make cuda`) and jax-cuda13-pjrt 0.11.2 (PJRT 0.115) fit go-xla (PJRT 0.104)"

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
		Mend:  mendMissing(kind),
	}
}

// mendMissing says how to get a plugin.
func mendMissing(kind string) string {
	which := ""
	if kind == "cuda" {
		which = "; " + CUDAPlugins
	}
	if os.Getenv(pluginPathEnv) != "" {
		return fmt.Sprintf("unset %s, where alone it is looked for (`%s` installs it elsewhere), or set it to the folder that holds one (a Python's site-packages, for instance), or use the backend %q%s",
			pluginPathEnv, installs(kind), Go, which)
	}
	return fmt.Sprintf("run `%s` to install it, or set %s to the folder that holds one (a Python's site-packages, for instance), or use the backend %q%s",
		installs(kind), pluginPathEnv, Go, which)
}

// MendDamaged says how to replace the plugin of a backend which ends the process that opens it.
func MendDamaged(name string) string {
	kind, _, _ := strings.Cut(strings.TrimPrefix(name, "xla:"), ",")
	if path, _ := findPlugin(kind, func(paths []string) []string { return paths }); path != "" {
		return path + ": " + mendDamaged(path)
	}
	return ""
}

// mendDamaged says how to replace a plugin that does not work, which depends on where it lies: where it seems
// complete, a set-up leaves it as it is.
func mendDamaged(path string) string {
	command := "make setup"
	if strings.Contains(path, "cuda") {
		command = "make cuda"
	}
	if root, ok := repo.Root(); ok {
		if venv := filepath.Join(root, ".venv"); strings.HasPrefix(path, venv+string(filepath.Separator)) {
			return fmt.Sprintf("remove %s and run `%s` to install the pinned version anew, or use the backend %q", venv, command, Go)
		}
	}
	if os.Getenv(pluginPathEnv) != "" {
		return fmt.Sprintf("replace it, or unset %s for the one that `%s` installs, or use the backend %q", pluginPathEnv, command, Go)
	}
	return fmt.Sprintf("remove or replace it (`%s` installs one in the repository), or use the backend %q", command, Go)
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
	const expected = ": expected a PJRT plugin, a shared library that exports GetPjrtApi"
	bad := func(format string, args ...any) error {
		return &missingError{Short: "XLA plugin " + path + fmt.Sprintf(format, args...), Long: expected, Mend: mendDamaged(path)}
	}
	f, err := elf.Open(path)
	if err != nil {
		if os.IsNotExist(err) {
			return bad(": there is no such file")
		}
		return bad(" is no ELF library (%v)", err)
	}
	defer f.Close()
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return bad(" can't be read (%v)", err)
	}
	for _, s := range symbols {
		if s.Name == "GetPjrtApi" && s.Section != elf.SHN_UNDEF {
			return nil
		}
	}
	return bad(" does not export GetPjrtApi")
}
