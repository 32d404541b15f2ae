"""Makes the fixtures of ConfigCasesTest: small SAEs, one for each thing that cfg.json can say, and what they
must compute. Run in this folder with Python 3 and numpy; the output is the same each time.

All values are computed here in float64 from the formulas of SAELens 6.18.0 (sae_lens/saes/sae.py), on weights that
were first rounded to the dtype of cfg.json, as SAELens does when it reads them:

  x' = normalise(x) - (b_dec if apply_b_dec_to_input else 0)
  z  = x' W_enc + b_enc
  f  = select(z)
  y  = unnormalise(f W_dec + b_dec)

normalise / unnormalise by normalize_activations:
  none                      x                                     y
  expected_average_only_in  x                                     y
      and with the registry's norm_scaling_factor s, W_enc *= s, W_dec /= s, b_dec /= s
  constant_norm_rescale     x c, c = sqrt(d_in) / ||x||           y / c
  layer_norm                (x - mean) / (std + 1e-5)             y std + mean      std unbiased: divided by d_in - 1

select by architecture:
  standard                                        relu(z)
  jumprelu, batchtopk, matryoshka_batchtopk       relu(z) where z > threshold, else 0
  topk                                            relu of the k largest z, else 0
      with rescale_acts_by_decoder_norm: z_i *= ||W_dec_i|| first, and f_i / ||W_dec_i|| is decoded
  gated                                           relu(exp(r_mag) p + b_mag) where p + b_gate > 0, else 0, p = x' W_enc

The view of width w is the same with the first w columns of W_enc, rows of W_dec and entries of b_enc and threshold.
No z lies within 1e-3 of its limit, so that rounding cannot change which latents are active.
"""

import json
import os
import shutil
import struct

import numpy as np

D_IN, D_SAE, ROWS = 8, 24, 10
WIDTHS = [5, 12, 24]
MARGIN = 1e-3
NEW = {"metadata": {"sae_lens_version": "6.18.0", "hook_name": "blocks.3.hook_resid_post"}}


def to_bfloat16_bits(a):
    bits = a.astype(np.float32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def encode_tensor(a, dtype):
    if dtype == "BF16":
        return to_bfloat16_bits(a).tobytes()
    return a.astype({"F16": "<f2", "F32": "<f4", "F64": "<f8"}[dtype]).tobytes()


def rounded(a, dtype):
    """What a reader has after casting to the dtype of cfg.json, in float64."""
    dtype = dtype.removeprefix("torch.")
    if dtype == "bfloat16":
        return (to_bfloat16_bits(a).astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    return a.astype(np.dtype(dtype)).astype(np.float64)


def save(path, tensors):
    header, body = {}, b""
    for name in sorted(tensors):
        array, dtype = tensors[name]
        data = encode_tensor(array, dtype)
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + body)


class Case:
    def __init__(self, name, cfg, seed, stored="F32", factor=None, extra=None, negative=False, effective=None):
        self.name, self.cfg, self.stored = name, cfg, stored
        rng = np.random.default_rng(seed)
        self.x = rng.normal(0.3, 1.4, (ROWS, D_IN))
        self.w = {
            "W_enc": rng.normal(0, 0.6, (D_IN, D_SAE)),
            "b_enc": rng.normal(0, 0.3, D_SAE),
            "W_dec": rng.normal(0, 0.6, (D_SAE, D_IN)),
            "b_dec": rng.normal(0.2, 0.5, D_IN),
        }
        # What an old cfg.json means, in today's words.
        self.meant = {**cfg, **(effective or {})}
        if self.meant["architecture"] in ("jumprelu", "batchtopk", "matryoshka_batchtopk"):
            self.w["threshold"] = rng.uniform(-1.0, 0.3, D_SAE) if negative else rng.uniform(0.2, 1.0, D_SAE)
        if self.meant["architecture"] == "gated":
            del self.w["b_enc"]
            self.w.update({name: rng.normal(0, 0.3, D_SAE) for name in ("b_gate", "b_mag", "r_mag")})
        self.w.update(extra or {})
        self.factor = factor

    def compute(self, width):
        cfg = self.meant
        file_dtype = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"}[self.stored]
        w = {k: rounded(rounded(v, file_dtype), cfg["dtype"]) for k, v in self.w.items()}
        w_enc, b_enc = w["W_enc"][:, :width], w.get("b_enc", np.zeros(D_SAE))[:width]
        w_dec, b_dec = w["W_dec"][:width], w["b_dec"]
        if self.factor:
            w_enc, w_dec, b_dec = w_enc * self.factor, w_dec / self.factor, b_dec / self.factor
        x = self.x.astype(np.float32).astype(np.float64)
        mode = cfg.get("normalize_activations", "none")
        if mode == "constant_norm_rescale":
            c = np.sqrt(D_IN) / np.linalg.norm(x, axis=1, keepdims=True)
            normal, back = x * c, lambda y: y / c
        elif mode == "layer_norm":
            mean = x.mean(axis=1, keepdims=True)
            std = (x - mean).std(axis=1, keepdims=True, ddof=1)
            normal, back = (x - mean) / (std + 1e-5), lambda y: y * std + mean
        else:
            normal, back = x, lambda y: y
        if cfg.get("apply_b_dec_to_input", True):
            normal = normal - b_dec
        z = normal @ w_enc + b_enc
        if cfg["architecture"] == "gated":
            gate = z + w["b_gate"][:width]
            z = np.exp(w["r_mag"][:width]) * z + w["b_mag"][:width]
            assert np.abs(gate).min() > MARGIN, self.name
        norms = np.ones(width)
        if cfg.get("rescale_acts_by_decoder_norm"):
            norms = np.linalg.norm(w_dec, axis=1)
            z = z * norms
        f = np.maximum(z, 0)
        assert np.abs(z).min() > MARGIN, self.name
        if cfg["architecture"] == "topk":
            k = min(cfg["k"], width)
            falling = -np.sort(-z, axis=1)
            cut = falling[:, k - 1 : k]
            assert k == width or (cut - falling[:, k : k + 1]).min() > MARGIN, self.name
            f = np.where(z >= cut, f, 0)
        elif cfg["architecture"] == "gated":
            f = np.where(gate > 0, f, 0)
        elif "threshold" in w:
            limit = w["threshold"][:width]
            assert np.abs(z - limit).min() > MARGIN, self.name
            f = np.where(z > limit, f, 0)
        return f, back((f / norms) @ w_dec + b_dec)

    def write(self):
        folder = os.path.join("cases", self.name)
        os.makedirs(folder)
        with open(os.path.join(folder, "cfg.json"), "w") as out:
            json.dump({"d_in": D_IN, "d_sae": D_SAE, **self.cfg}, out, indent=2)
            out.write("\n")
        save(os.path.join(folder, "sae_weights.safetensors"), {k: (v, self.stored) for k, v in self.w.items()})
        expected = {"x": (self.x, "F32")}
        for width in WIDTHS:
            f, y = self.compute(width)
            assert (f > 0).sum() > width, self.name
            expected[f"latents_{width}"] = (f, "F64")
            expected[f"reconstruction_{width}"] = (y, "F64")
        save(os.path.join(folder, "expected.safetensors"), expected)


def new(**fields):
    return {"architecture": "standard", "dtype": "float32", **NEW, **fields}


def cases():
    yield "standard", new()
    yield "standard-without-b-dec", new(apply_b_dec_to_input=False)
    yield "unknown-fields", new(some_field_of_tomorrow=[1, {"a": None}], device="cuda:7")
    yield "jumprelu", new(architecture="jumprelu")
    yield "jumprelu-without-b-dec", new(architecture="jumprelu", apply_b_dec_to_input=False)
    yield "jumprelu-negative-thresholds", new(architecture="jumprelu"), dict(negative=True)
    yield "batchtopk", new(architecture="batchtopk", k=4)
    yield "matryoshka-batchtopk", new(architecture="matryoshka_batchtopk", matryoshka_widths=WIDTHS)
    yield "topk", new(architecture="topk", k=4)
    yield "topk-more-than-there-are", new(architecture="topk", k=100)
    yield "topk-rescaled", new(architecture="topk", k=4, rescale_acts_by_decoder_norm=True)
    for mode in ("none", "expected_average_only_in", "constant_norm_rescale", "layer_norm"):
        yield "normalize-" + mode.replace("_", "-"), new(architecture="jumprelu", normalize_activations=mode)
    yield "normalize-layer-norm-topk", new(architecture="topk", k=3, normalize_activations="layer_norm")
    yield "normalize-constant-without-b-dec", new(
        normalize_activations="constant_norm_rescale", apply_b_dec_to_input=False
    )
    yield "normalize-factor-of-the-registry", new(
        architecture="jumprelu", normalize_activations="expected_average_only_in"
    ), dict(factor=0.37)
    yield "scaling-factor-of-ones", new(), dict(extra={"scaling_factor": np.ones(D_SAE) + 4e-6})
    yield "hook-z", new(reshape_activations="hook_z", metadata={**NEW["metadata"], "hook_name": "blocks.3.attn.hook_z"})
    for dtype, stored in (("float16", "F16"), ("bfloat16", "BF16"), ("float32", "F32"), ("float64", "F64")):
        yield "dtype-" + dtype, new(architecture="jumprelu", dtype=dtype), dict(stored=stored)
        yield "dtype-torch-" + dtype, new(architecture="jumprelu", dtype="torch." + dtype)
    yield "dtype-float32-stored-wider", new(architecture="jumprelu"), dict(stored="F64")
    yield "dtype-float64-topk", new(architecture="topk", k=4, dtype="float64"), dict(stored="F64")
    old = {"dtype": "torch.float32", "model_name": "gpt2-small", "hook_point": "blocks.3.hook_resid_pre"}
    yield "old", old, dict(effective={"architecture": "standard"})
    yield "old-normalize-true", {**old, "normalize_activations": True}, dict(
        effective={"architecture": "standard", "normalize_activations": "none"}
    )
    yield "old-normalize-false", {**old, "normalize_activations": False, "activation_fn_str": "tanh-relu"}, dict(
        effective={"architecture": "standard", "normalize_activations": "none"}
    )
    yield "old-topk", {**old, "activation_fn_str": "topk", "activation_fn_kwargs": {"k": 4}}, dict(
        effective={"architecture": "topk", "k": 4}
    )
    yield "old-hook-z", {**old, "hook_point": "blocks.3.attn.hook_z"}, dict(effective={"architecture": "standard"})
    yield "old-version", {**old, "architecture": "jumprelu", "sae_lens_version": "5.11.0"}
    yield "gated", new(architecture="gated")
    yield "gated-layer-norm", new(architecture="gated", normalize_activations="layer_norm", apply_b_dec_to_input=False)
    yield "gated-bfloat16", new(architecture="gated", dtype="bfloat16"), dict(stored="BF16")
    yield "gated-float64", new(architecture="gated", dtype="float64"), dict(stored="F64")


def main():
    shutil.rmtree("cases", ignore_errors=True)
    for index, (name, cfg, *options) in enumerate(cases()):
        arguments = options[0] if options else {}
        for seed in range(1000 * index, 1000 * index + 1000):
            try:
                case = Case(name, cfg, seed, **arguments)
                for width in WIDTHS:
                    case.compute(width)
            except AssertionError:
                continue
            case.write()
            break
        else:
            raise SystemExit(f"{name}: no seed keeps the margin")
    registry = {
        "format_version": 1,
        "release": "config-cases",
        "description": "SAEs that need a fact of the registry.",
        "model": "none",
        "location": {"type": "directory"},
        "d_in": D_IN,
        "d_sae": D_SAE,
        "widths": WIDTHS,
        "norm_scaling_factor": 0.37,
        "saes": [{"id": "factor", "path": "cases/normalize-factor-of-the-registry", "hook_point": "blocks.3.hook_resid_post"}],
    }
    with open("registry.json", "w") as out:
        json.dump(registry, out, indent=2)
        out.write("\n")


if __name__ == "__main__":
    main()
