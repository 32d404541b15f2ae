package io.matryoshka.sae.internal.kernel.cpu;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.internal.kernel.prepared.EncoderRows;
import io.matryoshka.sae.internal.kernel.torch.TorchKernels;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/** Float32 products of activations and encoder rows by libtorch, on the workers. */
final class TorchProduct {

  private final EncoderRows encoder;
  private final TorchKernels kernels;

  TorchProduct(EncoderRows encoder, TorchKernels kernels) {
    this.encoder = encoder;
    this.kernels = kernels;
  }

  /** The left factors, cut into groups of rows. Safe for concurrent calls. */
  interface Groups {

    /**
     * Multiplies a group with the rows of a tile.
     *
     * @param group number of the group
     * @param tile which latents
     * @param scope owns temporaries
     * @return {@code [rows of the group, latents of the tile]}, until the next call on this thread
     */
    FloatBuffer multiply(int group, Tile tile, NDManager scope);
  }

  /**
   * Takes rows as left factors.
   *
   * @param x the activations
   * @param groupRows most rows of one product
   * @param scope owns what is made of them
   */
  Groups groups(ActivationRows x, int groupRows, NDManager scope) {
    NDArray[] groups = new NDArray[(x.rows + groupRows - 1) / groupRows];
    for (int group = 0; group < groups.length; group++) {
      int first = group * groupRows;
      groups[group] = x.array(first, Math.min(x.rows, first + groupRows), scope);
    }
    return (group, tile, taskScope) -> multiply(groups[group], tile, taskScope);
  }

  private FloatBuffer multiply(NDArray x, Tile tile, NDManager scope) {
    int rows = Math.toIntExact(x.getShape().get(0));
    int rowBytes = encoder.dIn * Float.BYTES;
    int position = tile.first() % encoder.segmentLatents * rowBytes;
    ByteBuffer weights =
        encoder.rows[tile.first() / encoder.segmentLatents].slice(
            position, tile.count() * rowBytes);
    ByteBuffer memory = TileBuffers.ofThread().products();
    memory.clear().limit(rows * tile.count() * Float.BYTES);
    ByteBuffer target = memory.slice().order(ByteOrder.nativeOrder());
    NDArray w = scope.create(weights, new Shape(tile.count(), encoder.dIn), DataType.FLOAT32);
    NDArray out = scope.create(target, new Shape(rows, tile.count()), DataType.FLOAT32);
    kernels.product(x, w, out, scope);
    return target.asFloatBuffer();
  }
}
