package io.matryoshka.sae.lm;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;

/** Prints checksums of what a model of {@link RandomGemma} computes, for {@link PassBitsTest}. */
final class PassBitsMain {

  private PassBitsMain() {}

  public static void main(String[] arguments) throws Exception {
    try (LanguageModel model = LanguageModel.load(Path.of(arguments[0]))) {
      lines(model).forEach(System.out::println);
    }
  }

  static List<String> lines(LanguageModel model) {
    List<String> lines = new ArrayList<>();
    for (int length : new int[] {1, 9, 300}) {
      Tokens tokens = tokens(length);
      try (Trace trace = model.trace(tokens, HookPoint.residPost(1))) {
        lines.add("STREAM " + sum(trace.at(HookPoint.residPost(1)).toFloatArray()));
      }
      TokenLosses losses = model.losses(tokens, Intervention.zero(HookPoint.residPost(0)));
      lines.add("LOSS " + Arrays.hashCode(losses.crossEntropy()));
      lines.add("KL " + Arrays.hashCode(losses.kl()));
    }
    GenerateOptions options = GenerateOptions.greedy(12).stopAtEnd(false);
    lines.add("TOKENS " + Arrays.toString(model.generate(tokens(5), options).tokens().ids()));
    return lines;
  }

  static Tokens tokens(int length) {
    return Tokens.of(new Random(length).ints(length, 3, 9000).toArray());
  }

  private static long sum(float[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES);
    bytes.asFloatBuffer().put(values);
    CRC32 crc = new CRC32();
    crc.update(bytes.array());
    return crc.getValue();
  }
}
