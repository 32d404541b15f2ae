# Serialised TorchScript, not Python: what torch.jit.load reads, packed by TorchScriptArchive and called by ModelKernels.
# What every model needs. Types: 6 float32, 15 bfloat16.
class Arrays(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  def map(self: __torch__.Arrays, path: str, count: int, type: int) -> Tensor:
    return torch.from_file(path, False, count, dtype=type)
  def part(self: __torch__.Arrays, file: Tensor, first: int, shape: List[int]) -> Tensor:
    count = 1
    for size in shape:
      count = count * size
    return torch.view(torch.slice(file, 0, first, first + count), shape)
  # Rows of [b, n, d] by their flat index: read, and put back into a copy.
  def rows(self: __torch__.Arrays, x: Tensor, indices: Tensor) -> Tensor:
    return torch.index_select(torch.reshape(x, [-1, x.size(-1)]), 0, indices)
  def with_rows(self: __torch__.Arrays, x: Tensor, indices: Tensor, rows: Tensor) -> Tensor:
    flat = torch.to(torch.reshape(x, [-1, x.size(-1)]), 6)
    return torch.reshape(torch.index_copy(flat, 0, indices, torch.to(rows, 6)), [x.size(0), x.size(1), x.size(2)])
