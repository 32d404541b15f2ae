package io.matryoshka.sae.config;

import static io.matryoshka.sae.config.TensorNames.B_DEC;
import static io.matryoshka.sae.config.TensorNames.B_ENC;
import static io.matryoshka.sae.config.TensorNames.B_GATE;
import static io.matryoshka.sae.config.TensorNames.B_MAG;
import static io.matryoshka.sae.config.TensorNames.R_MAG;
import static io.matryoshka.sae.config.TensorNames.THRESHOLD;
import static io.matryoshka.sae.config.TensorNames.TOPK_THRESHOLD;
import static io.matryoshka.sae.config.TensorNames.W_DEC;
import static io.matryoshka.sae.config.TensorNames.W_ENC;
import static io.matryoshka.sae.config.TensorNames.W_SKIP;

import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The architectures of a {@code cfg.json} that this library runs, by their SAELens names. A
 * constant says all that is particular to an architecture: which vectors it has beside {@code
 * W_enc} and {@code W_dec}, and how they decide which latents are active.
 *
 * @see <a href="https://github.com/decoderesearch/SAELens">SAELens 6.18.0, sae_lens/saes</a>
 */
public enum Architecture {
  /** ReLU: {@code f = relu(z)}. */
  STANDARD("standard", List.of(B_ENC, B_DEC), Architecture::withoutThreshold),
  /** JumpReLU: {@code f = relu(z) * (z > threshold)}. */
  JUMPRELU("jumprelu", List.of(B_ENC, B_DEC, THRESHOLD), Architecture::withThreshold),
  /** The {@code k} largest pre-activations of a token, then ReLU. */
  TOPK("topk", List.of(B_ENC, B_DEC), Architecture::withoutThreshold) {
    @Override
    public OptionalInt latentsPerToken(SaeConfig config) {
      return config.k();
    }
  },
  /**
   * BatchTopK, which runs as JumpReLU once its threshold is estimated. A checkpoint of its training
   * holds the one threshold as a scalar.
   */
  BATCHTOPK("batchtopk", List.of(B_ENC, B_DEC, THRESHOLD), Architecture::withThreshold) {
    @Override
    List<String> vectors(Set<String> found) {
      return withScalarThreshold(found);
    }
  },
  /** Matryoshka BatchTopK, which runs and is stored as {@link #BATCHTOPK} is. */
  MATRYOSHKA_BATCHTOPK(
      "matryoshka_batchtopk", List.of(B_ENC, B_DEC, THRESHOLD), Architecture::withThreshold) {
    @Override
    List<String> vectors(Set<String> found) {
      return withScalarThreshold(found);
    }
  },
  /** A gate decides what is active: {@code f = 1[p + b_gate > 0] relu(exp(r_mag) p + b_mag)}. */
  GATED(
      "gated",
      List.of(B_GATE, B_MAG, R_MAG, B_DEC),
      tensors ->
          LatentParameters.gated(
              tensors.vector(B_GATE), tensors.vector(B_MAG), tensors.vector(R_MAG))),
  /** ReLU from one place of a model to another: {@code y = f W_dec + b_dec}. */
  TRANSCODER("transcoder", List.of(B_ENC, B_DEC), Architecture::withoutThreshold),
  /** ReLU from one place to another, with a skip connection {@code x W_skip} added. */
  SKIP_TRANSCODER("skip_transcoder", List.of(B_ENC, B_DEC), Architecture::withoutThreshold),
  /** JumpReLU from one place of a model to another. */
  JUMPRELU_TRANSCODER(
      "jumprelu_transcoder", List.of(B_ENC, B_DEC, THRESHOLD), Architecture::withThreshold),
  /** JumpReLU from one place to another, with a skip connection {@code x W_skip} added. */
  JUMPRELU_SKIP_TRANSCODER(
      "jumprelu_skip_transcoder", List.of(B_ENC, B_DEC, THRESHOLD), Architecture::withThreshold);

  /** The tensors of one SAE, as far as parameters come from them. */
  public interface Tensors {

    /**
     * Returns the names of the tensors.
     *
     * @return all names of the file
     */
    Set<String> names();

    /**
     * Reads a vector.
     *
     * @param name such as {@code b_enc}
     * @return its elements
     * @throws IOException if the file cannot be read
     */
    double[] vector(String name) throws IOException;

    /**
     * Returns the factors on pre-activations: the norms of the decoder rows where the configuration
     * says so, else ones.
     *
     * @return {@code [d_sae]}
     * @throws IOException if the file cannot be read
     */
    double[] latentScale() throws IOException;
  }

  /** Makes parameters of tensors. */
  @FunctionalInterface
  private interface ParameterReader {
    LatentParameters read(Tensors tensors) throws IOException;
  }

  private final String key;
  private final List<String> vectors;
  private final ParameterReader reader;

  Architecture(String key, List<String> vectors, ParameterReader reader) {
    this.key = key;
    this.vectors = vectors;
    this.reader = reader;
  }

  /**
   * Returns the name in {@code cfg.json}.
   *
   * @return such as {@code matryoshka_batchtopk}
   */
  public String key() {
    return key;
  }

  /**
   * Returns the tensors that the weights must have.
   *
   * @param config gives the sizes
   * @param found the names of those that there are, where more than one form is stored
   * @return the shape of each, by name
   */
  public Map<String, long[]> tensors(SaeConfig config, Set<String> found) {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    shapes.put(W_ENC, new long[] {config.dIn(), config.dSae()});
    shapes.put(W_DEC, new long[] {config.dSae(), config.dOut()});
    for (String vector : vectors(found)) {
      shapes.put(
          vector,
          switch (vector) {
            case TOPK_THRESHOLD -> new long[0];
            case B_DEC -> new long[] {config.dOut()};
            default -> new long[] {config.dSae()};
          });
    }
    if (hasSkip()) {
      shapes.put(W_SKIP, new long[] {config.dIn(), config.dOut()});
    }
    return shapes;
  }

  /**
   * Returns the tensors of an SAE that is saved for inference.
   *
   * @param config gives the sizes
   * @return the shape of each, by name
   */
  public Map<String, long[]> tensors(SaeConfig config) {
    return tensors(config, Set.of());
  }

  /** The vectors of weights that hold these tensors. */
  List<String> vectors(Set<String> found) {
    return vectors;
  }

  private static List<String> withScalarThreshold(Set<String> found) {
    boolean scalar = found.contains(TOPK_THRESHOLD) && !found.contains(THRESHOLD);
    return List.of(B_ENC, B_DEC, scalar ? TOPK_THRESHOLD : THRESHOLD);
  }

  /**
   * Tells whether the output is another place of the model than the input.
   *
   * @return true for transcoders
   */
  public boolean isTranscoder() {
    return key.endsWith("transcoder");
  }

  /**
   * Tells whether a linear map of the input is added to the output.
   *
   * @return true for transcoders with a skip connection
   */
  public boolean hasSkip() {
    return key.contains("skip_");
  }

  /**
   * Returns how many latents of a token are kept at most.
   *
   * @param config gives {@code k}
   * @return {@code k} where the largest are kept, empty where a threshold or gate decides
   */
  public OptionalInt latentsPerToken(SaeConfig config) {
    return OptionalInt.empty();
  }

  /**
   * Reads what decides which latents are active.
   *
   * @param tensors holds those of {@link #tensors}
   * @return the parameters of all latents
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException if a number is out of its range
   */
  public LatentParameters parameters(Tensors tensors) throws IOException {
    return reader.read(tensors);
  }

  /**
   * Tells whether a {@code threshold} tensor belongs to the weights.
   *
   * @return true for the JumpReLU family
   */
  public boolean hasThreshold() {
    return vectors.contains(THRESHOLD);
  }

  /**
   * Finds an architecture.
   *
   * @param key the name in {@code cfg.json}
   * @return the architecture, empty if it is none that runs here
   */
  public static Optional<Architecture> find(String key) {
    return Arrays.stream(values()).filter(a -> a.key.equals(key)).findFirst();
  }

  /**
   * Lists the names of all architectures.
   *
   * @return the names in {@code cfg.json}, separated by commas
   */
  static String keys() {
    return Arrays.stream(values()).map(Architecture::key).collect(Collectors.joining(", "));
  }

  private static LatentParameters withThreshold(Tensors tensors) throws IOException {
    double[] bias = tensors.vector(B_ENC);
    double[] threshold = new double[bias.length];
    if (tensors.names().contains(THRESHOLD)) {
      threshold = tensors.vector(THRESHOLD);
    } else {
      Arrays.fill(threshold, tensors.vector(TOPK_THRESHOLD)[0]);
    }
    return LatentParameters.of(bias, tensors.latentScale(), threshold);
  }

  private static LatentParameters withoutThreshold(Tensors tensors) throws IOException {
    double[] bias = tensors.vector(B_ENC);
    return LatentParameters.of(bias, tensors.latentScale(), new double[bias.length]);
  }
}
