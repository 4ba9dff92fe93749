# seconds: 80
# The forward pass of every family's tiny models against transformers: float32 and bf16, then
# TF32, which on a GPU is a backend of its own.
run() { "$bin/gpu" -backend "$backend" -csv "$csv" -part "$part" -root "$root" -tiny="$tiny" "$@" parity; }
if [[ $backend == *cuda* ]]; then
	run -time $((limit * 3 / 5))s -precisions f32,bf16
	first=$?
	run -time $((limit * 2 / 5))s -precisions tf32 && exit $first
else
	run -time "${limit}s"
fi
