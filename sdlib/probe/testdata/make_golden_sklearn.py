"""Makes sklearn.safetensors: scikit-learn's logistic regression on four small problems.

    pip install scikit-learn==1.7.2 safetensors==0.7.0 numpy==2.4.6
    python sdlib/probe/testdata/make_golden_sklearn.py

Two classes and five; more items than features and fewer; without a penalty (C = inf). Features
are correlated, differ in scale by a factor of 100 and have a mean, as residual streams do.
"""

import platform
from pathlib import Path

import numpy as np
import sklearn
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression

SEED = 7
HERE = Path(__file__).parent
rng = np.random.default_rng(SEED)
out = {}


def case(name, n, test, features, classes, penalty):
    mix = rng.normal(size=(features, features)) / np.sqrt(features)
    scale = 10 ** rng.uniform(-1, 1, features)
    mean = rng.normal(size=features) * scale
    true = rng.normal(size=(classes, features)) / np.sqrt(features)

    def draw(n):
        white = rng.normal(size=(n, features))
        noisy = white @ true.T * 2 + rng.gumbel(size=(n, classes))
        return ((white @ mix.T) * scale + mean).astype(np.float32), noisy.argmax(1).astype(np.int32)

    x, y = draw(n)
    xt, yt = draw(test)
    C = np.inf if penalty == 0 else 1 / (penalty * n)
    # Newton's method converges where L-BFGS on unscaled features needs very many steps.
    fit = LogisticRegression(C=C, tol=1e-10, max_iter=10000, solver="newton-cholesky").fit(x.astype(np.float64), y)
    out[f"{name}/x"], out[f"{name}/y"], out[f"{name}/xt"], out[f"{name}/yt"] = x, y, xt, yt
    out[f"{name}/coef"], out[f"{name}/intercept"] = fit.coef_, fit.intercept_
    out[f"{name}/penalty"] = np.array([penalty], dtype=np.float64)
    out[f"{name}/correct"] = np.array([(fit.predict(xt) == yt).sum()], dtype=np.int32)
    print(name, "steps", fit.n_iter_, "accuracy", (fit.predict(xt) == yt).mean())


case("two", n=300, test=200, features=20, classes=2, penalty=1e-3)
case("five", n=400, test=200, features=15, classes=5, penalty=1e-3)
case("wide", n=60, test=200, features=150, classes=2, penalty=1e-2)
case("free", n=500, test=200, features=8, classes=2, penalty=0)

versions = dict(numpy=np.__version__, sklearn=sklearn.__version__, python=platform.python_version(), seed=str(SEED))
save_file({k: np.ascontiguousarray(v) for k, v in out.items()}, HERE / "sklearn.safetensors", metadata=versions)
