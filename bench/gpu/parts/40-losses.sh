# seconds: 60
# The losses of 20 training steps against the CPU's.
exec "$bin/gpu" -backend "$backend" -csv "$csv" -part "$part" -root "$root" -tiny="$tiny" -time "${limit}s" losses
