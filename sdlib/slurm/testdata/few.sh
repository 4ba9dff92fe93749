#!/bin/bash
#SBATCH --job-name=sd-table-1
#SBATCH --array=0-0
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --output="/scratch/sd/slurm/table-1/%A_%a.log"
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:TERM@60
#
# table 1: 50 jobs at tiny scale, plan 3fa2b1c4d5e6.
# Each task takes the next job that no other has, until none is left. Before its time is over,
# and where it is preempted, it gets SIGTERM, writes a checkpoint and is requeued.

export SD_STORE=/scratch/sd
export SD_ROOT=/shared/samediff
program=/opt/sd
if [[ ! -x $program ]]; then
	echo "sd: $(hostname) does not see the program $program: put it where all nodes do" >&2
	exit 1
fi
exec "$program" slurm task table-1 --plan 3fa2b1c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f80 --scale tiny -- table 1
