class Kernels(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  def int8_mm(self: __torch__.Kernels, x: Tensor, w: Tensor, out: Tensor) -> Tensor:
    return torch._int_mm(x, torch.t(w), out=out)
  def linear(self: __torch__.Kernels, x: Tensor, w: Tensor) -> Tensor:
    return torch.linear(x, w)
  def pair_products(self: __torch__.Kernels, rows: Tensor, x: Tensor, w: Tensor, latents: Tensor) -> Tensor:
    factors = torch.slice(x, 1, 0, torch.size(w, 1))
    return torch._embedding_bag_per_sample_weights_backward(factors, w, latents, latents, rows, 0, -1)
  def weighted_bags(self: __torch__.Kernels, rows: Tensor, latents: Tensor, offsets: Tensor, values: Tensor, out: Tensor, span: Tensor) -> Tensor:
    sums, bags, sizes, largest = torch.embedding_bag(rows, latents, offsets, False, 0, False, values, False, None)
    first = int(torch.select(span, 0, 0))
    last = int(torch.select(span, 0, 1))
    return torch.copy_(torch.slice(out, 0, first, last), sums)
  def is_bfloat16(self: __torch__.Kernels, x: Tensor) -> Tensor:
    return torch.tensor(torch.eq(ops.prim.dtype(x), 15))
  def to_float32(self: __torch__.Kernels, x: Tensor) -> Tensor:
    return torch.to(x, 6)
  def encoder_rows(self: __torch__.Kernels, w_enc: Tensor) -> Tensor:
    return torch.contiguous(torch.t(w_enc))
  def to_bfloat16(self: __torch__.Kernels, x: Tensor) -> Tensor:
    return torch.to(x, 15)
  def residual_norm(self: __torch__.Kernels, x: Tensor, rounded: Tensor) -> Tensor:
    return torch.norm(torch.sub(x, torch.to(rounded, 6)), 2, [1], True)
  def screened_encode(self: __torch__.Kernels, x: Tensor, w: Tensor, w_bf16: Tensor, w_norm: Tensor, w_rest: Tensor, bias: Tensor, scale: Tensor, limit: Tensor, rounding: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
    x_bf16 = torch.to(x, 15)
    product = torch.to(torch.linear(x_bf16, w_bf16), 6)
    x_norm = torch.norm(x, 2, [1], True)
    x_rest = torch.norm(torch.sub(x, torch.to(x_bf16, 6)), 2, [1], True)
    radius = torch.add(torch.mul(torch.add(x_rest, torch.mul(x_norm, rounding)), w_norm), torch.mul(torch.mul(x_norm, 1.01), w_rest))
    output = torch.mul(torch.abs(product), 0.00391)
    offset = torch.mul(torch.add(torch.abs(bias), torch.abs(limit)), 0.000001)
    upper = torch.add(torch.mul(torch.add(torch.add(torch.add(product, radius), output), bias), scale), offset)
    candidates = torch.nonzero(torch.logical_not(torch.lt(upper, limit)))
    rows = torch.select(candidates, 1, 0)
    latents = torch.select(candidates, 1, 1)
    count = torch.size(rows, 0)
    dots = torch.new_empty(x, [count])
    chunk = 16384
    chunks = torch.floordiv(torch.sub(torch.add(count, chunk), 1), chunk)
    for i in range(chunks):
      begin = torch.mul(i, chunk)
      end = ops.prim.min(torch.add(begin, chunk), count)
      a = torch.index_select(x, 0, torch.slice(rows, 0, begin, end))
      b = torch.index_select(w, 0, torch.slice(latents, 0, begin, end))
      torch.copy_(torch.slice(dots, 0, begin, end), torch.sum(torch.mul(a, b), [1]))
    z = torch.mul(torch.add(dots, torch.index_select(bias, 0, latents)), torch.index_select(scale, 0, latents))
    active = torch.logical_or(torch.gt(z, torch.index_select(limit, 0, latents)), torch.isnan(z))
    return (torch.masked_select(rows, active), torch.masked_select(latents, active), torch.masked_select(z, active), torch.tensor(count))
