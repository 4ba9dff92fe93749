package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// What mends most things. A set-up that finds all files of a package in place leaves it as it is: what is in place and does
// not work has to be removed first.
const (
	setup = "run `make setup` in the repository"
	anew  = "remove .venv and run `make setup` in the repository, to install all of it anew"
)

// versions imports the packages that the notebooks are run and shown with, and prints their versions.
const versions = `import importlib, platform
from importlib.metadata import version
packages = "jupyterlab", "nbclient", "nbformat", "ipykernel", "latex2mathml"
for p in packages:
    importlib.import_module(p)
print("Python " + platform.python_version(), *(f"{p} {version(p)}" for p in packages[:3]), sep=", ")`

// kernelspec prints where Jupyter finds the kernel. (A kernel of another repository of this name would be found as well,
// so the folder is compared.)
const kernelspec = `from jupyter_client.kernelspec import KernelSpecManager
print(KernelSpecManager().get_kernel_spec("sd").resource_dir)`

// notebooks examines what the notebooks need besides Go: Python with JupyterLab in .venv, GoNB in .tools, and the kernel
// that joins them.
func notebooks(ctx context.Context, root string) []Finding {
	if root == "" {
		const mend = "for the notebooks, work in a clone of the repository, or name it by SD_ROOT"
		return []Finding{absent("Python side", "not in the repository", mend), absent("Notebook kernel", "not in the repository", mend)}
	}
	python := filepath.Join(root, ".venv", "bin", "python")
	var all []Finding
	if _, err := os.Stat(python); err != nil {
		return []Finding{failed("Python side", "no "+python, setup), failed("Notebook kernel", "no Jupyter without the Python side", setup)}
	}
	_, incomplete := output(ctx, root, "", python, "-I", "-S", filepath.Join(root, "kernels", "check_packages.py"), "requirements.txt")
	out, err := output(ctx, root, "", python, "-I", "-c", versions)
	switch {
	case incomplete != nil:
		all = append(all, failed("Python side", incomplete.Error(), setup)) // it looks at the same
	case err != nil:
		all = append(all, failed("Python side", python+": "+err.Error(), anew))
	default:
		all = append(all, ok("Python side", strings.TrimSpace(out)))
	}
	return append(all, kernel(ctx, root, python))
}

func kernel(ctx context.Context, root, python string) Finding {
	const name = "Notebook kernel"
	for _, tool := range []struct{ name, flag, stdin string }{{"gonb", "--version", ""}, {"goimports", "-l=false", "package p"}} {
		path := filepath.Join(root, ".tools", "bin", tool.name)
		if info, err := os.Stat(path); err != nil || info.Mode()&0o111 == 0 {
			return failed(name, "no program "+path, setup)
		}
		if out, err := output(ctx, root, tool.stdin, path, tool.flag); err != nil || out == "" { // an empty file answers nothing
			return failed(name, fmt.Sprintf("%s does not answer (%v)", path, cmp.Or(err, errors.New("it prints nothing"))), setup)
		}
	}
	out, err := output(ctx, root, "", python, "-I", "-c", kernelspec)
	if err != nil {
		return failed(name, "Jupyter does not find the kernel \"sd\": "+err.Error(), setup)
	}
	dir := strings.TrimSpace(out)
	found, err := filepath.EvalSymlinks(dir)
	want, _ := filepath.EvalSymlinks(filepath.Join(root, "kernels", "sd"))
	if err != nil || found != want {
		return failed(name, "Jupyter finds another kernel of the name \"sd\": "+dir, "remove that one, or rename its folder")
	}
	return ok(name, "\"Go (samediff)\", "+dir)
}
