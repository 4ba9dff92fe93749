"""Makes golden.json: CKA, debiased CKA and RSA of small matrices, in NumPy and SciPy.

    pip install numpy==2.4.6 scipy==1.17.1
    python sdlib/similarity/testdata/make_golden.py

CKA is Kornblith's formula on features, debiased CKA that of Song et al. with its three terms,
RSA scipy.stats.spearmanr of 1 - np.corrcoef: other ways to the numbers than Go's.
"""

import json
import platform
from pathlib import Path

import numpy as np
import scipy
from scipy.stats import spearmanr

SEED, N = 5, 30
rng = np.random.default_rng(SEED)
x = rng.normal(size=(N, 6)) @ rng.normal(size=(6, 6)) + 3
near = np.concatenate([x @ np.linalg.qr(rng.normal(size=(6, 6)))[0] * 2 + rng.normal(size=(N, 6)), rng.normal(size=(N, 2))], 1)
wide = rng.normal(size=(N, 100))  # as good as unrelated, with more numbers than images
all_ = {k: v.astype(np.float32).astype(np.float64) for k, v in dict(x=x, near=near, wide=wide).items()}


def cka(x, y):
    x, y = x - x.mean(0), y - y.mean(0)
    return np.linalg.norm(y.T @ x) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))


def hsic1(k, l):
    """The unbiased estimator of Song et al. (2012), equation 5."""
    n = len(k)
    k, l = k - np.diag(np.diag(k)), l - np.diag(np.diag(l))
    one = np.ones(n)
    return (np.trace(k @ l) + (one @ k @ one) * (one @ l @ one) / ((n - 1) * (n - 2)) - 2 / (n - 2) * (one @ k @ l @ one)) / (n * (n - 3))


def debiased(x, y):
    k, l = x @ x.T, y @ y.T
    return hsic1(k, l) / np.sqrt(hsic1(k, k) * hsic1(l, l))


def rsa(x, y):
    upper = np.triu_indices(len(x), 1)
    return spearmanr((1 - np.corrcoef(x))[upper], (1 - np.corrcoef(y))[upper]).statistic


golden = dict(seed=SEED, numpy=np.__version__, scipy=scipy.__version__, python=platform.python_version(), n=N,
              x={k: v.tolist() for k, v in all_.items()}, similarity={})
for name, f in {"cka": cka, "cka-debiased": debiased, "rsa": rsa}.items():
    golden["similarity"][name] = {f"{a} {b}": float(f(all_[a], all_[b])) for a in all_ for b in all_}
    print(name, golden["similarity"][name])
Path(__file__).with_name("golden.json").write_text(json.dumps(golden) + "\n")
