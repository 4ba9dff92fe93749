package doctor

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

// setup is what mends most things.
const setup = "run `make setup` in the repository"

// versions prints the versions of the packages that the notebooks are run and shown with.
const versions = `from importlib.metadata import version
import platform
print("Python " + platform.python_version(), *(f"{p} {version(p)}" for p in ("jupyterlab", "nbclient", "nbformat")), sep=", ")`

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
	if out, err := output(ctx, root, "", python, "-I", "-c", versions); err != nil {
		all = append(all, failed("Python side", python+": "+err.Error(), setup))
	} else {
		all = append(all, ok("Python side", strings.TrimSpace(out)))
	}
	return append(all, kernel(ctx, root, python))
}

func kernel(ctx context.Context, root, python string) Finding {
	const name = "Notebook kernel"
	for _, tool := range []string{"gonb", "goimports"} {
		path := filepath.Join(root, ".tools", "bin", tool)
		if info, err := os.Stat(path); err != nil || info.Mode()&0o111 == 0 {
			return failed(name, "no program "+path, setup)
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
