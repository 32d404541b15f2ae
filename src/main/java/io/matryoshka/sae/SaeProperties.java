package io.matryoshka.sae;

import ai.djl.Device;
import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.internal.kernel.ScreeningStats;
import io.matryoshka.sae.internal.model.Coder;
import io.matryoshka.sae.internal.model.Normalizer;
import io.matryoshka.sae.internal.model.Weights;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** What an opened SAE is made of, and what it says of itself: sizes, parameters, where it runs. */
abstract class SaeProperties {

  final Weights weights;
  final SaeConfig config;
  final Normalizer normalizer;
  final Coder coder;
  final Levels levels;
  final Optional<float[]> logSparsity;
  final Selection selection;
  final Calls calls;

  /** What an SAE is made of: the weights, and which of the latents are seen. */
  record Parts(
      Weights weights, Coder coder, Levels levels, Optional<float[]> logSparsity, boolean view) {}

  SaeProperties(Parts parts) {
    weights = parts.weights;
    config = weights.config();
    normalizer = weights.normalizer();
    coder = parts.coder;
    levels = parts.levels;
    logSparsity = parts.logSparsity;
    selection = Selection.of(config);
    calls = new Calls(weights, coder, parts.view);
  }

  /** {@return what {@code cfg.json} says of the whole SAE} */
  public SaeConfig config() {
    return config;
  }

  /** {@return the width of a model activation, {@code d_in}} */
  public int dIn() {
    return config.dIn();
  }

  /** {@return the width of the output: {@code d_in}, but {@code d_out} for a transcoder} */
  public int dOut() {
    return config.dOut();
  }

  /** {@return the place in the model that is read, if the files name it} */
  public Optional<String> hookPoint() {
    return config.hookPoint();
  }

  /**
   * {@return the place that a transcoder predicts, if the files name it; for an SAE the one that it
   * reads}
   */
  public Optional<String> hookPointOut() {
    return isTranscoder() ? config.hookPointOut() : config.hookPoint();
  }

  /** {@return whether the output is another place of the model than the input} */
  public boolean isTranscoder() {
    return config.architecture().isTranscoder();
  }

  /** {@return the number of latents: {@code d_sae}, or the prefix width of a view} */
  public int dSae() {
    return levels.to(levels.count() - 1);
  }

  /** {@return the Matryoshka widths of training, rising, the last one {@code d_sae}} */
  public List<Integer> widths() {
    return levels.widths();
  }

  /**
   * {@return the factor that model activations are multiplied by before anything else, and
   * reconstructions divided by; 1 for none}
   */
  public double normScalingFactor() {
    return normalizer.normScale();
  }

  /** {@return the device that holds the weights, where activations must be} */
  public Device device() {
    return weights.manager().getDevice();
  }

  /** {@return the engine in use: the reference where the fast one does not run} */
  public LoadOptions.Engine engine() {
    return coder.isReference() ? LoadOptions.Engine.REFERENCE : LoadOptions.Engine.FAST;
  }

  /**
   * {@return how often each latent fires, as published: log10 of (frequency + 1e-10), {@code
   * [d_sae]}, 0 for always, -10 for never; empty if not published}
   */
  public Optional<float[]> logSparsity() {
    return logSparsity.map(values -> Arrays.copyOf(values, dSae()));
  }

  /** {@return a copy of the thresholds {@code [d_sae]}; zeros for an SAE without} */
  public float[] thresholds() {
    return weights.thresholds(dSae());
  }

  /** {@return a copy of {@code b_enc [d_sae]}; of {@code b_gate} for a gated SAE} */
  public float[] encoderBias() {
    return weights.encoderBias(dSae());
  }

  /** {@return a copy of {@code b_dec [d_in]}} */
  public float[] decoderBias() {
    return calls.scoped(scope -> Calls.floats(weights.bDec()));
  }

  /**
   * {@return the decoder rows of some consecutive latents, the directions that they write: {@code
   * [to - from, d_out]}, row-major, a copy}
   *
   * @param from first latent
   * @param to first latent not returned, at most {@link #dSae()}
   */
  public float[] decoderRows(int from, int to) {
    Objects.checkFromToIndex(from, to, dSae());
    return calls.scoped(scope -> Calls.floats(weights.decoderRows(from, to, scope)));
  }

  /**
   * {@return the encoder columns of some consecutive latents, the directions that they read: {@code
   * [to - from, d_in]}, row-major (transposed against the file), a copy}
   *
   * @param from first latent
   * @param to first latent not returned, at most {@link #dSae()}
   */
  public float[] encoderRows(int from, int to) {
    Objects.checkFromToIndex(from, to, dSae());
    return calls.scoped(scope -> Calls.floats(weights.encoderRows(from, to, scope)));
  }

  /** {@return the selection that encoding uses: thresholds, or top-k for a TopK SAE} */
  public Selection defaultSelection() {
    return selection;
  }

  /**
   * {@return the bytes of the two weight matrices that were loaded; those of a float32 file on the
   * CPU are mapped, so that only pages in use count as resident}
   */
  public long weightBytes() {
    return weights.matrixBytes();
  }

  /**
   * {@return the bytes that the fast encoder prepares on first use, in memory and, where they are
   * kept, on disk; 0 for the reference engine}
   */
  public long preparedBytes() {
    return weights.preparedBytes();
  }

  /** Counters of the fast encoder since loading, shared with prefix views. */
  ScreeningStats screeningStats() {
    return coder.stats();
  }

  /** Refuses what makes no sense of a transcoder. */
  void requireSameWidth(String method) {
    if (isTranscoder()) {
      throw new UnsupportedOperationException(
          method
              + ": the output of a transcoder is not at the place of its input; use"
              + " errorTerm(x, y) with the activations y of the output, or forward(x, edit)");
    }
  }

  /** Says what this is, and its architecture where the class does not tell. */
  String describe(boolean namesArchitecture) {
    String architecture =
        namesArchitecture ? "architecture=" + config.architecture().key() + ", " : "";
    String hook = config.hookPoint().map(h -> ", hook point=" + h).orElse("");
    String out =
        isTranscoder()
            ? ", d_out=%d%s".formatted(dOut(), hookPointOut().map(h -> ", output=" + h).orElse(""))
            : "";
    return "%s[%sd_in=%d, d_sae=%d, widths=%s%s%s]"
        .formatted(getClass().getSimpleName(), architecture, dIn(), dSae(), widths(), hook, out);
  }
}
