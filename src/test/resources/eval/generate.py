"""Makes demo-metrics.json: every metric of the bundled demo at every width, computed from scratch.

Run from the top folder of the project:

    python3 src/test/resources/eval/generate.py

Needs numpy alone. Reads the weights and activations of releases/demo, encodes and decodes in
float64, and follows the formulas of docs/evaluation.md literally (masks, batches and all), not the
streaming sums of the library. No pre-activation of these rows lies within 1e-5 of a threshold, so
the active latents are those of float32.
"""

import json
import struct
from pathlib import Path

import numpy as np

DEMO = Path("releases/demo")
TARGET = Path("src/test/resources/eval/demo-metrics.json")
BATCH_ROWS = [2048, 100]
WIDTHS = [32, 128, 512, 2048]


def read(path):
    raw = path.read_bytes()
    (size,) = struct.unpack("<Q", raw[:8])
    types = {"F32": "<f4", "I32": "<i4"}
    tensors = {}
    for name, info in json.loads(raw[8 : 8 + size]).items():
        if name != "__metadata__":
            begin, end = info["data_offsets"]
            data = raw[8 + size + begin : 8 + size + end]
            tensors[name] = np.frombuffer(data, types[info["dtype"]]).reshape(info["shape"])
    return tensors


def dot(a, b):
    return (a * b).sum(axis=-1)


def at_width(x, f, y, batches):
    d_in = x.shape[1]
    r = dot(x - y, x - y)
    nx, ny = np.sqrt(dot(x, x)), np.sqrt(dot(y, y))
    legacy, sae_lens_mse, fvu, dl, bias, batch_r, batch_s = [], [], [], [], [], [], []
    for b in batches:
        to_mean = dot(x[b] - x[b].mean(0), x[b] - x[b].mean(0))
        legacy += list(1 - r[b] / to_mean)
        sae_lens_mse += list(r[b] / len(b))
        fvu.append(r[b].sum() / to_mean.sum())
        dl.append(1 - (x[b] - y[b]).var(0, ddof=1).sum() / x[b].var(0, ddof=1).sum())
        bias.append(dot(y[b], y[b]).mean() / dot(x[b], y[b]).mean())
        batch_r.append(r[b].mean())
        batch_s.append(dot(x[b], x[b]).mean())
    s = np.mean(batch_s)
    l0 = (f > 0).sum(1)
    density = (f > 0).mean(0)
    return {
        "pooled": 1 - r.sum() / dot(x - x.mean(0), x - x.mean(0)).sum(),
        "legacy": np.mean(legacy),
        "asCoded": 1 - np.mean(batch_r) / (s - (s / d_in) ** 2),
        "dictionaryLearning": np.mean(dl),
        "sparsify": 1 - np.mean(fvu),
        "squaredError": r.mean(),
        "mse": ((x - y) ** 2).mean(),
        "saeLensMse": np.mean(sae_lens_mse),
        "normalisedMse": (r / nx**2).mean(),
        "errorNorm": np.sqrt(r).mean(),
        "cosine": (dot(x, y) / (nx * ny)).mean(),
        "l2Ratio": (ny / nx).mean(),
        "inputNorm": nx.mean(),
        "outputNorm": ny.mean(),
        "relativeBias": np.mean(bias),
        "l0": l0.mean(),
        "l0Histogram": np.bincount(l0).tolist(),
        "l1": f.sum(1).mean(),
        "alive": (density > 0).mean(),
        "dead": (density == 0).mean(),
        "aboveOnePercent": (density > 0.01).mean(),
        "aboveTenPercent": (density > 0.1).mean(),
        "aboveOnePercentShare": density[density > 0.01].sum() / density.sum(),
        "aboveTenPercentShare": density[density > 0.1].sum() / density.sum(),
    }


def compare(density, published):
    both = (density > 0) & (published > -9.9)
    measured = np.log10(density + 1e-10)[both]
    difference = np.abs(measured - published[both])
    return {
        "firing": int(both.sum()),
        "silent": int(((density == 0) & (published <= -9.9)).sum()),
        "onlyMeasured": int(((density > 0) & (published <= -9.9)).sum()),
        "onlyPublished": int(((density == 0) & (published > -9.9)).sum()),
        "correlation": np.corrcoef(measured, published[both])[0, 1],
        "meanAbsoluteDifference": difference.mean(),
        "maxAbsoluteDifference": difference.max(),
    }


def main():
    sae = DEMO / "all-minilm-l6-v2-matryoshka"
    w = {k: v.astype(np.float64) for k, v in read(sae / "sae_weights.safetensors").items()}
    published = read(sae / "sparsity.safetensors")["sparsity"].astype(np.float64)
    x = read(DEMO / "activations.safetensors")["activations"].astype(np.float64)
    z = (x - w["b_dec"]) @ w["W_enc"] + w["b_enc"]
    f = np.where(z > w["threshold"], np.maximum(z, 0), 0)
    result = {"rows": len(x), "totalVariance": dot(x - x.mean(0), x - x.mean(0)).mean()}
    for size in BATCH_ROWS:
        batches = [np.arange(i, min(i + size, len(x))) for i in range(0, len(x), size)]
        result[f"batchRows{size}"] = [
            {"width": n} | at_width(x, f[:, :n], f[:, :n] @ w["W_dec"][:n] + w["b_dec"], batches)
            for n in WIDTHS
        ]
    result["firings"] = (f > 0).sum(0).tolist()
    result["maxActivation"] = [float(v) for v in f.max(0)]
    result["sumActivation"] = [float(v) for v in f.sum(0)]
    result["published"] = compare((f > 0).mean(0), published)
    TARGET.write_text(json.dumps(result, indent=1, default=float) + "\n")


if __name__ == "__main__":
    main()
