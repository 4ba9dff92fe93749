# syntax=docker/dockerfile:1
# The CPU image with XLA's CUDA plugin and NVIDIA's libraries added; see docker/README.md. The driver comes
# from the host, through the NVIDIA Container Toolkit.
#
#   docker build -f docker/cpu.Dockerfile  -t samediff .
#   docker build -f docker/cuda.Dockerfile -t samediff:cuda .

ARG BASE=samediff
FROM ${BASE}

ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility

RUN make cuda
