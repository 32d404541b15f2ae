# Serialised TorchScript, not Python: what torch.jit.load reads, packed by TorchScriptArchive and called by ModelKernels.
# The arithmetic is that of modeling_bert.py of transformers 5.18, eager attention. Types: 6 float32. A product is done in the
# type `product`, all else in float32.
class Bert(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  def embed(self: __torch__.Bert, words: Tensor, positions: Tensor, types: Tensor, ids: Tensor) -> Tensor:
    x = torch.to(torch.embedding(words, ids), 6) + torch.to(torch.select(types, 0, 0), 6)
    return x + torch.to(torch.slice(positions, 0, 0, ids.size(1)), 6)
  def norm(self: __torch__.Bert, x: Tensor, w: Tensor, b: Tensor, epsilon: float) -> Tensor:
    return torch.layer_norm(x, [x.size(-1)], torch.to(w, 6), torch.to(b, 6), epsilon)
  def linear(self: __torch__.Bert, x: Tensor, w: Tensor, b: Tensor, product: int) -> Tensor:
    if product == 6:
      return torch.linear(x, torch.to(w, 6), torch.to(b, 6))
    return torch.to(torch.linear(torch.to(x, product), torch.to(w, product)), 6) + torch.to(b, 6)
  def heads(self: __torch__.Bert, x: Tensor, count: int) -> Tensor:
    return torch.transpose(torch.view(x, [x.size(0), x.size(1), count, x.size(2) // count]), 1, 2)
  # w = [query, its bias, key, its bias, value, its bias]; tokens from lengths[i] on are padding of text i, which nobody reads.
  def attention(self: __torch__.Bert, x: Tensor, w: List[Tensor], lengths: Tensor, count: int, scale: float, product: int) -> Tensor:
    q = self.heads(self.linear(x, w[0], w[1], product), count)
    k = self.heads(self.linear(x, w[2], w[3], product), count)
    v = self.heads(self.linear(x, w[4], w[5], product), count)
    padding = torch.ge(torch.unsqueeze(torch.arange(x.size(1)), 0), torch.unsqueeze(lengths, 1))
    mask = torch.masked_fill(torch.zeros([x.size(0), x.size(1)], dtype=6), padding, float("-inf"))
    mask = torch.view(mask, [x.size(0), 1, 1, x.size(1)])
    z = torch.scaled_dot_product_attention(q, k, v, mask, 0., False, scale=scale)
    return torch.reshape(torch.transpose(z, 1, 2), [x.size(0), x.size(1), x.size(2)])
  def gelu(self: __torch__.Bert, x: Tensor, approximate: str) -> Tensor:
    return torch.gelu(x, approximate=approximate)
  def add(self: __torch__.Bert, x: Tensor, y: Tensor) -> Tensor:
    return x + y
