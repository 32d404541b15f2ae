class Kernels(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  def int8_mm(self: __torch__.Kernels, x: Tensor, w: Tensor) -> Tensor:
    return torch._int_mm(x, torch.t(w))
  def linear(self: __torch__.Kernels, x: Tensor, w: Tensor) -> Tensor:
    return torch.linear(x, w)
  def weighted_bag(self: __torch__.Kernels, rows: Tensor, latents: Tensor, offsets: Tensor, values: Tensor) -> Tensor:
    sums, bags, sizes, largest = torch.embedding_bag(rows, latents, offsets, False, 0, False, values, False, None)
    return sums
  def to_float32(self: __torch__.Kernels, x: Tensor) -> Tensor:
    return torch.to(x, 6)
