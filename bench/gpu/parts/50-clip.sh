# seconds: 0
# CLIP ViT-B/16 by the paper's recipe, discrimination and then RMTS: as many of its 200 epochs as the
# time allows, for the learning rate is constant. What is kept are differences to CLIP (package delta),
# in OUT/clip-NAME.tar, and accuracies in OUT/clip-NAME.json. bench/gpu/clip.sh brings the weights.
models=$(dirname "$csv")
export SD_STORE=$work/clip-store
. "$root/bench/gpu/weights.sh"

"$bin/gpu" -backend "$backend" -csv "$csv" -part "$part" open || true
grep -qE "^\"?$part\"?,\"?backend\"?,.*,missing," "$csv" && exit 0
clip_weights || exit 0

precision=bf16 batch=128 images=6400 test=6400 epochs=200
[[ $backend == *cuda* ]] || precision=''
$tiny && batch=8 images=16 test=16 epochs=1
end=$((SECONDS + limit))

# recipe EPOCHS is the paper's, in the precision of this machine.
recipe() {
	printf '{"epochs":%d,"batch":%d,"lr":1e-6,"weight_decay":0.01,"schedule":"constant","seed":1,"precision":"%s"}' "$1" "$batch" "$precision"
}

# tune NAME PRESET UNTIL trains, evaluates and packs a model until a second after the start.
tune() {
	local name=$1 preset=$2 until=$3 began=$SECONDS n=$epochs id
	local train=("$bin/sd" train "$preset" --backend "$backend" --images "$images" --val 0 -q --recipe "$work/recipe.json")
	if ! $tiny; then # two trainings of an epoch and of three tell how long one takes
		local each first
		for k in 1 3; do
			recipe $k >"$work/recipe.json"
			first=$SECONDS
			"${train[@]}" >/dev/null || return 1
			[[ $k == 1 ]] && each=$((SECONDS - first)) || each=$(((SECONDS - first - each + 1) / 2))
		done
		((each < 1)) && each=1
		n=$(((until - SECONDS - 60) / each)) # a minute for the rest
		((n > epochs)) && n=$epochs
		((n < 1)) && { row "$part" "$name" '' '' '' '' skipped "an epoch takes $each s, $((until - SECONDS)) s are left"; return 0; }
	fi
	recipe "$n" >"$work/recipe.json"
	"${train[@]}" --json >"$work/trained.json" || return 1
	id=$(sed -n 's/^ *"stored": "\([0-9a-f]*\)".*/\1/p' "$work/trained.json")
	"$bin/sd" eval "$id" --backend "$backend" --images "$test" -q --json >"$models/clip-$name.json" || return 1
	row "$part" "$name" "$preset, $n epochs, ${precision:-f32}" "$(accuracy "$models/clip-$name.json")" accuracy '' '' "test (IID), $test images; $((SECONDS - began)) s"
	"$bin/sd" model pack "$id" --base clip-b16 --rank 8 --backend "$backend" --images "$((test < 1600 ? test : 1600))" -q -o "$work/clip-$name" || return 1
	cp "$work/trained.json" "$work/clip-$name/"
	tar -C "$work" -cf "$models/clip-$name.tar" "clip-$name"
}

# accuracy reads the second set, test (IID), of what sd eval --json printed.
accuracy() {
	awk -F'[:,]' '/"all"/ {sets++} sets == 2 && /"n"/ {n = $2} sets == 2 && /"correct"/ {print $2 / n; exit}' "$1"
}

tune discrimination clip-b16 $((SECONDS + limit / 2)) || row "$part" discrimination '' '' '' '' no 'see log.txt'
tune rmts clip-b16-rmts "$end" || row "$part" rmts '' '' '' '' no 'see log.txt'
