package io.matryoshka.sae;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.stream.ActivationSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** What the code blocks of the documents may use without saying where it comes from. */
abstract class Snippet implements AutoCloseable {

  private static final int ROWS = 4;

  final SAE sae;
  final NDManager manager = NDManager.newBaseManager(Device.cpu());
  final NDArray x;
  final SparseLatents latents;
  final ActivationSource source;

  Snippet() throws IOException {
    sae = DemoData.sae(LoadOptions.defaults());
    float[] rows = Arrays.copyOf(DemoData.activations(), ROWS * DemoData.D_IN);
    x = manager.create(rows, new Shape(ROWS, DemoData.D_IN));
    latents = sae.encodeSparse(x);
    source = ActivationSource.open(List.of(Path.of("releases", "demo", "activations.safetensors")));
  }

  abstract void run() throws Exception;

  @Override
  public void close() {
    manager.close();
    sae.close();
  }
}
