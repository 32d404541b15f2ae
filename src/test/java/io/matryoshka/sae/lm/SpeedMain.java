package io.matryoshka.sae.lm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;

/**
 * Times a model of Gemma 3 1B's shape with random weights, which it writes if the folder lacks
 * them: 2 GB. {@code speed.py} beside the reference models times transformers on the same folder.
 *
 * <pre>mvn -q test-compile exec:java -Dexec.classpathScope=test \
 *   -Dexec.mainClass=io.matryoshka.sae.lm.SpeedMain -Dexec.args="/tmp/gemma-3-1b-random"</pre>
 */
public final class SpeedMain {

  private static final String CONFIG =
      """
      {"model_type": "gemma3_text", "architectures": ["Gemma3ForCausalLM"], "hidden_size": 1152,
       "intermediate_size": 6912, "num_hidden_layers": 26, "num_attention_heads": 4,
       "num_key_value_heads": 1, "head_dim": 256, "query_pre_attn_scalar": 256,
       "sliding_window": 512, "vocab_size": 262144, "max_position_embeddings": 32768,
       "rope_theta": 1000000.0, "rope_local_base_freq": 10000.0, "sliding_window_pattern": 6,
       "rms_norm_eps": 1e-06, "hidden_activation": "gelu_pytorch_tanh", "torch_dtype": "bfloat16",
       "bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0, "tie_word_embeddings": true}
      """;

  private SpeedMain() {}

  /**
   * Measures.
   *
   * @param args the folder, then {@code bfloat16} for bfloat16 products
   * @throws IOException if the folder cannot be used
   */
  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args[0]);
    if (!Files.exists(folder.resolve("model.safetensors"))) {
      RandomGemma.write(folder, CONFIG);
    }
    boolean bfloat16 = args.length > 1;
    LanguageModelOptions options = LanguageModelOptions.defaults().bfloat16Products(bfloat16);
    try (LanguageModel model = LanguageModel.load(folder, options)) {
      for (int length : new int[] {256, 1024}) {
        for (int layer : new int[] {25, 12}) {
          time(model, length, HookPoint.residPost(layer));
        }
      }
      timeGeneration(model, 16, 16);
    }
    System.out.println("peak resident: " + peak());
  }

  private static void time(LanguageModel model, int length, HookPoint point) {
    int[] ids = new Random(0).ints(length, 3, 262144).toArray();
    double[] seconds = new double[4];
    for (int run = 0; run < seconds.length; run++) {
      long start = System.nanoTime();
      model.trace(Tokens.of(ids), point).close();
      seconds[run] = (System.nanoTime() - start) / 1e9;
    }
    double best = Arrays.stream(seconds).min().orElseThrow();
    System.out.printf(
        Locale.ROOT, "%d tokens to %s: %.0f tokens/s %n", length, point, length / best);
  }

  /** The tokens after the first, which the prompt's pass gives. */
  private static void timeGeneration(LanguageModel model, int prompt, int tokens) {
    Tokens ids = Tokens.of(new Random(0).ints(prompt, 3, 262144).toArray());
    long[] times = new long[tokens];
    int[] count = {0};
    GenerateOptions options =
        GenerateOptions.greedy(tokens)
            .stopAtEnd(false)
            .listener((id, text) -> times[count[0]++] = System.nanoTime());
    model.generate(ids, options);
    double[] each = new double[tokens - 1];
    Arrays.setAll(each, i -> (times[i + 1] - times[i]) / 1e6);
    Arrays.sort(each);
    System.out.printf(
        Locale.ROOT,
        "a generated token: %.0f ms (median of %d)%n",
        each[each.length / 2],
        tokens - 1);
  }

  private static String peak() throws IOException {
    Path status = Path.of("/proc/self/status");
    return Files.exists(status)
        ? Files.readAllLines(status).stream()
            .filter(line -> line.startsWith("VmHWM") || line.startsWith("RssAnon"))
            .toList()
            .toString()
        : "unknown";
  }
}
