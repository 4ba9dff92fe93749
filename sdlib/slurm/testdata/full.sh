#!/bin/bash
#SBATCH --job-name=sd-all
#SBATCH --array=0-7
#SBATCH --partition=gpu,long
#SBATCH --account=vision-lab
#SBATCH --qos=normal
#SBATCH --time=1-12:00:00
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=32G
#SBATCH --gres=gpu:a100:1
#SBATCH --output="/shared/sd store/slurm/all/%A_%a.log"
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:TERM@120
#SBATCH --constraint=a100|h100
#SBATCH --mail-type=END
#
# all: 1234 jobs at paper scale, plan 3fa2b1c4d5e6.
# Each task takes the next job that no other has, until none is left. Before its time is over,
# and where it is preempted, it gets SIGTERM, writes a checkpoint and is requeued.

module load cuda/12.4
module load gcc
source /etc/profile.d/proxy.sh
export SD_STORE='/shared/sd store'
export SD_ROOT=/shared/samediff
program=/shared/samediff/bin/sd
if [[ ! -x $program ]]; then
	echo "sd: $(hostname) does not see the program $program: put it where all nodes do" >&2
	exit 1
fi
exec "$program" slurm task all --plan 3fa2b1c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f80 --scale paper --model '/shared/my models/it'\''s mine' --task rmts --gpus a100:1 --backend xla:cuda -- all
