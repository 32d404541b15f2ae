package io.matryoshka.sae.stream;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.npy.HalfType;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/** How files of activations are read. Immutable; each method returns a changed copy. */
public final class SourceOptions {

  private static final SourceOptions DEFAULTS =
      new SourceOptions(OptionalInt.empty(), Optional.empty(), Optional.empty(), false);

  private final OptionalInt dIn;
  private final Optional<String> tensor;
  private final Optional<HalfType> bits;
  private final boolean joinsHeads;

  private SourceOptions(
      OptionalInt dIn, Optional<String> tensor, Optional<HalfType> bits, boolean joinsHeads) {
    this.dIn = dIn;
    this.tensor = tensor;
    this.bits = bits;
    this.joinsHeads = joinsHeads;
  }

  /**
   * Returns the defaults: any one width, the only tensor that fits, elements as stored.
   *
   * @return the defaults
   */
  public static SourceOptions defaults() {
    return DEFAULTS;
  }

  /**
   * Returns the options for the activations of an SAE: its {@code d_in}, and heads joined if it
   * reads {@code hook_z}.
   *
   * @param sae the SAE
   * @return the options
   */
  public static SourceOptions of(SAE sae) {
    return DEFAULTS.dIn(sae.dIn()).joinsHeads(sae.config().reshapeHookZ());
  }

  /**
   * Sets the width that every file must have.
   *
   * @param width {@code d_in}, at least 1
   * @return changed options
   */
  public SourceOptions dIn(int width) {
    return new SourceOptions(OptionalInt.of(width), tensor, bits, joinsHeads);
  }

  /**
   * Sets which tensors of {@code .safetensors} files are read.
   *
   * @param name a tensor's name; or a pattern with {@code *}, {@code ?} or {@code [...]}, for all
   *     tensors that match, in natural order of their names: {@code p2} before {@code p10}
   * @return changed options
   */
  public SourceOptions tensor(String name) {
    return new SourceOptions(
        dIn, Optional.of(Objects.requireNonNull(name, "name")), bits, joinsHeads);
  }

  /**
   * Sets what two-byte elements are, where files do not tell: NumPy has no bfloat16, so it comes as
   * {@code V2}, {@code u2} or {@code i2}. A file that tells another floating type is refused.
   *
   * @param type what to read elements of 16 bits as
   * @return changed options
   */
  public SourceOptions bits(HalfType type) {
    return new SourceOptions(dIn, tensor, Optional.of(type), joinsHeads);
  }

  /**
   * Sets whether arrays {@code [..., heads, d_head]} are read as {@code [..., d_in]}, as the SAEs
   * of {@code hook_z} take them; needs {@link #dIn}.
   *
   * @param join true to join the last two dimensions where their product is {@code d_in}
   * @return changed options
   */
  public SourceOptions joinsHeads(boolean join) {
    return new SourceOptions(dIn, tensor, bits, join);
  }

  OptionalInt dIn() {
    return dIn;
  }

  Optional<String> tensor() {
    return tensor;
  }

  Optional<HalfType> bits() {
    return bits;
  }

  boolean joinsHeads() {
    return joinsHeads;
  }
}
