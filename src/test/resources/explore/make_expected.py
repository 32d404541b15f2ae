"""Makes expected.json: what exploration must find on the demo, by plain numpy in float64.

Run from the root of the project: python3 src/test/resources/explore/make_expected.py
The latents are those that SAELens 6.18.0 gave (reference.safetensors), not this library's.
"""
import json
import struct

import numpy as np

DEMO = "releases/demo/"
SAE = DEMO + "all-minilm-l6-v2-matryoshka/sae_weights.safetensors"
WIDTHS = [32, 128, 512, 2048]
DTYPES = {"F32": np.float32, "I32": np.int32}


def load(path):
    with open(path, "rb") as file:
        data = file.read()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(data[8 + size + t["data_offsets"][0] : 8 + size + t["data_offsets"][1]],
                            DTYPES[t["dtype"]]).reshape(t["shape"])
        for name, t in header.items()
    }


weights = {k: v.astype(np.float64) for k, v in load(SAE).items()}
x = load(DEMO + "activations.safetensors")["activations"].astype(np.float64)
ref = load("src/test/resources/demo/reference.safetensors")
f = np.zeros((512, 2048))
f[ref["feature_acts_row"], ref["feature_acts_latent"]] = ref["feature_acts_value"]
fires = f > 0
level = np.searchsorted(WIDTHS, np.arange(2048), side="right")


def order(values):
    """Indices by falling value, ties by the lower index."""
    return np.argsort(-values, kind="stable")


def top(latent, count):
    return [int(r) for r in order(f[:, latent])[:count] if f[r, latent] > 0]


def neighbours(rows, latent, count):
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    cosine = unit @ unit[latent]
    cosine[latent] = -2
    return [[int(i), float(cosine[i])] for i in order(cosine)[:count]]


def phi(a, b):
    return float(np.corrcoef(fires[:, a], fires[:, b])[0, 1])


def children(parent, count, at_least):
    both = (fires[:, [parent]] & fires).sum(0)
    found = [c for c in range(2048) if level[c] > level[parent] and both[c] >= at_least]
    score = np.array([phi(parent, c) for c in found])
    return [[int(found[i]), int(both[found[i]]), float(score[i])] for i in order(score)[:count]]


def parents(child, count, at_least):
    both = (fires[:, [child]] & fires).sum(0)
    found = [p for p in range(2048) if level[p] < level[child] and both[p] >= at_least]
    score = np.array([phi(p, child) for p in found])
    return [[int(found[i]), int(both[found[i]]), float(score[i])] for i in order(score)[:count]]


def absorption(parent):
    w = weights["W_dec"]
    norm = np.linalg.norm(w[parent])
    u = w[parent] / norm
    p = (x - weights["b_dec"]) @ u
    if not fires[:, parent].any():
        return [parent, 0, 0, None, None, -1, 0]
    floor = f[fires[:, parent], parent].mean() * norm
    cosine = (w / np.linalg.norm(w, axis=1, keepdims=True)) @ u
    fractions, silent, full, tops = [], 0, 0, {}
    for row in np.flatnonzero(p >= floor):
        contribution = f[row] * (w @ u)
        child = level > level[parent]
        main = contribution[parent]
        eligible = np.where(child & (cosine >= 0.1), contribution, 0)
        a = np.sort(np.maximum(eligible, 0))[-3:].sum()
        if main >= p[row] or a / p[row] < 0.4:
            fraction = 0.0
        elif main <= 0:
            fraction = 1.0
        else:
            part = min(a, p[row] - main)
            fraction = part / (part + main)
        fractions.append(fraction)
        if fraction > 0:
            best = int(np.argmax(eligible))
            tops[best] = tops.get(best, 0) + 1
        if f[row, parent] < 1e-8:
            silent += 1
            loose = np.where(child & (cosine >= 0.025), contribution, 0).max()
            full += bool(loose > 0 and loose / p[row] >= 0.4)
    child = min(tops, key=lambda c: (-tops[c], c)) if tops else -1
    n = len(fractions)
    mean = [float(np.mean(fractions)), full / n] if n else [None, None]
    return [parent, n, silent, *mean, child, tops.get(child, 0)]


def difference(latent, rows):
    a, b = fires[:rows, latent], fires[rows:, latent]
    p = (a.sum() + b.sum()) / 512
    error = np.sqrt(p * (1 - p) * (1 / rows + 1 / (512 - rows)))
    return [latent, float(a.mean()), float(b.mean()), float((a.mean() - b.mean()) / error) if error else 0.0]


json.dump(
    {
        "top": {str(i): top(i, 8) for i in (0, 17, 59, 107, 497, 553, 2047)},
        "window": [float(v) for v in f[top(17, 1)[0] - 3 : top(17, 1)[0] + 4, 17]],
        "decoder": {str(i): neighbours(weights["W_dec"], i, 5) for i in (0, 17, 497, 2047)},
        "encoder": {str(i): neighbours(weights["W_enc"].T, i, 5) for i in (0, 17, 497, 2047)},
        "children": {str(i): children(i, 5, 3) for i in (0, 17, 59, 200)},
        "parents": {str(i): parents(i, 5, 3) for i in (59, 200, 497, 553)},
        "pairs": int(sum(
            (fires[:, p].astype(int) @ fires[:, WIDTHS[level[p]]:].astype(int) >= 3).sum() for p in range(512))),
        "absorption": [absorption(i) for i in range(512)],
        "differences": [difference(i, 200) for i in range(0, 2048, 31)],
    },
    open("src/test/resources/explore/expected.json", "w"),
    indent=1,
)
