# Serialised TorchScript, not Python: the form that torch.jit.save writes into an archive, which libtorch parses and
# Python does not run. TorchScriptArchive packs it; docs/kernels.md says how to read, call and change it. Operations
# of Tensor are functions of torch, None and defaults are written out, and a method has one return, its last line.
#
# Its numbers, what they are, and the constant in Java that is the same:
#   127.                    largest code               QuantisedRows.MAX_CODE
#   8.881784197001252e-16   2^-50, smallest row        QuantisedRows.MIN_SIZE
#   1125899906842624.       2^50, largest row          QuantisedRows.MAX_SIZE
#   7.888609052210118e-31   2^-100, smallest step      EncoderRowsBuilder.MIN_STEP
#   5.9604644775390625e-08  2^-24, rounding            Rounding.UNIT
#   8                       sizes of int8 products     DeviceEncoderRows.ALIGNMENT
#   1.0097419586828951e-28  2^-93, smallest weight     no twin: 127 steps of 2^-100 lie below
#   1152921504606846976.    2^60, largest norm         no twin
#   1.0000152587890625      1 + 2^-16, raises norms    no twin
#   576                     2 * 32 + 512 roundings     no twin: Rounding.dotError, and 512 for the outlier terms
#   16                      outlier dimensions         no twin
#   32                      fewest rows of a block     no twin: CUDA multiplies int8 with more than 16 rows only
#   1e300                   infinity in float32        no twin
# Types are numbers: 1 int8, 6 float32, 7 float64, 15 bfloat16.
class Kernels(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  def int8_mm(self: __torch__.Kernels, x: Tensor, w: Tensor, out: Tensor) -> Tensor:
    return torch._int_mm(x, torch.t(w), out=out)
  def linear(self: __torch__.Kernels, x: Tensor, w: Tensor) -> Tensor:
    return torch.linear(x, w)
  def mm(self: __torch__.Kernels, x: Tensor, w: Tensor, out: Tensor) -> Tensor:
    return torch.mm(torch.slice(x, 1, 0, torch.size(w, 1)), torch.t(w), out=out)
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
  # The two-step encoder on a device. The entry of row r and latent j has the key r * width + j.
  def row_norms(self: __torch__.Kernels, x: Tensor) -> Tensor:
    return torch.linalg_vector_norm(x, 2, [1], True, dtype=7)
  def row_maxima(self: __torch__.Kernels, x: Tensor) -> Tensor:
    return torch.linalg_vector_norm(x, 1e308 * 10., [1], True, dtype=None)
  def quantise(self: __torch__.Kernels, x: Tensor, smallest: float, missing: int) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
    largest = self.row_maxima(x)
    coded = (largest > smallest) & torch.isfinite(largest)
    step = torch.where(coded, largest / 127., torch.ones_like(largest))
    inverse = torch.where(coded, torch.reciprocal(step), torch.zeros_like(largest))
    codes = torch.clamp(torch.round(torch.nan_to_num(x * inverse, 0., 0., 0.)), -127., 127.)
    kept = codes.to(7) * step.to(7)
    padding = (8 - x.size(1) % 8) % 8
    padded = torch.constant_pad_nd(codes.to(1), [0, padding, 0, missing])
    return (padded, step, self.row_norms(kept), self.row_norms(x.to(7) - kept))
  def encoder_codes(self: __torch__.Kernels, rows: Tensor, scale: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    codes, step, kept, rest = self.quantise(rows, 1.0097419586828951e-28, 0)
    size = torch.unsqueeze(torch.abs(scale), 1).to(7)
    raised = size * 1.0000152587890625
    norm = self.row_norms(rows) * raised
    scaled = step * torch.unsqueeze(scale, 1)
    # A step that could underflow, and a norm that could overflow, make the latent a candidate always.
    lost = (torch.abs(scaled) < 7.888609052210118e-31) & (size > 0.)
    always = lost | torch.logical_not(norm < 1152921504606846976.)
    norm = torch.where(always, torch.full_like(norm, 1e300), norm)
    return (codes, torch.squeeze(scaled, 1), torch.cat([norm, rest * raised], 1).to(6))
  def rounding(self: __torch__.Kernels, x: Tensor) -> Tensor:
    return self.row_norms(x) * ((2 * x.size(1) + 576) * 5.9604644775390625e-08)
  def float32_screen(self: __torch__.Kernels, x: Tensor, rows: Tensor, norms: Tensor, scale: Tensor) -> Tuple[Tensor, Tensor]:
    return (torch.linear(x, rows) * scale, self.rounding(x).to(6) * norms[:, 0])
  def int8_screen(self: __torch__.Kernels, x: Tensor, rows: Tensor, codes: Tensor, step: Tensor, norms: Tensor, scale: Tensor) -> Tuple[Tensor, Tensor]:
    size = self.row_maxima(x)
    fits = (size == 0.) | ((size > 8.881784197001252e-16) & (size < 1125899906842624.))
    clean = torch.where(fits, x, torch.zeros_like(x))
    sizes = torch.abs(clean)
    ratios = torch.amax(sizes / torch.clamp_min(torch.mean(sizes, [1], True), 1e-30), [0])
    dims = torch.topk(ratios, ops.prim.min(16, x.size(1)), -1, True, False)[1]
    missing = ops.prim.max(0, 32 - x.size(0))
    x_codes, x_step, kept, rest = self.quantise(torch.index_fill(clean, 1, dims, 0.), 8.881784197001252e-16, missing)
    error = torch.where(fits, rest + self.rounding(clean), torch.full_like(rest, 1e300)).to(6)
    outliers = torch.linear(torch.index_select(clean, 1, dims), torch.index_select(rows, 1, dims) * torch.unsqueeze(scale, 1))
    products = torch._int_mm(x_codes, torch.t(codes))[:x.size(0), :rows.size(0)]
    center = torch.addcmul(outliers, products * step, x_step)
    return (center, torch.addcmul(error * norms[:, 0], kept.to(6), norms[:, 1]))
  def exceeding(self: __torch__.Kernels, center: Tensor, radius: Tensor, cut: Tensor) -> Tensor:
    upper = center + radius
    return torch.squeeze(torch.nonzero(torch.reshape((upper >= cut) | torch.isnan(upper), [-1])), 1)
  def exceeding_top(self: __torch__.Kernels, center: Tensor, radius: Tensor, high: Tensor, low: Tensor, top: int) -> Tensor:
    largest = torch.topk(torch.nan_to_num(center - radius + low, -3e38, 3e38, -3e38), top)[0]
    return self.exceeding(center, radius + high, torch.clamp_min(torch.amin(largest, [1], True), 0.))
  def largest_positive(self: __torch__.Kernels, lower: Tensor, count: int, kept: Tensor) -> Tensor:
    bounds = torch.cat([kept, torch.masked_select(lower, lower > 0.)])
    return torch.topk(bounds, ops.prim.min(count, bounds.size(0)))[0]
  # Each way is a method of its own without branches: libtorch fuses what the first run of a method has shown it.
  def int8_candidates(self: __torch__.Kernels, x: Tensor, width: Tensor, floor: Tensor, rows: Tensor, codes: Tensor, step: Tensor, norms: Tensor, scale: Tensor, high: Tensor) -> Tensor:
    w = int(width)
    center, radius = self.int8_screen(x, rows[:w], codes[:(w + 7) // 8 * 8], step[:w], norms[:w], scale[:w])
    return self.exceeding(center, radius, floor - high[:w])
  def int8_top_candidates(self: __torch__.Kernels, x: Tensor, width: Tensor, k: Tensor, rows: Tensor, codes: Tensor, step: Tensor, norms: Tensor, scale: Tensor, high: Tensor, low: Tensor) -> Tensor:
    w = int(width)
    center, radius = self.int8_screen(x, rows[:w], codes[:(w + 7) // 8 * 8], step[:w], norms[:w], scale[:w])
    return self.exceeding_top(center, radius, high[:w], low[:w], int(k))
  def int8_lower_bounds(self: __torch__.Kernels, x: Tensor, width: Tensor, count: Tensor, kept: Tensor, rows: Tensor, codes: Tensor, step: Tensor, norms: Tensor, scale: Tensor, low: Tensor) -> Tensor:
    w = int(width)
    center, radius = self.int8_screen(x, rows[:w], codes[:(w + 7) // 8 * 8], step[:w], norms[:w], scale[:w])
    return self.largest_positive(center - radius + low[:w], int(count), kept)
  def float32_candidates(self: __torch__.Kernels, x: Tensor, width: Tensor, floor: Tensor, rows: Tensor, norms: Tensor, scale: Tensor, high: Tensor) -> Tensor:
    w = int(width)
    center, radius = self.float32_screen(x, rows[:w], norms[:w], scale[:w])
    return self.exceeding(center, radius, floor - high[:w])
  def float32_top_candidates(self: __torch__.Kernels, x: Tensor, width: Tensor, k: Tensor, rows: Tensor, norms: Tensor, scale: Tensor, high: Tensor, low: Tensor) -> Tensor:
    w = int(width)
    center, radius = self.float32_screen(x, rows[:w], norms[:w], scale[:w])
    return self.exceeding_top(center, radius, high[:w], low[:w], int(k))
  def float32_lower_bounds(self: __torch__.Kernels, x: Tensor, width: Tensor, count: Tensor, kept: Tensor, rows: Tensor, norms: Tensor, scale: Tensor, low: Tensor) -> Tensor:
    w = int(width)
    center, radius = self.float32_screen(x, rows[:w], norms[:w], scale[:w])
    return self.largest_positive(center - radius + low[:w], int(count), kept)
  def dense_entries(self: __torch__.Kernels, x: Tensor, width: Tensor, floor: Tensor, rows: Tensor, terms: Tensor) -> Tuple[Tensor, Tensor]:
    z = self.pre_activations(x, rows[:int(width)], terms[:int(width)])
    return self.chosen(z, torch.logical_not(z < floor), terms[:int(width)])
  def dense_top_entries(self: __torch__.Kernels, x: Tensor, width: Tensor, k: Tensor, rows: Tensor, terms: Tensor) -> Tuple[Tensor, Tensor]:
    z = self.pre_activations(x, rows[:int(width)], terms[:int(width)])
    return self.chosen(z, torch.logical_not(z < torch.amin(torch.topk(z, int(k))[0], [1], True)), terms[:int(width)])
  def pre_activations(self: __torch__.Kernels, x: Tensor, rows: Tensor, terms: Tensor) -> Tensor:
    return (torch.linear(x, rows) + terms[:, 0]) * terms[:, 1]
  def chosen(self: __torch__.Kernels, z: Tensor, wanted: Tensor, terms: Tensor) -> Tuple[Tensor, Tensor]:
    active = ((z > terms[:, 2]) | torch.isnan(z)) & wanted
    keys = torch.squeeze(torch.nonzero(torch.reshape(active, [-1])), 1)
    return (keys, torch.take(z, keys))
  def offsets(self: __torch__.Kernels, keys: Tensor, width: int, count: int) -> Tensor:
    return torch.searchsorted(keys, torch.arange(count + 1, device=keys.device) * width)
  def sparse(self: __torch__.Kernels, offsets: Tensor, latents: Tensor, values: Tensor, width: int) -> Tensor:
    shape = [offsets.size(0) - 1, width]
    return torch._sparse_csr_tensor_unsafe(offsets, latents, values, shape, dtype=ops.prim.dtype(values), device=values.device)
  def dots(self: __torch__.Kernels, x: Tensor, w: int, keys: Tensor, latents: Tensor, rows: Tensor) -> Tensor:
    sums = self.sparse(self.offsets(keys, w, x.size(0)), latents, torch.zeros_like(keys, dtype=6), w)
    return torch.values(torch.sparse_sampled_addmm(sums, x, torch.t(rows[:w]), beta=0., alpha=1., out=sums))
  def exact(self: __torch__.Kernels, x: Tensor, w: int, keys: Tensor, rows: Tensor, terms: Tensor) -> Tuple[Tensor, Tensor]:
    latents = torch.remainder(keys, w)
    dots = self.dots(x, w, keys, latents, rows)
    of_latent = torch.index_select(terms, 0, latents)
    z = (dots + of_latent[:, 0]) * of_latent[:, 1]
    return (z, (z > of_latent[:, 2]) | torch.isnan(z))
  def only(self: __torch__.Kernels, kept: Tensor, keys: Tensor, values: Tensor) -> Tuple[Tensor, Tensor]:
    positions = torch.squeeze(torch.nonzero(kept), 1)
    return (torch.index_select(keys, 0, positions), torch.index_select(values, 0, positions))
  def int8_entries(self: __torch__.Kernels, x: Tensor, width: Tensor, keys: Tensor, rows: Tensor, terms: Tensor) -> Tuple[Tensor, Tensor]:
    z, active = self.exact(x, int(width), keys, rows, terms)
    return self.only(active, keys, z)
  def float32_entries(self: __torch__.Kernels, x: Tensor, width: Tensor, keys: Tensor, rows: Tensor, terms: Tensor) -> Tuple[Tensor, Tensor]:
    # A float32 product leaves hardly any candidate that is not active.
    z, active = self.exact(x, int(width), keys, rows, terms)
    if bool(torch.all(active)):
      entries = (keys, z)
    else:
      entries = self.only(active, keys, z)
    return entries
  # With a gate, terms 3 and 4 give the activation of what passes the test.
  def gated(self: __torch__.Kernels, dots: Tensor, terms: Tensor) -> Tuple[Tensor, Tensor]:
    z = (dots + terms[:, 0]) * terms[:, 1]
    value = (dots + terms[:, 3]) * terms[:, 4]
    return (value, ((z > terms[:, 2]) | torch.isnan(z)) & ((value > 0.) | torch.isnan(value)))
  def gated_entries(self: __torch__.Kernels, x: Tensor, width: Tensor, keys: Tensor, rows: Tensor, terms: Tensor) -> Tuple[Tensor, Tensor]:
    latents = torch.remainder(keys, int(width))
    value, active = self.gated(self.dots(x, int(width), keys, latents, rows), torch.index_select(terms, 0, latents))
    return self.only(active, keys, value)
  def gated_dense_entries(self: __torch__.Kernels, x: Tensor, width: Tensor, floor: Tensor, rows: Tensor, terms: Tensor) -> Tuple[Tensor, Tensor]:
    value, active = self.gated(torch.linear(x, rows[:int(width)]), terms[:int(width)])
    keys = torch.squeeze(torch.nonzero(torch.reshape(active, [-1])), 1)
    return (keys, torch.take(value, keys))
  def descending(self: __torch__.Kernels, values: Tensor) -> Tensor:
    sorted, order = torch.sort(torch.nan_to_num(values.to(7), 1e300, 1e299, -1e299), stable=True, dim=0, descending=True)
    return order
  def keep(self: __torch__.Kernels, order: Tensor, kept: Tensor, keys: Tensor, values: Tensor) -> Tuple[Tensor, Tensor]:
    return self.only(torch.scatter(torch.zeros_like(kept), 0, order, kept), keys, values)
  def keep_of_rows(self: __torch__.Kernels, keys: Tensor, values: Tensor, width: Tensor, k: Tensor) -> Tuple[Tensor, Tensor]:
    order = self.descending(values)
    rows = torch.floor_divide(torch.index_select(keys, 0, order), int(width))
    of_row, by_row = torch.sort(rows, stable=True, dim=0, descending=False)
    rank = torch.arange(keys.size(0), device=keys.device) - torch.searchsorted(of_row, of_row)
    return self.keep(torch.index_select(order, 0, by_row), rank < int(k), keys, values)
  def keep_of_batch(self: __torch__.Kernels, keys: Tensor, values: Tensor, k: Tensor) -> Tuple[Tensor, Tensor]:
    order = self.descending(values)
    return self.keep(order, torch.arange(keys.size(0), device=keys.device) < int(k), keys, values)
  def csr(self: __torch__.Kernels, keys: Tensor, width: Tensor, count: Tensor) -> Tuple[Tensor, Tensor]:
    w = int(width)
    return (self.offsets(keys, w, int(count)), torch.remainder(keys, w))
  def starts(self: __torch__.Kernels, keys: Tensor, count: Tensor) -> Tensor:
    return self.offsets(keys, 1, int(count))
  def entry_rows(self: __torch__.Kernels, offsets: Tensor, latents: Tensor) -> Tensor:
    positions = torch.arange(latents.size(0), device=latents.device)
    return torch.searchsorted(offsets, positions, right=True) - 1
  def level_keys(self: __torch__.Kernels, offsets: Tensor, latents: Tensor, widths: Tensor) -> Tensor:
    rows = self.entry_rows(offsets, latents)
    return rows * widths.size(0) + torch.searchsorted(widths, latents, right=True)
  def bag_sums(self: __torch__.Kernels, latents: Tensor, offsets: Tensor, values: Tensor, rows: Tensor) -> Tensor:
    sums, bags, sizes, largest = torch.embedding_bag(rows, latents, offsets, False, 0, False, values, True, None)
    return sums
  def sparse_sums(self: __torch__.Kernels, latents: Tensor, offsets: Tensor, values: Tensor, rows: Tensor) -> Tensor:
    return torch.mm(self.sparse(offsets, latents, values, rows.size(0)), rows)
  def over_norms(self: __torch__.Kernels, values: Tensor, latents: Tensor, norms: Tensor) -> Tensor:
    return values / torch.index_select(norms, 0, latents)
  def dense_rows(self: __torch__.Kernels, offsets: Tensor, latents: Tensor, values: Tensor, out: Tensor) -> Tensor:
    rows = self.entry_rows(offsets, latents)
    return torch.scatter_(torch.view(out, [-1]), 0, rows * out.size(1) + latents, values)
