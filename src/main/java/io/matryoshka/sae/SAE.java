package io.matryoshka.sae;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.config.SaeFormatException;
import io.matryoshka.sae.config.UnsupportedArchitectureException;
import io.matryoshka.sae.internal.kernel.Tuning;
import io.matryoshka.sae.internal.model.PreparedRows;
import io.matryoshka.sae.internal.model.Shapes;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.UnaryOperator;

/**
 * A pretrained sparse autoencoder: {@code z = (x - b_dec) W_enc + b_enc}, {@code f = select(z)},
 * {@code x' = f W_dec + b_dec}.
 *
 * <p>Transcoders are loaded as this class, too: their output {@code [..., d_out]} is that of
 * another place of the model, {@code y = f W_dec + b_dec}, plus {@code x W_skip} in {@link
 * #forward} and {@link #reconstructions(NDArray)} where they have a skip connection. Decoding
 * latents knows no input, so it leaves the skip connection out.
 *
 * <ul>
 *   <li>{@code x}: model activations {@code [..., d_in]}, float16, bfloat16, float32 or float64, on
 *       the device of the SAE
 *   <li>{@code W_enc [d_in, d_sae]}, {@code b_enc [d_sae]}, {@code W_dec [d_sae, d_in]}, {@code
 *       b_dec [d_in]}, {@code threshold [d_sae]}
 *   <li>{@code f}: latents {@code [..., d_sae]}
 * </ul>
 *
 * <p>Results have the type that the SAE computes in (float32, or float64 for an SAE of that dtype)
 * and attach to the manager of the input. Rows that hold a NaN give NaN for every latent, and
 * infinities propagate as IEEE arithmetic has it, as in SAELens.
 *
 * <p>Every call throws {@link IllegalArgumentException} where shape, type or device of its input do
 * not fit, {@link NullPointerException} with its name where an argument is null, and {@link
 * IllegalStateException} once the SAE is closed.
 *
 * <p>Safe for concurrent use. Closing releases the weights once the running calls have ended.
 */
public sealed class SAE extends SaeProperties implements SparseCoder permits BatchTopKSae {

  private final LastInput lastInput;

  SAE(Parts parts) {
    super(parts);
    lastInput = new LastInput(config);
  }

  /**
   * Loads a pretrained SAE with default options; see {@link #fromPretrained(String, String,
   * LoadOptions)}.
   *
   * @param release a release of the registry, or {@code owner/repo} on the Hugging Face Hub
   * @param saeId an SAE of the release, or its folder in the repository
   * @return the SAE
   * @throws IOException if files cannot be fetched or read, or are malformed
   */
  public static SAE fromPretrained(String release, String saeId) throws IOException {
    return fromPretrained(release, saeId, LoadOptions.defaults());
  }

  /**
   * Loads a pretrained SAE.
   *
   * @param release a release of the registry, or {@code owner/repo} on the Hugging Face Hub
   * @param saeId an SAE of the release, or its folder in the repository
   * @param options how to load it
   * @return the SAE, or the prefix view that the options ask for
   * @throws IllegalArgumentException if the release or id is unknown; the message names near
   *     matches
   * @throws UnsupportedArchitectureException if the SAE is not of an architecture that runs here
   * @throws SaeFormatException if a file of the SAE is malformed
   * @throws IOException if files cannot be fetched or read
   */
  public static SAE fromPretrained(String release, String saeId, LoadOptions options)
      throws IOException {
    return SaeLoader.fromPretrained(release, saeId, options);
  }

  /**
   * Reads what the files say of a pretrained SAE, without its weights. Where these are on the Hub,
   * no more of them is fetched than a header, and that only where the configuration needs it.
   *
   * @param release a release of the registry, or {@code owner/repo} on the Hugging Face Hub
   * @param saeId an SAE of the release, or its folder in the repository
   * @param options how it would be loaded
   * @return what {@link #config} of the SAE says
   * @throws IllegalArgumentException if the release or id is unknown; the message names near
   *     matches
   * @throws IOException if files cannot be fetched or read, or are malformed, as {@link
   *     #fromPretrained(String, String, LoadOptions)} says
   */
  public static SaeConfig readConfig(String release, String saeId, LoadOptions options)
      throws IOException {
    return SaeLoader.config(release, saeId, options);
  }

  /**
   * Loads an SAE from a folder with default options.
   *
   * @param directory holds {@code cfg.json} and {@code sae_weights.safetensors}
   * @return the SAE
   * @throws IOException if files are missing, unreadable or malformed
   */
  public static SAE load(Path directory) throws IOException {
    return load(directory, LoadOptions.defaults());
  }

  /**
   * Loads an SAE from a folder.
   *
   * @param directory holds {@code cfg.json} and {@code sae_weights.safetensors}
   * @param options how to load it
   * @return the SAE, or the prefix view that the options ask for
   * @throws IOException if files are missing, unreadable or malformed, as {@link
   *     #fromPretrained(String, String, LoadOptions)} says
   */
  public static SAE load(Path directory, LoadOptions options) throws IOException {
    return SaeLoader.load(directory, options);
  }

  /**
   * {@return dense latents {@code [..., d_sae]}, attached to the manager of {@code x}}
   *
   * @param x {@code [..., d_in]} on the SAE's device
   */
  public NDArray encode(NDArray x) {
    LastInput.Facts[] facts = new LastInput.Facts[1];
    NDArray dense =
        calls.attached(
            x,
            encodeWork(x),
            scope -> {
              PreparedRows rows = prepare(x, scope);
              facts[0] = LastInput.Facts.of(rows);
              NDArray latents = coder.encodeDense(rows, selection.rule(), scope);
              return latents.reshape(Shapes.join(rows.leadingShape(), dSae()));
            });
    lastInput.set(facts[0]);
    return dense;
  }

  /**
   * {@return the active latents of activations, in plain Java memory}
   *
   * @param x {@code [..., d_in]} on the SAE's device
   */
  @Override
  public SparseLatents encodeSparse(NDArray x) {
    return encodeSparse(x, selection);
  }

  /**
   * {@return the active latents by a selection of your choice, in plain Java memory}
   *
   * @param x {@code [..., d_in]} on the SAE's device
   * @param chosen which pre-activations become active
   */
  public SparseLatents encodeSparse(NDArray x, Selection chosen) {
    Objects.requireNonNull(chosen, "selection");
    NDManager owner = Objects.requireNonNull(x, "x").getManager();
    return calls.scoped(
        owner,
        encodeWork(x),
        scope -> {
          PreparedRows rows = prepare(x, scope);
          return SparseLatents.of(coder.encode(rows, chosen.rule()), levels, rows);
        });
  }

  /**
   * {@return the active latents of activations in a plain array}
   *
   * @param x {@code [n, d_in]} row-major
   * @deprecated call {@link #encodeSparse(float[])}, as {@link #encode(NDArray)} is dense
   */
  @Deprecated(since = "0.1")
  public final SparseLatents encode(float[] x) {
    return encodeSparse(x);
  }

  /**
   * {@return the active latents of activations in a plain array}
   *
   * @param x {@code [n, d_in]} row-major
   */
  public SparseLatents encodeSparse(float[] x) {
    int rows = PlainRows.count(Objects.requireNonNull(x, "x"), dIn());
    return encodeSparse(FloatBuffer.wrap(x), rows, selection);
  }

  /**
   * {@return the active latents of activations in a buffer}
   *
   * @param x at least {@code rows * d_in} remaining floats, row-major; its position does not move
   * @param rows number of rows
   */
  public SparseLatents encodeSparse(FloatBuffer x, int rows) {
    return encodeSparse(x, rows, selection);
  }

  /**
   * {@return the active latents of activations in a buffer, by a selection of your choice}
   *
   * @param x at least {@code rows * d_in} remaining floats, row-major; its position does not move
   * @param rows number of rows
   * @param chosen which pre-activations become active
   */
  public SparseLatents encodeSparse(FloatBuffer x, int rows, Selection chosen) {
    Objects.requireNonNull(x, "x");
    return calls.scoped(scope -> encodeSparse(PlainRows.array(x, rows, dIn(), scope), chosen));
  }

  /**
   * {@return the active latents as arrays on the device, attached to the manager of {@code x}}
   *
   * @param x {@code [..., d_in]} on the SAE's device
   */
  public DeviceLatents encodeOnDevice(NDArray x) {
    return encodeOnDevice(x, selection);
  }

  /**
   * {@return the active latents by a selection of your choice, as arrays on the device}
   *
   * @param x {@code [..., d_in]} on the SAE's device
   * @param chosen which pre-activations become active
   */
  public DeviceLatents encodeOnDevice(NDArray x, Selection chosen) {
    Objects.requireNonNull(chosen, "selection");
    NDManager owner = Objects.requireNonNull(x, "x").getManager();
    return calls.scoped(
        owner,
        scope -> {
          PreparedRows rows = prepare(x, scope);
          return DeviceLatents.of(
              coder.encodeOnDevice(rows, chosen.rule(), scope, owner), levels, rows, owner);
        });
  }

  /**
   * Decodes dense latents. For an SAE that normalises each token, the numbers come from the last
   * {@link #encode(NDArray)} of this thread, as in SAELens; {@link #decode(SparseLatents,
   * NDManager)} carries its own.
   *
   * @param latents {@code [..., d_sae]} on the SAE's device
   * @return reconstruction {@code [..., d_in]}, attached to the manager of {@code latents}
   * @throws IllegalStateException if the SAE is closed, or needs an encode of as many tokens first
   */
  public NDArray decode(NDArray latents) {
    long[] leading = DecodeCompatibility.requireDense(latents, weights, dSae());
    LastInput.Facts last = lastInput.of(leading);
    return calls.attached(
        latents,
        scope -> {
          NDArray rows =
              Calls.keep(latents.reshape(new Shape(Shapes.count(leading), dSae())), scope);
          NDArray decoded = coder.decode(normalizer.cast(rows, scope), scope);
          NDArray restored = normalizer.restore(decoded, last.scaling(), scope);
          return restored.reshape(Shapes.join(leading, last.tailShape()));
        });
  }

  /**
   * {@return the reconstruction {@code [..., d_in]}, at a cost in proportion to active latents}
   *
   * @param latents latents of this SAE or a narrower prefix view
   * @param manager owns the result
   */
  @Override
  public NDArray decode(SparseLatents latents, NDManager manager) {
    DecodeCompatibility.require(latents, config, dSae());
    return calls.scoped(
        Objects.requireNonNull(manager, "manager"),
        decodeWork(latents),
        scope -> {
          NDArray decoded = coder.decode(latents.csr(), latents.width(), scope);
          return latents.restore(decoded, normalizer, scope, manager);
        });
  }

  /**
   * {@return the reconstruction {@code [n, d_in]}, row-major}
   *
   * @param latents latents of this SAE or a narrower prefix view
   */
  public float[] decode(SparseLatents latents) {
    return calls.scoped(scope -> Calls.floats(decode(latents, scope)));
  }

  /**
   * {@return the reconstruction {@code [..., d_in]}, attached to the manager of the latents}
   *
   * @param latents latents of this SAE or a narrower prefix view
   */
  public NDArray decode(DeviceLatents latents) {
    DecodeCompatibility.require(latents, weights, dSae());
    return calls.scoped(
        latents.manager(),
        scope -> latents.restore(coder.decode(latents.csr(), scope), normalizer));
  }

  /**
   * {@return {@code decode(encode(x))}, {@code [..., d_in]}, attached to the manager of {@code x}}
   *
   * @param x {@code [..., d_in]}
   */
  @Override
  public NDArray forward(NDArray x) {
    return calls.attached(x, encodeWork(x), scope -> roundTrip(x, scope));
  }

  /**
   * Applies an edit of the latents to activations: decodes the edited latents and adds the error of
   * the unedited ones, so that {@code x} comes back as it was but for the edit (SAELens' error
   * term). Of a transcoder it gives {@link #forward(NDArray)} but for the edit.
   *
   * @param x {@code [..., d_in]}
   * @param edit changes the latents, such as {@code f -> f.zero(17)}
   * @return {@code [..., d_in]}, attached to the manager of {@code x}
   */
  public NDArray forward(NDArray x, UnaryOperator<SparseLatents> edit) {
    SparseLatents clean = encodeSparse(x);
    SparseLatents edited = edit.apply(clean);
    if (isTranscoder()) {
      return calls.attached(
          x, scope -> roundTrip(x, scope).add(decode(edited, scope).sub(decode(clean, scope))));
    }
    return calls.attached(
        x,
        scope -> {
          NDArray change = decode(edited, scope).sub(decode(clean, scope));
          return change.add(normalizer.cast(x, scope));
        });
  }

  /**
   * Adds a multiple of a latent's decoder direction: {@code x + strength * W_dec[latent]}.
   *
   * @param x {@code [..., d_in]}
   * @param latent index of the latent
   * @param strength the multiple, in units of the latent's activation
   * @return {@code [..., d_in]}, attached to the manager of {@code x}
   */
  public NDArray steer(NDArray x, int latent, float strength) {
    requireSameWidth("steer");
    if (latent < 0 || latent >= dSae()) {
      throw new IllegalArgumentException(
          "steer: latent must lie in 0..%d, got %d".formatted(dSae() - 1, latent));
    }
    return calls.attached(
        x,
        scope -> {
          PreparedRows rows = prepare(x, scope);
          NDArray direction = weights.decoderRows(latent, latent + 1, scope);
          NDArray shift = normalizer.shift(direction, strength, rows.scaling());
          NDArray flat = Calls.keep(x.reshape(rows.rows().getShape()), scope);
          return normalizer.cast(flat, scope).add(shift).reshape(x.getShape());
        });
  }

  /**
   * {@return what the SAE leaves out, SAELens' error term: {@code x - forward(x)}}
   *
   * @param x {@code [..., d_in]}
   */
  public NDArray errorTerm(NDArray x) {
    requireSameWidth("errorTerm");
    return calls.attached(x, scope -> normalizer.cast(x, scope).sub(roundTrip(x, scope)));
  }

  /**
   * {@return what the output leaves out of the activations that it should be: {@code y -
   * forward(x)}}
   *
   * @param x {@code [..., d_in]}
   * @param y {@code [..., d_out]} the activations of {@link #hookPointOut()} for the same tokens
   */
  public NDArray errorTerm(NDArray x, NDArray y) {
    Objects.requireNonNull(y, "y");
    return calls.attached(
        x,
        scope -> {
          NDArray output = roundTrip(x, scope);
          if (!output.getShape().equals(y.getShape())) {
            throw new IllegalArgumentException(
                "errorTerm: y must have the shape of the output, %s, got %s"
                    .formatted(output.getShape(), y.getShape()));
          }
          return normalizer.cast(y, scope).sub(output);
        });
  }

  /**
   * {@return the reconstruction {@code [..., d_in]} by every width of {@link #widths()}, from one
   * encode, attached to the manager of {@code x}}
   *
   * @param x {@code [..., d_in]}
   */
  @Override
  public NDArray[] reconstructions(NDArray x) {
    NDManager owner = Objects.requireNonNull(x, "x").getManager();
    return calls.scoped(
        owner,
        encodeWork(x),
        scope -> {
          PreparedRows rows = prepare(x, scope);
          NDArray[] decoded =
              coder.reconstructNested(rows, selection.rule(), levels.toArray(), scope);
          return Calls.each(decoded, d -> Calls.keep(normalizer.restore(d, rows), owner));
        });
  }

  /**
   * {@return the reconstruction {@code [..., d_in]} by every width, in one pass over the latents}
   *
   * @param latents latents of this SAE or a narrower prefix view
   * @param manager owns the results
   */
  public NDArray[] reconstructions(SparseLatents latents, NDManager manager) {
    DecodeCompatibility.require(latents, config, dSae());
    return calls.scoped(
        Objects.requireNonNull(manager, "manager"),
        decodeWork(latents),
        scope ->
            Calls.each(
                coder.decodeNested(latents.csr(), levels.toArray(), scope),
                decoded -> latents.restore(decoded, normalizer, scope, manager)));
  }

  /**
   * {@return the reconstruction {@code [..., d_in]} by every width, attached to the latents'
   * manager}
   *
   * @param latents latents of this SAE or a narrower prefix view
   */
  public NDArray[] reconstructions(DeviceLatents latents) {
    DecodeCompatibility.require(latents, weights, dSae());
    return calls.scoped(
        latents.manager(),
        scope ->
            Calls.each(
                coder.decodeNested(latents.csr(), levels.toArray(), scope),
                decoded -> latents.restore(decoded, normalizer)));
  }

  /**
   * {@return the reconstruction by every width: {@code [widths, n, d_in]}, each row-major}
   *
   * @param latents latents of this SAE or a narrower prefix view
   */
  public float[][] reconstructions(SparseLatents latents) {
    return calls.scoped(
        scope ->
            Arrays.stream(reconstructions(latents, scope))
                .map(Calls::floats)
                .toArray(float[][]::new));
  }

  /**
   * {@return what a skip connection adds to each row of the output, {@code x W_skip}: {@code [n,
   * d_out]} row-major; zeros for an SAE without one}
   *
   * @param x at least {@code rows * d_in} remaining floats, row-major; its position does not move
   * @param rows number of rows
   */
  public float[] skip(FloatBuffer x, int rows) {
    Objects.requireNonNull(x, "x");
    return calls.scoped(
        scope -> {
          PreparedRows prepared = prepare(PlainRows.array(x, rows, dIn(), scope), scope);
          return normalizer
              .skip(prepared)
              .map(Calls::floats)
              .orElseGet(() -> new float[rows * dOut()]);
        });
  }

  /**
   * Returns a view of the first latents: the same memory, thresholds and biases, no copy. Closing a
   * view does not close this SAE; closing this SAE closes its views.
   *
   * @param prefixWidth number of leading latents, from 1 to {@link #dSae()}
   * @return the view
   */
  @Override
  public SAE prefix(int prefixWidth) {
    if (prefixWidth < 1 || prefixWidth > dSae()) {
      throw new IllegalArgumentException(
          "prefix width must lie in 1..%d, got %d; trained widths: %s"
              .formatted(dSae(), prefixWidth, widths()));
    }
    calls.requireOpen();
    Levels kept = Levels.below(widths(), prefixWidth);
    return view(new Parts(weights, coder.prefix(prefixWidth), kept, logSparsity, true));
  }

  /** Makes a view of the concrete class. */
  SAE view(Parts parts) {
    return new SAE(parts);
  }

  /** {@return whether the SAE, or the SAE that this is a view of, is closed} */
  public boolean isClosed() {
    return calls.isClosed();
  }

  /** Releases the weights once no call is running. Closing twice is fine. */
  @Override
  public void close() {
    calls.close();
  }

  @Override
  public String toString() {
    return describe(getClass() == SAE.class);
  }

  private PreparedRows prepare(NDArray x, NDManager scope) {
    weights.requireSameDevice(x, "encode: activations");
    return normalizer.prepare(x, scope);
  }

  /** Multiplications of an encode, of which those of a decode are only a part. */
  private long encodeWork(NDArray x) {
    long numbers = Objects.requireNonNull(x, "x").size();
    return normalizer.hasSkip() ? Long.MAX_VALUE : numbers * dSae();
  }

  /** Multiplications of a decode; one that is not small is shared by the workers. */
  private long decodeWork(SparseLatents latents) {
    long multiplications = (long) latents.activeCount() * dOut();
    return Tuning.isSmall(multiplications) ? multiplications : Long.MAX_VALUE;
  }

  /** {@code decode(encode(x))}, owned by the scope of a call. */
  private NDArray roundTrip(NDArray x, NDManager scope) {
    PreparedRows rows = prepare(x, scope);
    return normalizer.restore(coder.reconstruct(rows, selection.rule(), scope), rows);
  }
}
