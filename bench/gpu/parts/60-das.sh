# seconds: 0
# Alignment searches by the paper's recipe, shape and color after each block, the most telling blocks first: as many as
# the time allows. In the real CLIP where its weights are (bench/gpu/clip.sh carry), else in the model of the course.
# What was found is in OUT/das-MODEL.csv, as sd das --csv writes it.
export SD_STORE=$work/das-store
. "$root/bench/gpu/weights.sh"

"$bin/gpu" -backend "$backend" -csv "$csv" -part "$part" open || true
grep -qE "^\"?$part\"?,\"?backend\"?,.*,missing," "$csv" && exit 0

model=discrimination-256-course recipe=course test=2000 blocks=(0 1 2 3 4 5)
if $tiny; then
	model=discrimination-256-quick recipe=$work/das.json test=16 blocks=(2)
	printf '{"pairs":16,"steps":2,"batch":8,"lr":1e-3,"mask_lr":1e-2,"sparsity":1e-3,"temperature":{"from":1,"to":0.1}}' >"$recipe"
elif clip_weights; then
	model=discrimination-256-clip-b16 recipe=paper blocks=(2 3 1 0 5 4 7 6 8 9 10 11)
	[[ -d $root/models/$model ]] || model+=-112
fi

# Each block is a command, and what it found a file, until the next one would take too long.
end=$((SECONDS + limit)) longest=0 began=$SECONDS found=()
for block in "${blocks[@]}"; do
	((SECONDS + longest + 5 > end)) && { row "$part" "$model" "block $block" '' '' '' skipped "$((end - SECONDS)) s left"; continue; }
	started=$SECONDS
	timeout $((end - SECONDS)) "$bin/sd" das "$model" --backend "$backend" --recipe "$recipe" --test "$test" --blocks "$block" --csv "$work/das-$block.csv" -q >/dev/null
	status=$?
	((status == 124)) && { row "$part" "$model" "block $block" '' '' '' skipped "stopped after $((SECONDS - started)) s"; break; }
	((status)) && { row "$part" "$model" "block $block" '' '' '' no 'see log.txt'; continue; }
	found+=("$work/das-$block.csv")
	((SECONDS - started > longest)) && longest=$((SECONDS - started))
	row "$part" "$model" "block $block, $(basename "$recipe")" $((SECONDS - started)) s '' yes 'shape and color: search and test'
done
[[ ${#found[@]} -gt 0 ]] || exit 0
{ head -1 "${found[0]}"; tail -qn +2 "${found[@]}"; } >"$(dirname "$csv")/das-$model.csv"
row "$part" "$model" "${#found[@]} of ${#blocks[@]} blocks" $((SECONDS - began)) s '' '' "sd das $model --recipe $(basename "$recipe"); $(nproc) CPUs, $backend"
