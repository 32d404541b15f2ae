package io.matryoshka.sae.internal.fetch;

import io.matryoshka.sae.config.TensorNames;
import io.matryoshka.sae.hub.ByteRange;
import io.matryoshka.sae.internal.weights.StoredTensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Which bytes of a weight file hold the first latents: whole rows of {@code W_dec}, the start of
 * every row of {@code W_enc}, the start of the vectors. Pieces that lie close together are read at
 * once, with the bytes between them.
 */
final class PrefixPlan {

  /**
   * What one more request is worth: with 16 connections, 50 ms of waiting and 20 MB/s, about as
   * long as this many bytes take.
   */
  static final int REQUEST_COST_BYTES = 64 << 10;

  /** Longest read, which bounds the memory in use. */
  static final int MAX_READ_BYTES = 1 << 20;

  /** A part of a tensor that belongs to the prefix, by its place in the file. */
  record Piece(String tensor, long begin, int length) {}

  /** A range to read, and what of it is kept. */
  record Read(ByteRange range, List<Piece> pieces) {}

  private final List<StoredTensor> stored = new ArrayList<>();
  private final Set<String> turned = new HashSet<>();
  private boolean asStored = true;
  private final List<Read> reads = new ArrayList<>();
  private List<Piece> pending = new ArrayList<>();

  /**
   * Plans for the tensors of an SAE under SAELens' names.
   *
   * @param width number of leading latents
   */
  PrefixPlan(List<StoredTensor> tensors, int width) {
    List<StoredTensor> byPosition = new ArrayList<>(tensors);
    byPosition.sort(Comparator.comparingLong(StoredTensor::position));
    for (StoredTensor tensor : byPosition) {
      add(prefix(tensor, width));
    }
    endRead();
  }

  /** Tells whether the tensors can be read in part: plain bytes of one file, row after row. */
  static boolean isPossible(List<StoredTensor> tensors) {
    return tensors.stream()
        .allMatch(
            t ->
                t.source() instanceof RemoteBytes
                    && (isRepeated(t) || hasRows(t) || hasRows(t.transposed())));
  }

  private static boolean hasRows(StoredTensor tensor) {
    long[] strides = tensor.strides();
    return strides.length == 0
        || (strides.length <= 2
            && strides[strides.length - 1] == 1
            && tensor.isLittleEndian()
            && strides[0] >= (strides.length == 2 ? tensor.shape()[1] : 1));
  }

  private static boolean isRepeated(StoredTensor tensor) {
    return tensor.strides().length == 1 && tensor.strides()[0] == 0;
  }

  private static StoredTensor prefix(StoredTensor tensor, int width) {
    return switch (tensor.name()) {
      case TensorNames.W_ENC -> tensor.first(1, width);
      case TensorNames.B_DEC, TensorNames.W_SKIP -> tensor;
      default -> tensor.first(0, width);
    };
  }

  /** The reads, in the order of the file. */
  List<Read> reads() {
    return reads;
  }

  /** The bytes to read, and those that the requests are worth. */
  long cost() {
    return reads.stream().mapToLong(read -> read.range.length() + REQUEST_COST_BYTES).sum();
  }

  /** The tensors of the part in the order in which their bytes lie. */
  List<StoredTensor> stored() {
    return stored;
  }

  /** Tells whether the bytes lie as SAELens' files have them. */
  boolean isAsStored() {
    return asStored;
  }

  /** Tells whether a matrix lies the other way round. */
  boolean isTurned(String name) {
    return turned.contains(name);
  }

  private void add(StoredTensor tensor) {
    StoredTensor lying = tensor;
    if (isRepeated(tensor)) {
      lying = tensor.first(0, 1);
      asStored = false;
    } else if (!hasRows(tensor)) {
      lying = tensor.transposed();
      turned.add(tensor.name());
      asStored = false;
    }
    stored.add(lying);
    long[] shape = lying.shape();
    long elementBytes = lying.dtype().bits() / Byte.SIZE;
    if (lying.isContiguous()) {
      addRun(lying.name(), lying.position(), lying.elementCount() * elementBytes);
      return;
    }
    for (long row = 0; row < shape[0]; row++) {
      long begin = lying.position() + row * lying.strides()[0] * elementBytes;
      addRun(lying.name(), begin, shape[1] * elementBytes);
    }
  }

  private void addRun(String tensor, long begin, long length) {
    for (long done = 0; done < length; done += MAX_READ_BYTES) {
      add(new Piece(tensor, begin + done, (int) Math.min(MAX_READ_BYTES, length - done)));
    }
  }

  private void add(Piece piece) {
    if (!pending.isEmpty()) {
      Piece last = pending.get(pending.size() - 1);
      long gap = piece.begin - (last.begin + last.length);
      long span = piece.begin + piece.length - pending.get(0).begin;
      if (gap > REQUEST_COST_BYTES || span > MAX_READ_BYTES) {
        endRead();
      }
    }
    pending.add(piece);
  }

  private void endRead() {
    if (!pending.isEmpty()) {
      long begin = pending.get(0).begin;
      Piece last = pending.get(pending.size() - 1);
      int length = (int) (last.begin + last.length - begin);
      reads.add(new Read(new ByteRange(begin, length), List.copyOf(pending)));
      pending = new ArrayList<>();
    }
  }
}
