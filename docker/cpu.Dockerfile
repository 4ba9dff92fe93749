# This repository with all set-up done, computing on the CPU; see docker/README.md.
#
#   docker build -f docker/cpu.Dockerfile -t samediff .
#
# BASE is any Debian (or Ubuntu) with Go in /usr/local/go. (.binder/Dockerfile is a copy of this file: Binder wants one there.)
ARG BASE=golang:1.26.8-bookworm

# --- the machine: what README.md asks for, and a user; the dev container is this much, with a clone mounted into it ---
FROM ${BASE} AS machine

ENV PATH=/usr/local/go/bin:$PATH
RUN apt-get update \
    && apt-get install -y --no-install-recommends git make gcc libc6-dev python3 python3-venv ca-certificates \
    && rm -rf /var/lib/apt/lists/*

# Jupyter refuses to run as root. Binder says by NB_UID who will run it. The folders are made here because WORKDIR and VOLUME
# would make them root's.
ARG NB_UID=1000
RUN { id student || useradd --create-home --shell /bin/bash --uid ${NB_UID} student; } \
    && install -d -o student -g student /samediff /samediff/.sd
USER student
WORKDIR /samediff

# --- the repository, with everything set up ---------------------------------------------------------------------------
FROM machine

# What the set-up reads comes first: a change of other files does not repeat it.
COPY --chown=student:student Makefile go.mod go.sum ./
COPY --chown=student:student tools/ tools/
COPY --chown=student:student kernels/ kernels/
RUN make setup && go mod download

COPY --chown=student:student . .
RUN make build

# Binder starts JupyterLab by the "python3" and "jupyter-lab" that it finds in PATH.
ENV PATH=/samediff/.venv/bin:$PATH

# Results, to be kept in a volume from one container to the next.
VOLUME /samediff/.sd
EXPOSE 8888
CMD ["make", "lab", "LABFLAGS=--ip=0.0.0.0 --no-browser"]
