"""Times transformers on the folder that SpeedMain wrote: resid_post of all layers, and of the first 13.

usage: speed.py FOLDER
"""
import statistics, sys, time
import torch
from transformers import AutoModelForCausalLM

torch.set_grad_enabled(False)
for attention in ("eager", "sdpa"):
    causal = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32, attn_implementation=attention).eval()
    ids = torch.randint(3, 262144, (1, 16)); cache = None; times = []
    for _ in range(16):
        start = time.time(); out = causal(ids, past_key_values=cache, use_cache=True); times.append(time.time() - start)
        cache = out.past_key_values; ids = out.logits[:, -1:].argmax(-1)
    print(f"{attention}, a generated token: {statistics.median(times[1:]) * 1e3:.0f} ms", flush=True)
    model = causal.model
    layers = model.layers
    for length in (256, 1024):
        ids = torch.randint(3, 262144, (1, length))
        for depth in (26, 13):
            model.layers = layers[:depth]
            best = float("inf")
            for _ in range(4):
                start = time.time(); model(ids, use_cache=False); best = min(best, time.time() - start)
            print(f"{attention} {length} tokens, {depth} layers: {length / best:.0f} tokens/s", flush=True)
    model.layers = layers
