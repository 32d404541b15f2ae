package io.matryoshka.sae.internal.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.matryoshka.sae.internal.kernel.Csr;
import io.matryoshka.sae.internal.kernel.EncodeEngine;
import io.matryoshka.sae.internal.kernel.SelectionRule;
import io.matryoshka.sae.internal.kernel.Tuning;
import io.matryoshka.sae.internal.kernel.torch.Workers;
import java.util.function.Supplier;

/** The fast engine of the CPU, on its workers, from Java memory to Java memory. */
final class CpuCoder extends Coder {

  CpuCoder(EncodeEngine engine, Decoder decoder, int width) {
    super(engine, decoder, width);
  }

  @Override
  public Coder prefix(int prefixWidth) {
    return new CpuCoder(engine, decoder, prefixWidth);
  }

  @Override
  public boolean readsInPlace() {
    return true;
  }

  @Override
  public <T> T compute(long multiplications, Supplier<T> call) {
    if (Tuning.isSmall(multiplications) || engine.staysWithCaller(multiplications, width)) {
      return call.get(); // The engine takes what waits for others to the workers.
    }
    return multiplications <= Tuning.BRIEF_WORK ? Workers.callBriefly(call) : Workers.call(call);
  }

  @Override
  public NDArray encodeDense(PreparedRows rows, SelectionRule rule, NDManager scope) {
    return dense(encode(rows, rule), width, scope);
  }

  @Override
  public NDArray decode(Csr latents, int latentsWidth, NDManager scope) {
    return decoder.decodeOnWorkers(latents, scope);
  }

  @Override
  public NDArray[] decodeNested(Csr latents, int[] widths, NDManager scope) {
    return decoder.decodeNestedOnWorkers(latents, widths, scope);
  }
}
