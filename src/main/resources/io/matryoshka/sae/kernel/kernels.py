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
  # The two-step encoder on a device. Numbers: 2^-93, 2^-100, 2^60 of weights; 2^-50, 2^50 of rows; u = 2^-24;
  # types 1, 6, 7: int8, float32, float64. 1e300 becomes infinity in float32.
  def split(self: __torch__.Kernels, x: Tensor) -> Tuple[Tensor, Tensor]:
    # Both parts keep their value, or all but 2^-20 of it, in a product that reads 11 bits of each factor (TF32).
    mantissa, exponent = torch.frexp(x)
    high = torch.nan_to_num(torch.round(mantissa * 1024.) * (x / mantissa) / 1024., 0., 0., 0.)
    return (high, x - high)
  def quantise(self: __torch__.Kernels, x: Tensor, smallest: float) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
    largest = torch.amax(torch.abs(x), [1], True)
    coded = (largest > smallest) & torch.isfinite(largest)
    step = torch.where(coded, largest / 127., torch.ones_like(largest))
    inverse = torch.where(coded, torch.reciprocal(step), torch.zeros_like(largest))
    codes = torch.clamp(torch.round(torch.nan_to_num(x * inverse, 0., 0., 0.)), -127., 127.)
    kept = codes.to(7) * step.to(7)
    rest = torch.norm(x.to(7) - kept, 2, [1], True)
    padding = (8 - x.size(1) % 8) % 8
    return (torch.constant_pad_nd(codes.to(1), [0, padding]), step, torch.norm(kept, 2, [1], True), rest)
  def encoder_codes(self: __torch__.Kernels, rows: Tensor, scale: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    codes, step, kept, rest = self.quantise(rows, 1.0097419586828951e-28)
    size = torch.unsqueeze(torch.abs(scale), 1).to(7)
    raised = size * 1.00390625
    norm = torch.norm(rows.to(7), 2, [1], True) * raised
    scaled = step * torch.unsqueeze(scale, 1)
    # A step that could underflow, and a norm that could overflow, make the latent a candidate always.
    lost = (torch.abs(scaled) < 7.888609052210118e-31) & (size > 0.)
    always = lost | torch.logical_not(norm < 1152921504606846976.)
    norm = torch.where(always, torch.full_like(norm, 1e300), norm)
    return (codes, torch.squeeze(scaled, 1), torch.cat([norm, rest * raised], 1).to(6))
  def screen(self: __torch__.Kernels, x: Tensor, rows: Tensor, codes: Tensor, step: Tensor, norms: Tensor, scale: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    size = torch.amax(torch.abs(x), [1], True)
    fits = (size == 0.) | ((size > 8.881784197001252e-16) & (size < 1125899906842624.))
    clean = torch.where(fits, x, torch.zeros_like(x))
    sizes = torch.abs(clean)
    ratios = torch.amax(sizes / torch.clamp_min(torch.mean(sizes, [1], True), 1e-30), [0])
    dims = torch.topk(ratios, ops.prim.min(16, x.size(1)))[1]
    x_codes, x_step, kept, rest = self.quantise(torch.index_fill(clean, 1, dims, 0.), 8.881784197001252e-16)
    rounding = (2 * x.size(1) + 576) * 5.9604644775390625e-08
    error = rest + torch.norm(clean.to(7), 2, [1], True) * rounding
    error = torch.where(fits, error, torch.full_like(error, 1e300))
    x_high, x_low = self.split(torch.index_select(clean, 1, dims))
    w_high, w_low = self.split(torch.index_select(rows, 1, dims) * torch.unsqueeze(scale, 1))
    right = torch.cat([w_high, w_high, w_low, w_low, norms], 1)
    missing = ops.prim.max(0, 32 - x.size(0))
    products = torch._int_mm(torch.constant_pad_nd(x_codes, [0, 0, 0, missing]), torch.t(codes))
    products = products[:x.size(0), :rows.size(0)] * step
    return (products, x_step, torch.cat([x_high, x_low, x_high, x_low], 1), torch.cat([error, kept], 1).to(6), right)
  def edge(self: __torch__.Kernels, products: Tensor, x_step: Tensor, outliers: Tensor, radius: Tensor, right: Tensor) -> Tensor:
    return torch.addcmul(torch.linear(torch.cat([outliers, radius], 1), right), products, x_step)
  def encode_block(self: __torch__.Kernels, x: Tensor, width: Tensor, k: Tensor, floor: Tensor, rows: Tensor, codes: Tensor, step: Tensor, norms: Tensor, scale: Tensor, bias: Tensor, limit: Tensor, high: Tensor, low: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    w = int(width)
    top = ops.prim.min(int(k), w)
    n = x.size(0)
    products, x_step, outliers, radius, right = self.screen(x, rows[:w], codes[:(w + 7) // 8 * 8], step[:w], norms[:w], scale[:w])
    upper = self.edge(products, x_step, outliers, radius, right)
    if top > 0:
      lower = self.edge(products, x_step, outliers, torch.neg(radius), right) + low[:w]
      largest = torch.topk(torch.nan_to_num(lower, -3e38, 3e38, -3e38), top)[0]
      below = (upper + high[:w]) < torch.clamp_min(torch.amin(largest, [1], True), 0.)
    else:
      below = upper < (floor - high[:w])
    found = torch.nonzero(torch.logical_not(below))
    count = found.size(0)
    # From about here on a row read per candidate costs more than the dense product.
    if count * 32 > n * w:
      z = (torch.linear(x, rows[:w]) + bias[:w]) * scale[:w]
      active = ((z > limit[:w]) | torch.isnan(z)) & torch.logical_not(z < floor)
      if top > 0:
        active = active & torch.logical_not(z < torch.amin(torch.topk(z, top)[0], [1], True))
      found = torch.nonzero(active)
      result = (torch.contiguous(found[:, 0]), torch.contiguous(found[:, 1]), torch.masked_select(z, active), torch.tensor(count), torch.tensor(n))
    else:
      of_row = torch.contiguous(found[:, 0])
      latents = torch.contiguous(found[:, 1])
      dots = self.pair_products(of_row, x, rows, latents)
      z = (dots + torch.index_select(bias, 0, latents)) * torch.index_select(scale, 0, latents)
      active = (z > torch.index_select(limit, 0, latents)) | torch.isnan(z)
      result = (torch.masked_select(of_row, active), torch.masked_select(latents, active), torch.masked_select(z, active), torch.tensor(count), torch.tensor(0))
    return result
  def largest_lower_bounds(self: __torch__.Kernels, x: Tensor, width: Tensor, count: Tensor, kept: Tensor, rows: Tensor, codes: Tensor, step: Tensor, norms: Tensor, scale: Tensor, low: Tensor) -> Tensor:
    w = int(width)
    products, x_step, outliers, radius, right = self.screen(x, rows[:w], codes[:(w + 7) // 8 * 8], step[:w], norms[:w], scale[:w])
    lower = self.edge(products, x_step, outliers, torch.neg(radius), right) + low[:w]
    bounds = torch.cat([kept, torch.masked_select(lower, lower > 0.)])
    return torch.topk(bounds, ops.prim.min(int(count), bounds.size(0)))[0]
  def descending(self: __torch__.Kernels, values: Tensor) -> Tensor:
    sorted, order = torch.sort(torch.nan_to_num(values.to(7), 1e300, 1e299, -1e299), stable=True, dim=0, descending=True)
    return order
  def keep(self: __torch__.Kernels, order: Tensor, kept: Tensor, rows: Tensor, latents: Tensor, values: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    mask = torch.scatter(torch.zeros_like(kept), 0, order, kept)
    return (torch.masked_select(rows, mask), torch.masked_select(latents, mask), torch.masked_select(values, mask))
  def keep_of_rows(self: __torch__.Kernels, rows: Tensor, latents: Tensor, values: Tensor, k: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    order = self.descending(values)
    of_row, by_row = torch.sort(torch.index_select(rows, 0, order), stable=True, dim=0, descending=False)
    rank = torch.arange(rows.size(0), device=rows.device) - torch.searchsorted(of_row, of_row)
    return self.keep(torch.index_select(order, 0, by_row), rank < int(k), rows, latents, values)
  def keep_of_batch(self: __torch__.Kernels, rows: Tensor, latents: Tensor, values: Tensor, k: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    order = self.descending(values)
    return self.keep(order, torch.arange(rows.size(0), device=rows.device) < int(k), rows, latents, values)
  def starts(self: __torch__.Kernels, keys: Tensor, count: Tensor) -> Tensor:
    return torch.searchsorted(keys, torch.arange(int(count) + 1, device=keys.device))
  def entry_rows(self: __torch__.Kernels, offsets: Tensor, latents: Tensor) -> Tensor:
    positions = torch.arange(latents.size(0), device=latents.device)
    return torch.searchsorted(offsets, positions, right=True) - 1
  def level_keys(self: __torch__.Kernels, offsets: Tensor, latents: Tensor, widths: Tensor) -> Tensor:
    rows = self.entry_rows(offsets, latents)
    return rows * widths.size(0) + torch.searchsorted(widths, latents, right=True)
  def bag_sums(self: __torch__.Kernels, latents: Tensor, offsets: Tensor, values: Tensor, rows: Tensor) -> Tensor:
    sums, bags, sizes, largest = torch.embedding_bag(rows, latents, offsets, False, 0, False, values, True, None)
    return sums
  def over_norms(self: __torch__.Kernels, values: Tensor, latents: Tensor, norms: Tensor) -> Tensor:
    return values / torch.index_select(norms, 0, latents)
  def dense_rows(self: __torch__.Kernels, offsets: Tensor, latents: Tensor, values: Tensor, out: Tensor) -> Tensor:
    rows = self.entry_rows(offsets, latents)
    return torch.scatter_(torch.view(out, [-1]), 0, rows * out.size(1) + latents, values)
