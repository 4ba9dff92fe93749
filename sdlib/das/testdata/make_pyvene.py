"""Makes pyvene.safetensors: a whole distributed alignment search with pyvene, on a model of models/.

    pip install -r bench/das/requirements.txt
    sd stimuli export train --geometry course --counterfactual color --pairs 400
    sd stimuli export test --geometry course --split test-iid --counterfactual color --pairs 200
    python sdlib/das/testdata/make_pyvene.py train test

pyvene reads the source's state with a hook in a pass over the counterfactual images, and writes
it with another in a pass over the base images. bench/das/search_pyvene.py says what of pyvene is
used. Go repeats the steps from the same start on the same pairs in the same order.
"""

import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "bench/das"))
from search_pyvene import Pairs, Search, load, permutations  # noqa: E402

SEED, STEPS, BATCH, BLOCK = 5, 120, 32, 1
MODEL = ROOT / "models/discrimination-256-course"

torch.manual_seed(SEED)
train, test = (Pairs(folder, MODEL) for folder in sys.argv[1:])
search = Search(load(MODEL), BLOCK, STEPS)
start = search.intervention.rotate_layer.weight.detach().clone()
with torch.no_grad():  # where all are equal the loss does not depend on the rotation, and Adam steps along noise
    search.intervention.masks.normal_(0, 0.1)
start_mask = search.intervention.masks.detach().clone()

losses, rows, order = [], [], []
for _ in range(STEPS):
    rows.append(torch.randperm(len(train))[:BATCH])
    order.append(permutations(BATCH, train.source.shape[1]))
    losses.append(search.step(train, rows[-1], order[-1]))
answers = search.answers(test)

save_file(
    dict(
        start=start, start_mask=start_mask, rows=torch.stack(rows).int(), order=torch.stack(order).int(),
        losses=torch.tensor(losses), answers=answers.int(), targets=test.targets.int(),
    ),
    HERE / "pyvene.safetensors",
    dict(
        train=json.dumps(train.config), test=json.dumps(test.config), seed=str(SEED), pyvene=version("pyvene"),
        torch=torch.__version__, transformers=transformers.__version__, python=platform.python_version(),
        script="sdlib/das/testdata/make_pyvene.py",
    ),
)  # fmt: skip
print("losses", [round(x, 4) for x in losses[:20]])
print("dimensions", int((search.intervention.masks > 0).sum()), "right", int((answers == test.targets).sum()), "of", len(test))
