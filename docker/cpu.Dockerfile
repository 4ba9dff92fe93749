# syntax=docker/dockerfile:1
# This repository with all set-up done, computing on the CPU; see docker/README.md.
#
#   docker build -f docker/cpu.Dockerfile -t samediff .

FROM golang:1.26.8-bookworm

RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*

# Jupyter refuses to run as root. The folders are made here because WORKDIR and VOLUME would make them root's.
RUN useradd --create-home student \
    && install -d -o student -g student /samediff /samediff/.sd
USER student
WORKDIR /samediff

# What the set-up reads comes first: a change of other files does not repeat it.
COPY --chown=student:student Makefile go.mod go.sum ./
COPY --chown=student:student tools/ tools/
COPY --chown=student:student kernels/ kernels/
RUN make setup && go mod download

COPY --chown=student:student . .
RUN make build

# Results, to be kept in a volume from one container to the next.
VOLUME /samediff/.sd
EXPOSE 8888
CMD ["make", "lab", "LABFLAGS=--ip=0.0.0.0 --no-browser"]
