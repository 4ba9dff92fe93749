#!/usr/bin/env bash
# Alignment searches on a GPU by the paper's recipe, as far as the time goes (parts/60-das.sh), on a machine
# with neither Go nor a network.
#
#   bench/gpu/das.sh [options] OUT   run.sh, with its options, of the parts setup and das
#
# They are in the real CLIP if its weights were carried there (bench/gpu/clip.sh carry), and else in the small model
# of the course. --tiny --backend xla:cpu tries all of it out in half a minute.
exec "$(dirname "${BASH_SOURCE[0]}")/run.sh" --parts 'setup|das' "$@"
