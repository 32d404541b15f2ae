package io.matryoshka.sae.fetch;

import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.config.TensorNames;
import io.matryoshka.sae.hub.ByteRange;
import io.matryoshka.sae.safetensors.SafetensorsHeader;
import io.matryoshka.sae.safetensors.TensorInfo;
import java.util.ArrayList;
import java.util.List;

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

  private final int width;
  private final SaeConfig config;
  private final List<Read> reads = new ArrayList<>();
  private List<Piece> pending = new ArrayList<>();

  /**
   * Plans for a file whose tensors are those of the configuration.
   *
   * @param width number of leading latents
   */
  PrefixPlan(SafetensorsHeader header, SaeConfig config, int width) {
    this.config = config;
    this.width = width;
    for (TensorInfo info : header.tensors()) {
      addTensor(info, header.dataOffset() + info.begin());
    }
    endRead();
  }

  /** The reads, in the order of the file. */
  List<Read> reads() {
    return reads;
  }

  /** The bytes to read, and those that the requests are worth. */
  long cost() {
    return reads.stream().mapToLong(read -> read.range.length() + REQUEST_COST_BYTES).sum();
  }

  /** The shape of a tensor in the part. */
  long[] shape(TensorInfo info) {
    long[] shape = info.shape();
    if (info.name().equals(TensorNames.W_ENC)) {
      shape[1] = width;
    } else if (!info.name().equals(TensorNames.B_DEC)
        && shape.length > 0
        && shape[0] == config.dSae()) {
      shape[0] = width;
    }
    return shape;
  }

  private void addTensor(TensorInfo info, long begin) {
    long elementBytes = info.byteCount() / Math.max(1, info.elementCount());
    if (info.name().equals(TensorNames.W_ENC)) {
      long rowBytes = config.dSae() * elementBytes;
      for (int row = 0; row < config.dIn(); row++) {
        addRun(info.name(), begin + row * rowBytes, width * elementBytes);
      }
    } else {
      long kept = elementBytes;
      for (long dimension : shape(info)) {
        kept *= dimension;
      }
      addRun(info.name(), begin, kept);
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
