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
  # Rows begin..end of a matrix in the type `product`. Widened ones lie in `scratch`, float32 memory that is used again: fresh memory for each
  # would cost as much as the widening.
  def rows_of(self: __torch__.Gemma, w: Tensor, begin: int, end: int, product: int, scratch: Tensor) -> Tensor:
    part = torch.slice(w, 0, begin, end)
    if ops.prim.dtype(w) == product or product != 6:
      return torch.to(part, product)
    wide = torch.view(torch.slice(scratch, 0, 0, (end - begin) * w.size(1)), [end - begin, w.size(1)])
    return torch.copy_(wide, part)
  # An array for one value of each of `size` columns and each row of x.
  def space(self: __torch__.Gemma, x: Tensor, size: int) -> Tensor:
    out = torch.empty([torch.numel(x) // x.size(-1), size], dtype=6)
    if x.dim() == 3:
      out = torch.view(out, [x.size(0), x.size(1), size])
    return out
  # A product is a grid of tiles: grid[0] parts of the rows of x times grid[1] parts of the rows of the matrix, of like size. Of the tiles,
  # which are counted part of the matrix by part of the matrix, grid[2]..grid[3] are computed. A tile is [begin, end) of both.
  def tile(self: __torch__.Gemma, out: Tensor, grid: List[int], index: int) -> List[int]:
    rows = torch.numel(out) // out.size(-1)
    columns = out.size(-1)
    i = index % grid[0]
    j = index // grid[0]
    return [rows * i // grid[0], rows * (i + 1) // grid[0], columns * j // grid[1], columns * (j + 1) // grid[1]]
  def tile_of(self: __torch__.Gemma, out: Tensor, tile: List[int]) -> Tensor:
    flat = torch.view(out, [-1, out.size(-1)])
    return torch.slice(torch.slice(flat, 0, tile[0], tile[1]), 1, tile[2], tile[3])
  def multiply(self: __torch__.Gemma, x: Tensor, part: Tensor, product: int) -> Tensor:
    return torch.to(torch.linear(torch.to(x, product), part), 6)
  # The next tile in a part of the matrix that is there already uses it again.
  def tile_product(self: __torch__.Gemma, x: Tensor, part: Tensor, tile: List[int], product: int) -> Tensor:
    rows = torch.slice(torch.reshape(x, [-1, x.size(-1)]), 0, tile[0], tile[1])
    return self.multiply(rows, part, product)
  def linear_tiles(self: __torch__.Gemma, x: Tensor, w: Tensor, out: Tensor, grid: List[int], product: int, scratch: Tensor) -> Tensor:
    part = w
    for k in range(grid[3] - grid[2]):
      tile = self.tile(out, grid, grid[2] + k)
      if k == 0 or tile[0] == 0:
        part = self.rows_of(w, tile[2], tile[3], product, scratch)
      got = torch.copy_(self.tile_of(out, tile), self.tile_product(x, part, tile, product))
    return out
  def gated_tiles(self: __torch__.Gemma, x: Tensor, gate: Tensor, up: Tensor, out: Tensor, grid: List[int], product: int, scratch: Tensor) -> Tensor:
    for k in range(grid[3] - grid[2]):
      tile = self.tile(out, grid, grid[2] + k)
      gated = self.tile_product(x, self.rows_of(gate, tile[2], tile[3], product, scratch), tile, product)
      gated = torch.gelu(gated, approximate="tanh")
      other = self.tile_product(x, self.rows_of(up, tile[2], tile[3], product, scratch), tile, product)
      got = torch.mul(gated, other, out=self.tile_of(out, tile))
    return out
  def logits_tiles(self: __torch__.Gemma, x: Tensor, head: Tensor, out: Tensor, grid: List[int], cap: float, product: int, scratch: Tensor) -> Tensor:
    part = head
    for k in range(grid[3] - grid[2]):
      tile = self.tile(out, grid, grid[2] + k)
      if k == 0 or tile[0] == 0:
        part = self.rows_of(head, tile[2], tile[3], product, scratch)
      y = self.tile_product(x, part, tile, product)
      if cap > 0.:
        y = torch.mul_(torch.tanh_(torch.div_(y, cap)), cap)
      got = torch.copy_(self.tile_of(out, tile), y)
    return out
  # The same where the product is one tile.
  def linear(self: __torch__.Gemma, x: Tensor, w: Tensor, product: int, scratch: Tensor) -> Tensor:
    return self.multiply(x, self.rows_of(w, 0, w.size(0), product, scratch), product)
  def gated(self: __torch__.Gemma, x: Tensor, gate: Tensor, up: Tensor, product: int, scratch: Tensor) -> Tensor:
    gated = torch.gelu(self.linear(x, gate, product, scratch), approximate="tanh")
    return torch.mul_(gated, self.linear(x, up, product, scratch))
  def scratch(self: __torch__.Gemma, count: int) -> Tensor:
    return torch.empty([count], dtype=6)
  def normalized(self: __torch__.Gemma, x: Tensor, epsilon: float) -> Tensor:
    return x * torch.rsqrt(torch.mean(x * x, [-1], True) + epsilon)
  def rms(self: __torch__.Gemma, x: Tensor, w: Tensor, epsilon: float) -> Tensor:
    return torch.mul_(self.normalized(x, epsilon), torch.to(w, 6) + 1.)
  def rms_rows(self: __torch__.Gemma, x: Tensor, w: Tensor, epsilon: float, out: Tensor, begin: int, end: int) -> Tensor:
    rows = torch.slice(torch.reshape(x, [-1, x.size(-1)]), 0, begin, end)
    return torch.copy_(torch.slice(torch.view(out, [-1, x.size(-1)]), 0, begin, end), self.rms(rows, w, epsilon))
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
  # Queries [b, n, key-value heads, group, width], keys and values [b, key-value heads, m, width] of this text so far, and an array for the result.
  def heads(self: __torch__.Gemma, q: Tensor, k: Tensor, v: Tensor, w: List[Tensor], rope: List[Tensor], cache: List[Tensor], start: int, sizes: List[int], numbers: List[float]) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
    kv = sizes[1]
    width = sizes[2]
    b = q.size(0)
    n = q.size(1)
    out = self.space(q, sizes[0] * width)
    q = torch.view(q, [b, n, sizes[0], width])
    k = torch.view(k, [b, n, kv, width])
    v = torch.transpose(torch.view(v, [b, n, kv, width]), 1, 2)
    if len(w) > 11:
      q = self.rms(q, w[11], numbers[0])
      k = self.rms(k, w[12], numbers[0])
    cos = torch.unsqueeze(rope[0], 1)
    sin = torch.unsqueeze(rope[1], 1)
    q = torch.view(self.rotate(q, cos, sin), [b, n, kv, sizes[0] // kv, width])
    k = torch.transpose(self.rotate(k, cos, sin), 1, 2)
    if len(cache) > 0:
      torch.copy_(torch.slice(cache[0], 2, start, start + n), k)
      torch.copy_(torch.slice(cache[1], 2, start, start + n), v)
      k = torch.slice(cache[0], 2, 0, start + n)
      v = torch.slice(cache[1], 2, 0, start + n)
    return (q, k, v, out)
  # Attention of queries part[4]..part[5] in texts part[0]..part[1] and key-value heads part[2]..part[3].
  def attend(self: __torch__.Gemma, q: Tensor, k: Tensor, v: Tensor, out: Tensor, part: List[int], start: int, sizes: List[int], numbers: List[float]) -> Tensor:
    window = sizes[3]
    group = q.size(3)
    width = q.size(4)
    b = part[1] - part[0]
    kv = part[3] - part[2]
    begin = part[4]
    end = part[5]
    n = end - begin
    first = 0
    if window > 0:
      first = max(0, start + begin - window + 1)
    mask = self.mask(torch.arange(start + begin, start + end), torch.arange(first, start + end), window)
    mask = torch.repeat(mask, [group, 1])
    rows = torch.slice(torch.slice(torch.slice(q, 0, part[0], part[1]), 2, part[2], part[3]), 1, begin, end)
    rows = torch.reshape(torch.permute(rows, [0, 2, 3, 1, 4]), [b, kv, group * n, width])
    keys = torch.slice(torch.slice(torch.slice(k, 0, part[0], part[1]), 1, part[2], part[3]), 2, first, start + end)
    values = torch.slice(torch.slice(torch.slice(v, 0, part[0], part[1]), 1, part[2], part[3]), 2, first, start + end)
    got = self.weigh(rows, keys, values, mask, numbers[1], numbers[2])
    got = torch.permute(torch.view(got, [b, kv, group, n, width]), [0, 3, 1, 2, 4])
    to = torch.view(out, [out.size(0), out.size(1), q.size(2), group, width])
    to = torch.slice(torch.slice(torch.slice(to, 0, part[0], part[1]), 2, part[2], part[3]), 1, begin, end)
    return torch.copy_(to, got)
  def add(self: __torch__.Gemma, x: Tensor, y: Tensor) -> Tensor:
    return x + y
  # A layer of which each product is one tile; `chunk` queries attend at a time.
  def layer(self: __torch__.Gemma, x: Tensor, w: List[Tensor], rope: List[Tensor], cache: List[Tensor], start: int, sizes: List[int], numbers: List[float], chunk: int, product: int, scratch: Tensor) -> Tensor:
    epsilon = numbers[0]
    h = self.rms(x, w[0], epsilon)
    q = self.linear(h, w[1], product, scratch)
    k = self.linear(h, w[2], product, scratch)
    v = self.linear(h, w[3], product, scratch)
    q, k, v, z = self.heads(q, k, v, w, rope, cache, start, sizes, numbers)
    n = x.size(1)
    for c in range((n + chunk - 1) // chunk):
      part = [0, x.size(0), 0, sizes[1], c * chunk, min(n, (c + 1) * chunk)]
      done = self.attend(q, k, v, z, part, start, sizes, numbers)
    x = x + self.rms(self.linear(z, w[4], product, scratch), w[5], epsilon)
    m = self.gated(self.rms(x, w[6], epsilon), w[7], w[8], product, scratch)
    return x + self.rms(self.linear(m, w[9], product, scratch), w[10], epsilon)
  def new_cache(self: __torch__.Gemma, batch: int, heads: int, capacity: int, width: int) -> Tensor:
    return torch.zeros([batch, heads, capacity, width], dtype=6)
  # Cross-entropy of the targets, and KL(first run || run), from logits; a target of -1 has none. The vocabulary comes in blocks. What is kept
  # of the blocks so far, [4, runs, n] in float64: the largest logit, the sum of exponentials and the moment of KL, both rescaled as the
  # largest logit grows, and the logit of the target.
  def losses_state(self: __torch__.Gemma, count: int, n: int) -> Tensor:
    state = torch.zeros([4, count, n], dtype=7)
    torch.fill_(state[0], float("-inf"))
    return state
  def part(self: __torch__.Gemma, x: Tensor, begin: int, end: int) -> Tensor:
    return torch.slice(x, 0, begin, end)
  # Adds a block, whose first id is `begin`, for tokens from..to. `runs` has its logits from token `origin` on.
  def losses_block(self: __torch__.Gemma, state: Tensor, runs: List[Tensor], targets: Tensor, begin: int, origin: int, from_token: int, to_token: int) -> Tensor:
    top = torch.slice(state[0], 1, from_token, to_token)
    total = torch.slice(state[1], 1, from_token, to_token)
    moment = torch.slice(state[2], 1, from_token, to_token)
    aimed = torch.slice(state[3], 1, from_token, to_token)
    aims = torch.slice(targets, 0, from_token, to_token)
    size = runs[0].size(1)
    inside = torch.logical_and(torch.ge(aims, begin), torch.lt(aims, begin + size))
    column = torch.unsqueeze(torch.clamp(aims - begin, 0, size - 1), 1)
    low = from_token - origin
    high = to_token - origin
    clean = torch.to(torch.slice(runs[0], 0, low, high), 7)
    largest = torch.maximum(top[0], torch.amax(clean, [1]))
    p = torch.exp(clean - torch.unsqueeze(largest, 1))
    shrunk = torch.exp(top[0] - largest)
    for k in range(len(runs)):
      y = clean
      if k > 0:
        y = torch.to(torch.slice(runs[k], 0, low, high), 7)
      part = torch.sum(p * (clean - y), [1])
      torch.copy_(moment[k], moment[k] * shrunk + part)
      highest = torch.maximum(top[k], torch.amax(y, [1]))
      sums = torch.sum(torch.exp(y - torch.unsqueeze(highest, 1)), [1])
      torch.copy_(total[k], total[k] * torch.exp(top[k] - highest) + sums)
      torch.copy_(top[k], highest)
      found = torch.squeeze(torch.gather(y, 1, column), 1)
      torch.copy_(aimed[k], torch.where(inside, found, aimed[k]))
    return state
  # [2, runs, n]: cross-entropy, and KL.
  def losses(self: __torch__.Gemma, state: Tensor) -> Tensor:
    normalizer = state[0] + torch.log(state[1])
    divergence = state[2] / state[1, 0] - normalizer[0] + normalizer
    return torch.stack([normalizer - state[3], divergence])
