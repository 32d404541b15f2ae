package io.matryoshka.sae.lm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.config.SaeConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * A language model on the CPU: tokens in, activations out; of a Gemma 2 or Gemma 3 also losses and
 * continuations. A BERT is an encoder and has neither; asking for them is an {@link
 * IllegalArgumentException}.
 *
 * <pre>{@code
 * try (LanguageModel model = LanguageModel.of(sae)) {
 *   Tokens tokens = model.tokens("The Eiffel Tower is in Paris");
 *   try (Trace trace = model.trace(tokens, HookPoint.of(sae))) {
 *     SparseLatents latents = sae.encodeSparse(trace.at(HookPoint.of(sae)));
 *   }
 *   Generation steered =
 *       model.generate(tokens, GenerateOptions.greedy(40), Intervention.steer(sae, 497, 60f));
 * }
 * }</pre>
 *
 * <p>Arithmetic is float32 on the weights of the file, whatever their type, in the order of
 * transformers' eager attention. Weights stay mapped, and a layer that no call needs is neither
 * read nor fetched. A result does not depend on the texts that a text shares a call with, beyond
 * the last bits of float32.
 *
 * <p>Many threads may use a model at the same time. A call on a closed model is an {@link
 * IllegalStateException}; {@link #close} waits for running calls. A file that cannot be read or
 * fetched in the middle of a call is an {@link java.io.UncheckedIOException}. Interrupting the
 * thread of a call ends it before the next layer, or the next block of the vocabulary of losses,
 * with a {@link java.util.concurrent.CancellationException}; the thread stays interrupted.
 */
public final class LanguageModel implements AutoCloseable {

  private final ModelFiles files;
  private final LanguageModelConfig config;
  private final Network network;
  private final TextCodec codec;
  private final boolean bfloat16Products;
  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private boolean closed;

  private LanguageModel(
      ModelFiles files, Network network, TextCodec codec, boolean bfloat16Products) {
    this.files = files;
    this.config = network.config();
    this.network = network;
    this.codec = codec;
    this.bfloat16Products = bfloat16Products;
  }

  /**
   * Loads a model from a folder with {@code config.json}, {@code model.safetensors} or shards with
   * an index, and {@code tokenizer.json} if texts are to be read.
   *
   * @param folder the folder
   * @return the model
   * @throws ModelFormatException if the model is of no family that runs here, or its files do not
   *     fit together
   * @throws IOException if files are missing, unreadable or malformed
   */
  public static LanguageModel load(Path folder) throws IOException {
    return load(folder, LanguageModelOptions.defaults());
  }

  /**
   * Loads a model from a folder.
   *
   * @param folder the folder
   * @param options how to run it; those on the Hub are not used
   * @return the model
   * @throws ModelFormatException if the model is of no family that runs here, or its files do not
   *     fit together
   * @throws IOException if files are missing, unreadable or malformed
   */
  public static LanguageModel load(Path folder, LanguageModelOptions options) throws IOException {
    Objects.requireNonNull(options, "options");
    return open(LocalFiles.open(folder), options);
  }

  /**
   * Loads a model by name from the Hugging Face Hub, or a bundled one.
   *
   * @param model its repository, such as {@code sentence-transformers/all-MiniLM-L6-v2}, or its
   *     name in the registry
   * @return the model
   * @throws IllegalArgumentException if there is no such name
   * @throws IOException as {@link #fromPretrained(String, LanguageModelOptions)} does
   */
  public static LanguageModel fromPretrained(String model) throws IOException {
    return fromPretrained(model, LanguageModelOptions.defaults());
  }

  /**
   * Loads a model by name from the Hugging Face Hub, or a bundled one. Files are fetched to the
   * cache that Python shares: an encoder's now, a decoder's when a layer is first needed.
   *
   * @param model a repository such as {@code google/gemma-3-1b-pt}, or the name that a release of
   *     the registry gives a model, such as {@code gemma-2-2b} or {@code bookworm-3m}
   * @param options how to find and run it
   * @return the model
   * @throws IllegalArgumentException if there is no such name
   * @throws ModelFormatException if the model is of no family that runs here, or its files do not
   *     fit together
   * @throws IOException if files cannot be fetched or read; for a gated repository the message
   *     names the page on which its licence is accepted
   */
  public static LanguageModel fromPretrained(String model, LanguageModelOptions options)
      throws IOException {
    return open(new ModelLocator(options).find(model), options);
  }

  /**
   * Loads the model of a release: the folder that it brings, else the repository or the name that
   * it gives, whatever the files of its SAEs say.
   *
   * @param release the id of a release in the registry of the options
   * @param options how to find and run it
   * @return the model
   * @throws IllegalArgumentException if there is no such release, or its model is not known
   * @throws IOException as {@link #fromPretrained} does
   */
  public static LanguageModel ofRelease(String release, LanguageModelOptions options)
      throws IOException {
    Objects.requireNonNull(release, "release");
    return open(new ModelLocator(options).ofRelease(release), options);
  }

  /**
   * Loads the model whose activations an SAE reads, as the SAE's configuration and the registry
   * name it.
   *
   * @param sae the SAE
   * @return the model
   * @throws IllegalArgumentException if the SAE names no model, or one that is not known, or has
   *     another width
   * @throws IOException as {@link #fromPretrained} does
   */
  public static LanguageModel of(SAE sae) throws IOException {
    return of(sae, LanguageModelOptions.defaults());
  }

  /**
   * Loads the model whose activations an SAE reads.
   *
   * @param sae the SAE
   * @param options how to find and run it
   * @return the model
   * @throws IllegalArgumentException if the SAE names no model, or one that is not known, or has
   *     another width
   * @throws IOException as {@link #fromPretrained} does
   */
  public static LanguageModel of(SAE sae, LanguageModelOptions options) throws IOException {
    return of(sae.config(), options);
  }

  /**
   * Loads the model whose activations an SAE reads, which need not be loaded.
   *
   * @param sae what the files of the SAE say
   * @param options how to find and run it
   * @return the model
   * @throws IllegalArgumentException if they name no model, or one that is not known, or has
   *     another width
   * @throws IOException as {@link #fromPretrained} does
   */
  public static LanguageModel of(SaeConfig sae, LanguageModelOptions options) throws IOException {
    LanguageModel model = open(new ModelLocator(options).of(sae), options);
    try {
      model.requireFits(sae);
      return model;
    } catch (RuntimeException e) {
      model.close();
      throw e;
    }
  }

  static LanguageModel open(ModelFiles files, LanguageModelOptions options) throws IOException {
    boolean bfloat16 = options.bfloat16Products();
    Network network = Network.open(files, bfloat16);
    return new LanguageModel(files, network, new TextCodec(files, network.config()), bfloat16);
  }

  /**
   * Returns where the model comes from.
   *
   * @return its folder, or its repository on the Hub
   */
  public String name() {
    return files.name();
  }

  /**
   * Returns a short text that tells whether two hosts have the same model: on the Hub its commit;
   * in a folder a hash of its configuration and of the sizes and a part of the weights.
   *
   * @return the text, which does not depend on where a folder lies
   * @throws IOException if a file cannot be read
   */
  public String fingerprint() throws IOException {
    return files.fingerprint();
  }

  /**
   * Returns how matrix products are done.
   *
   * @return true in bfloat16, false in float32
   */
  public boolean bfloat16Products() {
    return bfloat16Products;
  }

  /**
   * Returns the sizes and constants of the model.
   *
   * @return what {@code config.json} says
   */
  public LanguageModelConfig config() {
    return config;
  }

  /**
   * Returns how much memory the weights take, outside the heap, once every layer was needed.
   *
   * @return bytes of the tensors in their files; of a model on the Hub, whose layers are fetched
   *     when they are needed, with two bytes an element for Gemma and four for an encoder
   */
  public long weightBytes() {
    return network.weightBytes();
  }

  /**
   * Checks that an SAE reads rows of the width that this model has at its hook point.
   *
   * @param sae the SAE
   * @throws IllegalArgumentException that names both, if it does not fit
   */
  public void requireFits(SAE sae) {
    requireFits(sae.config());
  }

  /**
   * Checks that an SAE reads rows of the width that this model has at its hook point.
   *
   * @param sae what the files of the SAE say
   * @throws IllegalArgumentException that names both, if it does not fit
   */
  public void requireFits(SaeConfig sae) {
    new Requirements(name(), config).require(sae);
  }

  /**
   * Checks that the model takes texts, before one of them goes through it.
   *
   * @param texts the texts
   * @throws IllegalArgumentException that names the text, by where it comes from or its number in
   *     the list, if one is empty or too long, or an id is out of range
   */
  public void requireFits(List<Tokens> texts) {
    new Requirements(name(), config).require(texts);
  }

  /**
   * Reads activations of one text. Layers above the highest hook point do not run.
   *
   * @param tokens the text
   * @param hookPoints where to read, at least one
   * @return the activations, to be closed by the caller
   * @throws IllegalArgumentException if the text is empty or too long, an id is out of range, or
   *     the model has no such hook point
   */
  public Trace trace(Tokens tokens, HookPoint... hookPoints) {
    return trace(List.of(tokens), List.of(hookPoints), List.of());
  }

  /**
   * Reads activations of several texts while interventions work. At a hook point with an
   * intervention, what the intervention gives is read.
   *
   * @param texts the texts, at least one
   * @param hookPoints where to read, at least one
   * @param interventions what to change
   * @return the activations, to be closed by the caller
   * @throws IllegalArgumentException if a text is empty or too long, an id is out of range, the
   *     model has no such hook point, or an SAE does not fit it
   */
  public Trace trace(
      List<Tokens> texts, List<HookPoint> hookPoints, List<Intervention> interventions) {
    if (texts.isEmpty() || hookPoints.isEmpty()) {
      throw new IllegalArgumentException("a trace needs at least one text and one hook point");
    }
    Requirements requirements = new Requirements(name(), config);
    requirements.require(texts);
    hookPoints.forEach(requirements::require);
    interventions.forEach(requirements::require);
    return inUse(() -> traced(texts, new LinkedHashSet<>(hookPoints), interventions));
  }

  private Trace traced(
      List<Tokens> texts, Set<HookPoint> hookPoints, List<Intervention> interventions) {
    BatchPlan plan = new BatchPlan(texts);
    NDManager owner = ModelKernels.arrays().newManager();
    try {
      List<Map<HookPoint, NDArray>> passes = new ArrayList<>();
      for (List<Tokens> pass : plan.passes()) {
        passes.add(pass(pass, hookPoints, interventions, owner));
      }
      Map<HookPoint, NDArray> whole = new LinkedHashMap<>();
      for (HookPoint point : hookPoints) {
        whole.put(point, join(passes, point, plan, owner));
      }
      return new Trace(owner, whole, plan.rowOffsets());
    } catch (RuntimeException | Error e) {
      owner.close();
      throw e;
    }
  }

  private Map<HookPoint, NDArray> pass(
      List<Tokens> texts,
      Set<HookPoint> wanted,
      List<Intervention> interventions,
      NDManager owner) {
    TokenBatch batch = new TokenBatch(texts, 0, config.bos().orElse(-1));
    Hooks hooks = new Hooks(batch, wanted, interventions, owner);
    try (NDManager scope = owner.newSubManager()) {
      network.trace(batch, hooks, scope);
    }
    return hooks.kept();
  }

  /** Puts the rows of all passes into the order of the texts. */
  private static NDArray join(
      List<Map<HookPoint, NDArray>> passes, HookPoint point, BatchPlan plan, NDManager owner) {
    NDList parts = new NDList();
    passes.forEach(pass -> parts.add(pass.get(point)));
    try (NDManager scope = owner.newSubManager()) {
      parts.attach(scope);
      NDArray all = parts.size() == 1 ? parts.get(0) : NDArrays.concat(parts);
      NDArray order = scope.create(plan.rowsOfPasses());
      return ModelKernels.arrays().call(owner, "rows", all, order);
    }
  }

  /**
   * Computes the logits of the next token at every position.
   *
   * @param tokens the text
   * @param manager owns the result
   * @param interventions what to change
   * @return {@code [tokens, vocabulary]} float32
   * @throws IllegalArgumentException if the text or an intervention does not fit the model, or it
   *     is an encoder
   */
  public NDArray logits(Tokens tokens, NDManager manager, Intervention... interventions) {
    HookPoint point = new HookPoint(0, Site.LOGITS);
    try (Trace trace = trace(List.of(tokens), List.of(point), List.of(interventions))) {
      NDArray logits = trace.at(point);
      logits.attach(manager);
      return logits;
    }
  }

  /**
   * Computes the logits that rows of the residual stream give where they leave the last layer: the
   * final norm, the unembedding, and the soft cap if the model has one (the logit lens). Rows may
   * come from an earlier layer, or be directions such as the decoder rows of an SAE, of which the
   * norm takes the length away.
   *
   * @param stream {@code [n, hidden]} float32 on the CPU
   * @param manager owns the result
   * @return {@code [n, vocabulary]} float32
   * @throws IllegalArgumentException if the rows have another width or type, or the model is an
   *     encoder
   */
  public NDArray unembed(NDArray stream, NDManager manager) {
    GemmaModel model = decoder("logits");
    Shape shape = stream.getShape();
    int width = config.hiddenSize();
    if (shape.dimension() != 2
        || shape.get(1) != width
        || stream.getDataType() != DataType.FLOAT32) {
      throw new IllegalArgumentException(
          "unembed: expected float32 rows of shape [n, %d], got %s of %s"
              .formatted(width, shape, stream.getDataType()));
    }
    return inUse(
        () -> {
          try (NDManager scope = ModelKernels.arrays().newManager()) {
            NDArray logits = model.unembed(stream, scope);
            logits.attach(manager);
            return logits;
          }
        });
  }

  /**
   * Computes the losses of a text, of which no {@code [tokens, vocabulary]} array is made.
   *
   * @param tokens the text
   * @param interventions what to change; KL is that of the run without them to the one with them
   * @return the losses of the run with the interventions
   * @throws IllegalArgumentException if the text or an intervention does not fit the model, or it
   *     is an encoder
   */
  public TokenLosses losses(Tokens tokens, Intervention... interventions) {
    return losses(tokens, List.of(List.of(interventions))).get(1);
  }

  /**
   * Computes the losses of a text in several runs. Layers below the first change of a run are
   * computed once.
   *
   * @param tokens the text
   * @param runs the interventions of each run
   * @return the losses of the original run, then of each run
   * @throws IllegalArgumentException if the text or an intervention does not fit the model, or it
   *     is an encoder
   */
  public List<TokenLosses> losses(Tokens tokens, List<List<Intervention>> runs) {
    GemmaModel model = decoder("losses");
    Requirements requirements = new Requirements(name(), config);
    requirements.require(tokens);
    runs.forEach(run -> run.forEach(requirements::require));
    return inUse(
        () -> {
          try (NDManager scope = ModelKernels.arrays().newManager()) {
            LossPass pass = new LossPass(model, tokens, config.bos().orElse(-1));
            return pass.losses(runs, scope);
          }
        });
  }

  /**
   * Computes the losses of a text with the activations at one place replaced.
   *
   * @param runs gives the rows of each run from those of the original one
   */
  List<TokenLosses> lossesWithReplaced(
      Tokens tokens, HookPoint point, Function<NDArray, List<NDArray>> runs) {
    GemmaModel model = decoder("losses");
    Requirements requirements = new Requirements(name(), config);
    requirements.require(tokens);
    requirements.require(point);
    return inUse(
        () -> {
          try (NDManager scope = ModelKernels.arrays().newManager()) {
            LossPass pass = new LossPass(model, tokens, config.bos().orElse(-1));
            return pass.replaced(point, runs, scope);
          }
        });
  }

  /**
   * Tells whether an intervention works at any token of a text, or of what is generated after it.
   * Positions count on into the continuation, whose last token the model does not read.
   *
   * @param text the text
   * @param newTokens tokens that are generated after it, 0 for none
   * @param intervention what to change
   * @return false if none of its positions is that of such a token, or only that of a BOS that it
   *     leaves alone
   */
  public boolean isReached(Tokens text, int newTokens, Intervention intervention) {
    int bos = config.bos().orElse(-1);
    return IntStream.range(0, positionsRead(text, newTokens))
        .anyMatch(i -> intervention.worksAt(i, i < text.size() && text.id(i) == bos));
  }

  /**
   * Returns how many positions the model reads where it continues a text.
   *
   * @param text the text
   * @param newTokens tokens that are generated after it, 0 for none
   * @return those of the text and of the new tokens, but for the last of these
   */
  public int positionsRead(Tokens text, int newTokens) {
    long read = text.size() + Math.max(0L, newTokens - 1L);
    return (int) Math.min(read, config.maxPositions());
  }

  /**
   * Continues a text.
   *
   * @param prompt the text so far
   * @param options how to go on
   * @param interventions what to change, in the prompt and in what is generated
   * @return the continuation
   * @throws IllegalArgumentException if the text or an intervention does not fit the model, or it
   *     is an encoder
   */
  public Generation generate(
      Tokens prompt, GenerateOptions options, Intervention... interventions) {
    GemmaModel model = decoder("continuations");
    Requirements requirements = new Requirements(name(), config);
    requirements.require(prompt);
    List.of(interventions).forEach(requirements::require);
    return inUse(
        () ->
            new Generator(model, options, List.of(interventions), codec::textIfPossible)
                .generate(prompt));
  }

  /**
   * Makes tokens of a text as the model reads it: a decoder's with BOS in front if the model has
   * one, an encoder's between the special tokens of its tokenizer, such as {@code [CLS]} and {@code
   * [SEP]}.
   *
   * @param text the text, not empty; special tokens written out in it, such as {@code <bos>},
   *     become those tokens; halves of surrogate pairs are read as U+FFFD
   * @return the tokens, never with two BOS in front
   * @throws IOException if the model has no tokenizer, or it cannot be read
   * @throws IllegalStateException if the tokenizer library is not on the class path
   */
  public Tokens tokens(String text) throws IOException {
    return codec.tokens(text, true);
  }

  /**
   * Makes tokens of a text in parts, each with special tokens as a text of its own. For texts that
   * are longer than the model takes, and for encoders, which read one document at a time.
   *
   * @param text the text, not empty
   * @param atMost the largest number of tokens of a part, special tokens included
   * @return the parts in order; spans count in the whole text
   * @throws IllegalArgumentException if a part has no room for text, or is longer than the model
   *     takes
   * @throws IOException if the model has no tokenizer, or it cannot be read
   * @throws IllegalStateException if the tokenizer library is not on the class path
   */
  public List<Tokens> tokensInParts(String text, int atMost) throws IOException {
    new Requirements(name(), config).requireContext(atMost);
    return codec.parts(text, atMost);
  }

  /**
   * Returns the ids of the special tokens that {@link #tokens} puts around a text.
   *
   * @return BOS, or an encoder's {@code [CLS]} and {@code [SEP]}; empty for an encoder without a
   *     tokenizer, or without the tokenizer library
   * @throws IOException if the tokenizer cannot be read
   */
  public Set<Integer> specialIds() throws IOException {
    return codec.specialIds();
  }

  /**
   * Makes tokens of a text without special tokens of the library's own, such as BOS.
   *
   * @param text the text, not empty
   * @return the tokens
   * @throws IOException if the model has no tokenizer, or it cannot be read
   * @throws IllegalStateException if the tokenizer library is not on the class path
   */
  public Tokens tokensWithoutBos(String text) throws IOException {
    return codec.tokens(text, false);
  }

  /**
   * Starts to pack documents of {@link #tokensWithoutBos} into contexts, in which every token has
   * its text.
   *
   * @param options how to pack
   * @return a packer with an empty context
   * @throws IllegalArgumentException if contexts are longer than the model takes
   * @throws IOException if the model has no tokenizer, or it cannot be read
   */
  public ContextPacker packer(PackingOptions options) throws IOException {
    new Requirements(name(), config).requireContext(options.contextSize());
    return new ContextPacker(options, codec.pieces(options.first(), options.separator()));
  }

  /**
   * Makes text of token ids, without special tokens.
   *
   * @param ids the ids
   * @return the text
   * @throws IOException if the model has no tokenizer, or it cannot be read
   */
  public String text(int... ids) throws IOException {
    return codec.text(ids);
  }

  /** The model as one that predicts the next token. */
  private GemmaModel decoder(String wanted) {
    new Requirements(name(), config).requireDecoder(wanted);
    return (GemmaModel) network;
  }

  /**
   * Makes text of one token id, special tokens spelled out: what the token adds to a text.
   *
   * @param id the id
   * @return such as {@code " cat"} or {@code <eos>}; a replacement character for a token that is
   *     only a part of a character
   * @throws IllegalArgumentException if the vocabulary has no such id
   * @throws IOException if the model has no tokenizer, or it cannot be read
   */
  public String piece(int id) throws IOException {
    if (id < 0 || id >= config.vocabularySize()) {
      throw new IllegalArgumentException(
          "token id must lie in 0..%d, got %d".formatted(config.vocabularySize() - 1, id));
    }
    return codec.piece(id);
  }

  private <T> T inUse(Supplier<T> work) {
    lock.readLock().lock();
    try {
      if (closed) {
        throw new IllegalStateException("this language model is closed; load it again");
      }
      return work.get();
    } finally {
      lock.readLock().unlock();
    }
  }

  /** Releases the weights, once no call is running. Closing again does nothing. */
  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        network.close();
        codec.close();
      }
    } finally {
      lock.writeLock().unlock();
    }
  }

  /** For people to read. */
  @Override
  public String toString() {
    return "LanguageModel["
        + name()
        + ", "
        + config.modelType()
        + ", "
        + config.layerCount()
        + " layers]";
  }
}
