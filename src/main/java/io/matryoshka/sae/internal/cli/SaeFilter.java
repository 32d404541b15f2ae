package io.matryoshka.sae.internal.cli;

import io.matryoshka.sae.registry.Release;
import io.matryoshka.sae.registry.SaeEntry;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Options that narrow down which SAEs are listed; all that are given must fit. */
final class SaeFilter {

  @Option(
      names = "--model",
      paramLabel = "TEXT",
      description = "Only SAEs of models whose name contains this text, such as gemma-3-1b.")
  private Optional<String> model;

  @Option(
      names = "--layer",
      paramLabel = "A-B",
      converter = IntRange.Converter.class,
      description = "Only SAEs of this layer, or of these layers.")
  private Optional<IntRange> layers;

  @Option(
      names = "--site",
      paramLabel = "SITE",
      description = "Only SAEs of this kind of place: resid_post, mlp_out, attn_out, transcoder.")
  private Optional<String> site;

  @Option(
      names = "--width",
      paramLabel = "N",
      description = "Only SAEs with this number of latents, such as 16384.")
  private Optional<Integer> width;

  @Option(
      names = "--format",
      paramLabel = "NAME",
      description =
          "Only SAEs in files of this format: saelens, gemma-scope-2, dictionary-learning.")
  private Optional<String> format;

  boolean isGiven() {
    return model.isPresent()
        || layers.isPresent()
        || site.isPresent()
        || width.isPresent()
        || format.isPresent();
  }

  boolean accepts(Release release) {
    String name = release.model() + " " + release.modelRepo().orElse("");
    return model.isEmpty()
        || name.toLowerCase(Locale.ROOT).contains(model.get().toLowerCase(Locale.ROOT));
  }

  boolean accepts(SaeEntry sae) {
    return layers.map(range -> sae.layer().stream().anyMatch(range::contains)).orElse(true)
        && site.map(sae.site()::equals).orElse(true)
        && width.map(latents -> latents == sae.dSae()).orElse(true)
        && format.map(sae.format()::equals).orElse(true);
  }
}
