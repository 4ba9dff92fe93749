# seconds: 280
# Images per second of training and of the forward pass, beside PyTorch's on the same card.
exec "$bin/gpu" -backend "$backend" -csv "$csv" -part "$part" -root "$root" -tiny="$tiny" -time "${limit}s" \
	-python "${torch-}" -only "$only" speed
