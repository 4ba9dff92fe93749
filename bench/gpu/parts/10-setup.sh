# seconds: 40
# What is here: the card, its driver, Pythons with XLA's CUDA plugin and with PyTorch. Then
# the backend is opened, and sd doctor looks at everything. Later parts find in $work/env
# where the plugin and PyTorch are.
keep() { printf '%s=%q\n' "$1" "$2" >>"$work/env"; }
note() { row "$part" "$1" '' '' '' '' "${3-}" "$2"; }

if ! command -v nvidia-smi >/dev/null; then
	note card "there is no nvidia-smi" missing
elif card=$(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader --id=0 2>&1); then
	note card "$card"
	nvidia-smi
else
	note card "nvidia-smi: ${card##*$'\n'}" missing
fi
note machine "$(nproc) CPUs, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(. /etc/os-release && echo "$PRETTY_NAME"), $(uname -r)"

# Where containers mount the driver without telling the loader.
for folder in /usr/local/nvidia/lib64 /usr/local/nvidia/lib; do
	[[ -e $folder/libcuda.so.1 ]] && keep LD_LIBRARY_PATH "$folder:${LD_LIBRARY_PATH-}" && break
done

# --- Pythons ----------------------------------------------------------------------------------------

if [[ $python ]]; then
	IFS=: read -ra candidates <<<"$python"
else
	candidates=("$root/.venv/bin/python" "${VIRTUAL_ENV-/nowhere}/bin/python" "${CONDA_PREFIX-/nowhere}/bin/python" python3 python
		/opt/*/bin/python3 /opt/*/.venv/bin/python3 /usr/local/bin/python3 /usr/bin/python3)
fi
plugins='' torch='' libdevice='' ptxas='' packages=''
declare -A seen
for candidate in "${candidates[@]}"; do
	path=$(command -v "$candidate") && [[ ! ${seen[$path]-} ]] || continue
	seen[$path]=yes
	echo "$path:"
	found=$(timeout 20 "$path" "$root/bench/gpu/find.py" 2>&1) || { echo "$found"; continue; }
	echo "$found"
	while IFS=$'\t' read -r name value; do
		case $name in
		plugin) plugins+=${plugins:+:}$value ;;
		torch) [[ $torch ]] || { torch=$path; note torch "$value, $path"; } ;;
		libdevice) libdevice=${libdevice:-$value} ;;
		ptxas) ptxas=${ptxas:-$value} ;;
		package) [[ $value == jax-cuda*-pjrt==* || $value == nvidia-c*dnn-*==* ]] && packages+="$value " ;;
		esac
	done <<<"$found"
done
[[ $torch ]] && keep torch "$torch" || note torch 'no torch in any Python' missing
[[ $packages ]] && note packages "$packages"

# --- XLA's plugin -----------------------------------------------------------------------------------

if [[ $backend == xla:cuda* ]]; then
	if [[ ! ${PJRT_PLUGIN_LIBRARY_PATH-} && $plugins ]]; then
		keep PJRT_PLUGIN_LIBRARY_PATH "$plugins"
	elif [[ ! ${PJRT_PLUGIN_LIBRARY_PATH-} ]]; then
		note plugin "no Python has jax_plugins/xla_cuda*/xla_cuda_plugin.so" missing
	fi
	# XLA needs libdevice and ptxas to compile. The library finds them in NVIDIA's wheels and in CUDA
	# toolkits; where there are none, Triton, which comes with PyTorch, has both.
	toolkit() { compgen -G "/usr/local/cuda*/$1" || compgen -G "/opt/cuda/$1"; } >/dev/null
	if [[ $libdevice == */triton/* ]] && ! toolkit nvvm/libdevice/libdevice.10.bc; then
		mkdir -p "$work/cuda/nvvm/libdevice"
		ln -s "$libdevice" "$work/cuda/nvvm/libdevice/"
		keep CUDA_HOME "$work/cuda"
		note libdevice "$libdevice"
	fi
	if [[ $ptxas == */triton/* ]] && ! toolkit bin/ptxas && ! command -v ptxas >/dev/null; then
		mkdir -p "$work/cuda/bin"
		ln -s "$ptxas" "$work/cuda/bin/"
		keep PATH "$PATH:$work/cuda/bin"
		note ptxas "$ptxas"
	fi
	ls -d /usr/local/cuda* /usr/local/cuda*/{bin/ptxas,nvvm/libdevice/*} /opt/cuda 2>/dev/null
fi
set -a
. "$work/env"
set +a
env | grep -E 'CUDA|NVIDIA|PJRT|XLA|LD_LIBRARY|^torch=' | sort

"$bin/gpu" -backend "$backend" -csv "$csv" -part "$part" open || true
if grep -qE "^\"?$part\"?,\"?backend\"?,.*,no," "$csv"; then # what a look at the log needs
	TF_CPP_MIN_LOG_LEVEL=0 timeout 30 "$bin/gpu" -backend "$backend" open
	ls -l /dev/nvidia* "${plugins%%:*}"/nvidia/*/lib
	[[ $torch ]] && timeout 60 "$torch" -c 'import jax; print(jax.__version__, jax.devices())'
fi
echo
timeout 30 "$bin/sd" doctor --backend "$backend" || true
