package io.matryoshka.sae.lm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Continues one text, token by token. */
final class Generator {

  private static final HookPoint FINAL = new HookPoint(0, Site.FINAL_NORM);

  private final GemmaModel model;
  private final GenerateOptions options;
  private final List<Intervention> interventions;
  private final Function<int[], String> decoder;
  private final Set<Integer> ends;
  private final int bos;

  /**
   * Prepares for a text.
   *
   * @param decoder makes text of ids; gives an empty one where there is no tokenizer
   */
  Generator(
      GemmaModel model,
      GenerateOptions options,
      List<Intervention> interventions,
      Function<int[], String> decoder) {
    this.model = model;
    this.options = options;
    this.interventions = interventions;
    this.decoder = decoder;
    this.bos = model.config().bos().orElse(-1);
    this.ends = new HashSet<>(options.stopIds());
    if (options.stopAtEnd()) {
      ends.addAll(model.config().eos());
    }
  }

  Generation generate(Tokens prompt) {
    int room = model.config().maxPositions() - prompt.size();
    int wanted = Math.min(options.maxNewTokens(), room);
    Sampler sampler = new Sampler(options);
    Answer answer = new Answer();
    try (Stream stream = new Stream(prompt, prompt.size() + Math.max(0, wanted))) {
      while (answer.size() < wanted) {
        int id = sampler.pick(stream.nextLogits());
        Optional<Generation.End> end = answer.add(id);
        if (end.isPresent()) {
          return answer.result(end.get());
        }
        stream.append(id);
      }
    }
    return answer.result(
        wanted < options.maxNewTokens() ? Generation.End.POSITIONS : Generation.End.LENGTH);
  }

  /** The tokens so far and what the model has kept of them. */
  private final class Stream implements AutoCloseable {

    private final List<Integer> ids = new ArrayList<>();
    private final Optional<KeyValueCache> cache;

    Stream(Tokens prompt, int capacity) {
      for (int id : prompt.ids()) {
        ids.add(id);
      }
      cache =
          options.cached()
              ? Optional.of(new KeyValueCache(model.config(), capacity))
              : Optional.empty();
    }

    void append(int id) {
      ids.add(id);
    }

    float[] nextLogits() {
      int done = cache.map(KeyValueCache::length).orElse(0);
      int[] rest = ids.subList(done, ids.size()).stream().mapToInt(Integer::intValue).toArray();
      TokenBatch batch = new TokenBatch(List.of(Tokens.of(rest)), done, bos);
      try (NDManager scope = ModelKernels.arrays().newManager()) {
        Hooks hooks = new Hooks(batch, Set.of(FINAL), interventions, scope);
        NDArray x = model.run(batch, cache, hooks, scope);
        NDArray states = model.finalNorm(x, batch, hooks, scope);
        NDArray last =
            ModelKernels.arrays()
                .call(scope, "rows", states, scope.create(new long[] {rest.length - 1}));
        return model.logits(last);
      }
    }

    @Override
    public void close() {
      cache.ifPresent(KeyValueCache::close);
    }
  }

  /** The new tokens and their text. */
  private final class Answer {

    private int[] ids = {};
    private String text = "";

    int size() {
      return ids.length;
    }

    Optional<Generation.End> add(int id) {
      ids = Arrays.copyOf(ids, ids.length + 1);
      ids[ids.length - 1] = id;
      String longer = decoder.apply(ids);
      // A character of several tokens shows as a replacement character until it is complete.
      boolean grows = longer.startsWith(text) && !longer.endsWith("\uFFFD");
      options.listener().token(id, grows ? longer.substring(text.length()) : "");
      text = grows ? longer : text;
      if (ends.contains(id)) {
        return Optional.of(Generation.End.STOP_TOKEN);
      }
      for (String stop : options.stopTexts()) {
        int at = longer.indexOf(stop);
        if (at >= 0) {
          text = longer.substring(0, at);
          return Optional.of(Generation.End.STOP_TEXT);
        }
      }
      return Optional.empty();
    }

    Generation result(Generation.End end) {
      String said = end == Generation.End.STOP_TEXT ? text : decoder.apply(ids);
      return new Generation(Tokens.of(ids), said, end);
    }
  }
}
