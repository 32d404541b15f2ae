package io.matryoshka.sae.internal.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How an SAE is named: in a list, on the command line, and in Java.
 *
 * @param key a name for people that tells it from others
 * @param release its release, empty for a folder
 * @param saeId its id in the release, empty for a folder
 * @param words its words on the command line
 * @param java the Java expression that loads it
 */
record LoadWords(
    String key, Optional<String> release, Optional<String> saeId, List<String> words, String java) {

  static LoadWords ofRelease(String release, String saeId, Integer prefix, boolean folded) {
    List<String> words = new ArrayList<>(List.of(release));
    if (!saeId.isEmpty()) {
      words.add(saeId);
    }
    words.addAll(options(prefix, folded));
    return new LoadWords(
        (saeId.isEmpty() ? release : release + "/" + saeId) + suffix(prefix),
        Optional.of(release),
        Optional.of(saeId),
        List.copyOf(words),
        "SAE.fromPretrained(\"%s\", \"%s\"%s)".formatted(release, saeId, java(prefix, folded)));
  }

  static LoadWords ofFolder(Path folder, Integer prefix, boolean folded) {
    List<String> words = new ArrayList<>(List.of("--dir", folder.toString()));
    words.addAll(options(prefix, folded));
    String quoted = folder.toString().replace("\\", "\\\\").replace("\"", "\\\"");
    return new LoadWords(
        folder.toAbsolutePath().normalize().getFileName() + suffix(prefix),
        Optional.empty(),
        Optional.empty(),
        List.copyOf(words),
        "SAE.load(Path.of(\"%s\")%s)".formatted(quoted, java(prefix, folded)));
  }

  private static String suffix(Integer prefix) {
    return prefix == null ? "" : " (first " + prefix + ")";
  }

  private static List<String> options(Integer prefix, boolean folded) {
    List<String> options = new ArrayList<>();
    if (prefix != null) {
      options.addAll(List.of("--prefix", prefix.toString()));
    }
    if (folded) {
      options.add("--fold-decoder-norms");
    }
    return options;
  }

  private static String java(Integer prefix, boolean folded) {
    String options =
        (prefix == null ? "" : ".prefix(" + prefix + ")")
            + (folded ? ".foldDecoderNorms(true)" : "");
    return options.isEmpty() ? "" : ", LoadOptions.defaults()" + options;
  }
}
