# "make" lists the targets. All that they make lies in this folder, in places that git ignores:
#
#   .venv/   Python side      .tools/  gonb, goimports, gopls, staticcheck      bin/  sd
#   .sd/     what was computed (the artifact store), and the executed notebooks of "make demo" and "make test"
#   .parity/ PyTorch and transformers, for "make parity" alone
#   .blender/ Blender as a Python module, by "make photographs" alone
#   .carry/  programs packed for a machine with a GPU and without Go, by "make gpu-carry" alone
#   .bare/   root folders of a bare Debian, by "make bare-test" and "make image-test" alone
#
# Outside it only the user's caches of Go, goimports and pip are used.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS   += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# What may be set on the command line.
NB        ?= $(sort $(wildcard notebooks/*.ipynb notebooks/labs/*.ipynb))# which notebooks
NBFLAGS   ?=# more flags for the notebook runner, e.g. NBFLAGS=--timings
LABFLAGS  ?=# more flags for JupyterLab, e.g. LABFLAGS=--no-browser
TESTFLAGS ?=# more flags for go test, e.g. TESTFLAGS=-race
FUZZTIME  ?= 10s# how long make fuzz tries each parser, e.g. 1h; FUZZ=FuzzImport for some
FUZZ      ?= Fuzz
BENCH     ?= .# which benchmarks, a regular expression
GPUFLAGS  ?=# for make gpu, e.g. GPUFLAGS="--parts setup"
PARITYFLAGS ?=# for make parity, e.g. PARITYFLAGS="-seed 7 -base all"
PARITYPIP ?=# more flags for its pip
CLIP      ?= discrimination-256-clip-b16-112# which fine-tuned CLIP, for make clip
CLIP_IMAGES ?= 1600# images of the IID set that it is asked about
RENDERFLAGS ?=# for make photographs, e.g. RENDERFLAGS="--part 2/4 --threads 4"
PYTHON311 ?= python3.11# the Python that Blender's module needs
DEBIAN    ?= bookworm# the bare Debian of make bare-test and image-test: bookworm (12), trixie (13)
BARE      ?= demo# what make makes there, e.g. BARE="demo test"
PARITY_PYTHON ?= .parity/bin/python# a Python that has what bench/parity/requirements.txt names

DEMO := .sd/demo
RUN  := .venv/bin/python -I kernels/run_notebooks.py

export SD_ROOT := $(CURDIR)
export GOMLX_NO_AUTO_INSTALL := 1# a missing plugin is an error to be told, not a download
export GOWORK := off# a go.work in a folder above is not about this module
export STATICCHECK_CACHE := $(CURDIR)/.tools/cache
# Where git refuses to read this folder (another owner, as in a container), go build would refuse too.
ifneq ($(shell git rev-parse HEAD >/dev/null 2>&1 || echo no),)
export GOFLAGS := $(GOFLAGS) -buildvcs=false
endif

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

# --- set-up ---------------------------------------------------------------------------------------

.PHONY: setup base tools kernel cuda
setup: ## all set-up: Python side, tools, kernel, help in cells; takes no time when it is done (PYTHON=... names a Python)
	@kernels/setup.sh python tools kernel help

base: # what commands and notebooks need to run; help is for those who write cells
	@kernels/setup.sh

tools: ## only the Go tools, into .tools/bin: gonb, goimports, staticcheck, gopls
	@kernels/setup.sh tools checks help

kernel: ## only the Python side with the notebook kernel, into .venv
	@kernels/setup.sh python kernel

cuda: base ## add XLA's CUDA plugin and NVIDIA's libraries to .venv (Linux x86_64, about 3 GB)
	@kernels/setup.sh cuda

.PHONY: build
build: base ## the command bin/sd
	@go build -o bin/sd ./cmd/sd

# --- using it -------------------------------------------------------------------------------------

.PHONY: demo
demo: build ## train a small model, evaluate it, score its heads, and show it all in a notebook and a page
	@bin/sd demo
	@$(MAKE) --silent $(DEMO)/00-tour.html
	@printf '\nThe tour, executed:\n  %s\n  %s\nStep through it yourself: make lab\n' \
		"file://$(CURDIR)/$(DEMO)/00-tour.html" "$(CURDIR)/$(DEMO)/00-tour.ipynb"

# Executed again when the notebook, the library or the kernel changed. The notebook in notebooks/ stays as it is.
$(DEMO)/00-tour.html: notebooks/00-tour.ipynb go.mod go.sum kernels/requirements.txt kernels/run_notebooks.py \
		$(wildcard kernels/sd/*) $(filter-out %_test.go,$(wildcard sdlib/*/*.go sdlib/*/*/*.go))
	@echo "executing $< ..."
	@$(RUN) --out $(DEMO) --html $(NBFLAGS) $<

.PHONY: clip
clip: build ## the real CLIP ViT-B/16: fetch it, put what was fine-tuned here on it, evaluate it, draw where its heads look
	@bin/sd model fetch clip-b16 --package
	@printf '\n'
	@bin/sd eval $(CLIP) --only "test (IID)" --images $(CLIP_IMAGES)
	@printf '\n'
	@mkdir -p $(DEMO)
	@bin/sd attention $(CLIP) --html $(DEMO)/clip.html
	@bin/sd figure 2 --model $(CLIP),discrimination-256-course -o $(DEMO)/figure02-clip.png

.PHONY: emoji
emoji: build ## pictures of everyday things through npm (78 MB), for sd pretrain --emoji
	@bin/sd pictures fetch

.PHONY: photographs
photographs: .blender/done ## render the photorealistic set, 1,024 pictures into .sd/photographs (forty minutes on one core, goes on where it was; Python 3.11)
	@.blender/bin/python sdlib/photographs/render/render.py .sd/photographs $(RENDERFLAGS)

.blender/done: sdlib/photographs/render/requirements.txt
	@rm -rf .blender
	$(PYTHON311) -m venv .blender
	.blender/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# Settings, workspaces and signatures of this Lab lie in .venv/jupyter, apart from the user's own Jupyter.
.PHONY: lab
lab: export JUPYTER_CONFIG_DIR  := $(CURDIR)/.venv/jupyter/config
lab: export JUPYTER_DATA_DIR    := $(CURDIR)/.venv/jupyter/data
lab: export JUPYTER_RUNTIME_DIR := $(CURDIR)/.venv/jupyter/runtime
lab: export IPYTHONDIR          := $(CURDIR)/.venv/jupyter/ipython
lab: export npm_config_cache    := $(CURDIR)/.venv/jupyter/npm# Lab asks npm, if there is one, for language servers
lab: build setup ## open JupyterLab on the notebooks, with the kernel "Go (samediff)"
	@.venv/bin/python -I -m jupyterlab --ServerApp.root_dir="$(CURDIR)" \
		--LabApp.default_url=/lab/tree/notebooks/00-tour.ipynb $(LABFLAGS)

.PHONY: notebooks
notebooks: build ## execute the notebooks and renew the committed outputs (NB=notebooks/00-tour.ipynb for one)
	@$(RUN) $(NBFLAGS) $(NB)

.PHONY: paper
paper: build ## write the tables of the paper's claims in README.md and docs/paper.md anew, from the results in models/
	@bin/sd paper --summary --markdown --into README.md
	@bin/sd paper --markdown --into docs/paper.md

# --- checking it ----------------------------------------------------------------------------------

.PHONY: test
test: lint setup build ## static checks, all tests, all notebooks (into .sd/test, the committed ones stay)
	go test -timeout 2h $(TESTFLAGS) ./...
	@$(RUN) --out .sd/test $(NBFLAGS) $(NB)

.PHONY: lint
lint: ## gofmt, go vet, staticcheck
	@kernels/setup.sh checks
	@bad=$$(gofmt -l $(wildcard */)); [[ -z $$bad ]] || { printf 'not formatted, run gofmt -w on:\n%s\n' "$$bad"; exit 1; }
	go vet ./...
	.tools/bin/staticcheck ./...

# go test runs the fuzz targets on what they begin with, and on what was found before (testdata/fuzz). Inputs are hardly made
# smaller: by default Go spends up to a minute on that for each new one, in which nothing is tried.
.PHONY: fuzz
fuzz: ## feed each parser with damaged files, ten seconds each (FUZZTIME=1h, FUZZ=FuzzImport)
	@grep -roE --include='*_test.go' '^func $(FUZZ)[A-Za-z]*' sdlib | sort | while IFS=: read -r file name; do \
		echo "$${file%/*} $${name#func }"; \
		go test -run '^$$' -fuzz "^$${name#func }$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $(TESTFLAGS) "./$${file%/*}" </dev/null; \
	done

.PHONY: flips
flips: ## flip 100 bits in each kind of file, other ones each time: each is noticed, or without effect
	@SD_FLIPS=new go test -count=1 -v -run Flips $$(grep -rl --include='*_test.go' 'flips\.Each' sdlib | xargs -n1 dirname | sort -u | sed 's|^|./|') | grep -v '^=== '

.PHONY: kills
kills: ## end each command that writes thirty times at a random moment: nothing is lost, nothing is left, it goes on
	@SD_KILLS=30 go test -count=1 -v -timeout 2h -run TestKills ./cmd/sd | grep -v '^=== '

.PHONY: browser
browser: setup build ## open the notebooks in JupyterLab in headless Chromium: run cells, complete a name, show documentation
	@SD_BROWSER=1 go test -count=1 -v -timeout 30m -run TestBrowser ./kernels | grep -v '^=== '

.PHONY: slurm-test
slurm-test: base ## run a plan on a real Slurm of two nodes on this machine: requeue a task, kill a node (docs/clusters.md)
	@SD_SLURM=1 go test -count=1 -v -timeout 1h -run 'TestSlurm$$' ./cmd/sd | grep --line-buffered -v '^=== '

.PHONY: bench
bench: base ## Go benchmarks of all packages (BENCH=Forward for some)
	go test -run '^$$' -bench '$(BENCH)' -benchmem ./...

.PHONY: parity
parity: base $(if $(filter .parity/%,$(PARITY_PYTHON)),.parity/done) ## compare random models of every family with transformers, both ways (docs/parity.md)
	@go run ./bench/parity -python $(PARITY_PYTHON) $(PARITYFLAGS)

.parity/done: bench/parity/requirements.txt
	@rm -rf .parity
	$(or $(PYTHON),python3) -m venv .parity
	.parity/bin/python -m pip install --quiet --disable-pip-version-check $(PARITYPIP) -r $<
	@touch $@

# On the machine with the GPU itself; PyTorch is compared with if a Python there has it.
.PHONY: gpu gpu-carry
gpu: cuda build ## check and measure all on an NVIDIA GPU, eight minutes, results in .sd/gpu (docs/benchmarks.md)
	@go build -o bin/gpu ./bench/gpu
	@bench/gpu/run.sh --bin bin $(GPUFLAGS) .sd/gpu

gpu-carry: ## pack the programs for a GPU machine without Go or network, into .carry/gpu
	@bench/gpu/build.sh

# As root. What they need and leave stands in the scripts.
.PHONY: bare-test image-test
bare-test: ## make demo in a bare Debian 12 made by debootstrap (DEBIAN=trixie for 13; BARE="demo test" for more targets)
	@DEBIAN=$(DEBIAN) docker/bare-test.sh $(BARE)

image-test: ## build the container image with buildah on such a root, and run make demo in it (CUDA=1 for that image too)
	@DEBIAN=$(DEBIAN) docker/image-test.sh $(BARE)

# --- cleaning up ----------------------------------------------------------------------------------

.PHONY: clean distclean
clean: ## remove bin/ and the executed notebooks; what was computed stays in .sd
	rm -rf bin $(DEMO) .sd/test

distclean: clean ## remove the set-up too (.venv, .tools, .parity, .blender, .carry, .bare)
	rm -rf .venv .tools .parity .blender .carry .bare
