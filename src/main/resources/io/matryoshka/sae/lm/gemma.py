# Serialised TorchScript, not Python: what torch.jit.load reads, packed by TorchScriptArchive and called by ModelKernels.
# The arithmetic is that of modeling_gemma2.py and modeling_gemma3.py of transformers 5.18, eager attention.
# Types: 6 float32, 7 float64, 4 int64, 15 bfloat16. A product is done in the type `product`, all else in float32.
# sizes = [query heads, key-value heads, head width, window or 0]; numbers = [norm epsilon, scale of scores, cap or 0.].
# A layer's weights: 0 input norm, 1 q, 2 k, 3 v, 4 o, 5 norm after attention, 6 norm before the MLP, 7 gate, 8 up, 9 down,
# 10 norm after the MLP and, in Gemma 3, 11 norm of queries, 12 norm of keys.
class Gemma(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  def embed(self: __torch__.Gemma, table: Tensor, ids: Tensor, scale: float) -> Tensor:
    return torch.to(torch.embedding(table, ids), 6) * scale
  def rope(self: __torch__.Gemma, start: int, count: int, width: int, base: float, factor: float) -> Tuple[Tensor, Tensor]:
    exponents = torch.to(torch.arange(0, width, 2), 6) / width
    frequencies = torch.reciprocal(torch.pow(base, exponents)) / factor
    positions = torch.to(torch.arange(start, start + count), 6)
    angles = torch.unsqueeze(positions, 1) * torch.unsqueeze(frequencies, 0)
    angles = torch.cat([angles, angles], 1)
    return (torch.cos(angles), torch.sin(angles))
  # `scratch` is float32 memory for one widened matrix: fresh memory for each would cost as much as the widening.
  def linear(self: __torch__.Gemma, x: Tensor, w: Tensor, product: int, scratch: Tensor) -> Tensor:
    if ops.prim.dtype(w) == product or product != 6:
      return torch.to(torch.linear(torch.to(x, product), torch.to(w, product)), 6)
    wide = torch.view(torch.slice(scratch, 0, 0, w.size(0) * w.size(1)), [w.size(0), w.size(1)])
    return torch.linear(x, torch.copy_(wide, w))
  def scratch(self: __torch__.Gemma, count: int) -> Tensor:
    return torch.empty([count], dtype=6)
  def normalized(self: __torch__.Gemma, x: Tensor, epsilon: float) -> Tensor:
    return x * torch.rsqrt(torch.mean(x * x, [-1], True) + epsilon)
  def rms(self: __torch__.Gemma, x: Tensor, w: Tensor, epsilon: float) -> Tensor:
    return torch.mul_(self.normalized(x, epsilon), torch.to(w, 6) + 1.)
  def rotate(self: __torch__.Gemma, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = torch.chunk(x, 2, -1)
    return torch.add_(x * cos, torch.cat([torch.neg(second), first], -1) * sin)
  def mask(self: __torch__.Gemma, queries: Tensor, keys: Tensor, window: int) -> Tensor:
    distance = torch.unsqueeze(queries, 1) - torch.unsqueeze(keys, 0)
    hidden = torch.lt(distance, 0)
    if window > 0:
      hidden = torch.logical_or(hidden, torch.ge(distance, window))
    return torch.masked_fill(torch.zeros([queries.size(0), keys.size(0)], dtype=6), hidden, float("-inf"))
  def weigh(self: __torch__.Gemma, q: Tensor, k: Tensor, v: Tensor, mask: Tensor, scale: float, cap: float) -> Tensor:
    if cap == 0.:
      return torch.scaled_dot_product_attention(q, k, v, mask, 0., False, scale=scale)
    scores = torch.mul_(torch.matmul(q, torch.transpose(k, -2, -1)), scale / cap)
    scores = torch.add_(torch.mul_(torch.tanh_(scores), cap), mask)
    return torch.matmul(torch.softmax(scores, -1), v)
  def attention(self: __torch__.Gemma, h: Tensor, w: List[Tensor], rope: List[Tensor], cache: List[Tensor], start: int, sizes: List[int], numbers: List[float], product: int, scratch: Tensor) -> Tensor:
    kv = sizes[1]
    group = sizes[0] // kv
    width = sizes[2]
    window = sizes[3]
    b = h.size(0)
    n = h.size(1)
    q = torch.view(self.linear(h, w[1], product, scratch), [b, n, sizes[0], width])
    k = torch.view(self.linear(h, w[2], product, scratch), [b, n, kv, width])
    v = torch.view(self.linear(h, w[3], product, scratch), [b, n, kv, width])
    if len(w) > 11:
      q = self.rms(q, w[11], numbers[0])
      k = self.rms(k, w[12], numbers[0])
    cos = torch.unsqueeze(rope[0], 1)
    sin = torch.unsqueeze(rope[1], 1)
    q = torch.view(self.rotate(q, cos, sin), [b, n, kv, group, width])
    k = torch.transpose(self.rotate(k, cos, sin), 1, 2)
    v = torch.transpose(v, 1, 2)
    if len(cache) > 0:
      torch.copy_(torch.slice(cache[0], 2, start, start + n), k)
      torch.copy_(torch.slice(cache[1], 2, start, start + n), v)
      k = torch.slice(cache[0], 2, 0, start + n)
      v = torch.slice(cache[1], 2, 0, start + n)
    out = torch.empty([b, n, kv, group, width], dtype=6)
    chunk = 256
    for c in range((n + chunk - 1) // chunk):
      begin = c * chunk
      end = min(n, begin + chunk)
      first = 0
      if window > 0:
        first = max(0, start + begin - window + 1)
      mask = self.mask(torch.arange(start + begin, start + end), torch.arange(first, start + end), window)
      mask = torch.repeat(mask, [group, 1])
      rows = torch.permute(torch.slice(q, 1, begin, end), [0, 2, 3, 1, 4])
      rows = torch.reshape(rows, [b, kv, group * (end - begin), width])
      got = self.weigh(rows, torch.slice(k, 2, first, start + end), torch.slice(v, 2, first, start + end), mask, numbers[1], numbers[2])
      got = torch.permute(torch.view(got, [b, kv, group, end - begin, width]), [0, 3, 1, 2, 4])
      torch.copy_(torch.slice(out, 1, begin, end), got)
    return torch.view(out, [b, n, sizes[0] * width])
  def gated(self: __torch__.Gemma, h: Tensor, gate: Tensor, up: Tensor, product: int, scratch: Tensor) -> Tensor:
    return torch.mul_(torch.gelu(self.linear(h, gate, product, scratch), approximate="tanh"), self.linear(h, up, product, scratch))
  def add(self: __torch__.Gemma, x: Tensor, y: Tensor) -> Tensor:
    return x + y
  def layer(self: __torch__.Gemma, x: Tensor, w: List[Tensor], rope: List[Tensor], cache: List[Tensor], start: int, sizes: List[int], numbers: List[float], product: int, scratch: Tensor) -> Tensor:
    epsilon = numbers[0]
    z = self.attention(self.rms(x, w[0], epsilon), w, rope, cache, start, sizes, numbers, product, scratch)
    x = x + self.rms(self.linear(z, w[4], product, scratch), w[5], epsilon)
    m = self.gated(self.rms(x, w[6], epsilon), w[7], w[8], product, scratch)
    return x + self.rms(self.linear(m, w[9], product, scratch), w[10], epsilon)
  def new_cache(self: __torch__.Gemma, batch: int, heads: int, capacity: int, width: int) -> Tensor:
    return torch.zeros([batch, heads, capacity, width], dtype=6)
  # The vocabulary in blocks: `block` rows of the head are widened at a time.
  def block_logits(self: __torch__.Gemma, x: Tensor, head: Tensor, begin: int, end: int, cap: float, product: int, scratch: Tensor) -> Tensor:
    y = self.linear(x, torch.slice(head, 0, begin, end), product, scratch)
    if cap > 0.:
      y = torch.mul_(torch.tanh_(torch.div_(y, cap)), cap)
    return y
  def logits(self: __torch__.Gemma, x: Tensor, head: Tensor, cap: float, block: int, product: int) -> Tensor:
    size = head.size(0)
    out = torch.empty([x.size(0), size], dtype=6)
    scratch = torch.empty([min(block, size) * x.size(1)], dtype=6)
    for i in range((size + block - 1) // block):
      begin = i * block
      end = min(size, begin + block)
      torch.copy_(torch.slice(out, 1, begin, end), self.block_logits(x, head, begin, end, cap, product, scratch))
    return out
  # Cross-entropy of the targets, and KL(first run || run), from states after the final norm; a target of -1 has none. The head is read once,
  # block by block. What is kept of the blocks so far, [4, runs, n] in float64: the largest logit, the sum of exponentials and the moment of
  # KL, both rescaled as the largest logit grows, and the logit of the target.
  def losses_state(self: __torch__.Gemma, count: int, n: int) -> Tensor:
    state = torch.zeros([4, count, n], dtype=7)
    torch.fill_(state[0], float("-inf"))
    return state
  def losses_block(self: __torch__.Gemma, state: Tensor, runs: List[Tensor], head: Tensor, targets: Tensor, cap: float, begin: int, end: int, product: int, scratch: Tensor) -> Tensor:
    n = targets.size(0)
    top = state[0]
    total = state[1]
    moment = state[2]
    aimed = state[3]
    w = torch.slice(head, 0, begin, end)
    if ops.prim.dtype(head) != product:
      w = torch.view(torch.slice(scratch, 0, 0, (end - begin) * head.size(1)), [end - begin, head.size(1)])
      w = torch.copy_(w, torch.slice(head, 0, begin, end))
    inside = torch.logical_and(torch.ge(targets, begin), torch.lt(targets, end))
    column = torch.unsqueeze(torch.clamp(targets - begin, 0, end - begin - 1), 1)
    step = 256
    for r in range((n + step - 1) // step):
      low = r * step
      high = min(n, low + step)
      clean = torch.to(self.block_logits(torch.slice(runs[0], 0, low, high), w, 0, end - begin, cap, product, scratch), 7)
      largest = torch.maximum(top[0, low:high], torch.amax(clean, [1]))
      p = torch.exp(clean - torch.unsqueeze(largest, 1))
      shrunk = torch.exp(top[0, low:high] - largest)
      for k in range(len(runs)):
        y = clean
        if k > 0:
          y = torch.to(self.block_logits(torch.slice(runs[k], 0, low, high), w, 0, end - begin, cap, product, scratch), 7)
        part = torch.sum(p * (clean - y), [1])
        torch.copy_(moment[k, low:high], moment[k, low:high] * shrunk + part)
        highest = torch.maximum(top[k, low:high], torch.amax(y, [1]))
        sums = torch.sum(torch.exp(y - torch.unsqueeze(highest, 1)), [1])
        torch.copy_(total[k, low:high], total[k, low:high] * torch.exp(top[k, low:high] - highest) + sums)
        torch.copy_(top[k, low:high], highest)
        found = torch.squeeze(torch.gather(y, 1, column[low:high]), 1)
        torch.copy_(aimed[k, low:high], torch.where(inside[low:high], found, aimed[k, low:high]))
    return state
  # [2, runs, n]: cross-entropy, and KL.
  def losses(self: __torch__.Gemma, state: Tensor) -> Tensor:
    normalizer = state[0] + torch.log(state[1])
    divergence = state[2] / state[1, 0] - normalizer[0] + normalizer
    return torch.stack([normalizer - state[3], divergence])
