package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.registry.Release;
import io.matryoshka.sae.registry.ReleaseRegistry;
import io.matryoshka.sae.registry.SaeEntry;
import java.io.IOException;
import java.util.List;
import java.util.SortedSet;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Lists the known releases, or the SAEs of one, or those that fit some filters. */
@Command(
    name = "list",
    description = {
      "Lists the known releases, or the SAEs of one release.",
      "With filters, lists all SAEs that fit them."
    },
    footer = {"", "Example:", "  matryoshka-sae list gemma-2-2b-res-matryoshka-dc"})
final class ListCommand implements Callable<Integer> {

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "RELEASE",
      description = "The release whose SAEs to list.")
  private String releaseId;

  @Mixin private SaeFilter filter;

  @Mixin private RegistryMixin registry;

  @Mixin private Output output;

  @Override
  public Integer call() throws IOException {
    ReleaseRegistry known = registry.registry();
    if (releaseId != null) {
      saes(known.release(releaseId));
    } else if (filter.isGiven()) {
      fitting(known.releases());
    } else {
      releases(known.releases());
    }
    return ExitCode.OK.code();
  }

  private void releases(List<Release> releases) {
    if (output.isJson()) {
      ObjectNode result = Output.object();
      ArrayNode array = result.putArray("releases");
      releases.forEach(r -> SaeJson.put(array.addObject(), r));
      output.json(result);
      return;
    }
    TextTable table =
        TextTable.of("release", "model", ">SAEs", ">d_in", ">d_sae", "widths", "description");
    for (Release r : releases) {
      SaeEntry first = r.saes().get(0);
      table.row(
          r.id(),
          r.model(),
          r.saes().size(),
          first.dIn(),
          latents(r),
          widths(first),
          r.description());
    }
    output.table(table);
  }

  /** The number of latents, or the least and the most. */
  private static String latents(Release release) {
    SortedSet<Integer> counts = release.latentCounts();
    return counts.size() == 1 ? counts.first().toString() : counts.first() + "-" + counts.last();
  }

  private void saes(Release release) {
    List<SaeEntry> saes = release.saes().stream().filter(filter::accepts).toList();
    if (output.isJson()) {
      ObjectNode result = SaeJson.put(Output.object(), release);
      ArrayNode array = result.putArray("saes");
      saes.forEach(sae -> SaeJson.put(array.addObject(), sae));
      output.json(result);
      return;
    }
    output.line(release.description());
    output.line("");
    TextTable table =
        TextTable.of("SAE id", ">layer", ">d_in", ">d_sae", ">k", ">explained variance", "widths");
    for (SaeEntry sae : saes) {
      table.row(
          sae.saeId(),
          layer(sae),
          sae.dIn(),
          sae.dSae(),
          k(sae),
          sae.explainedVariance().isPresent()
              ? Numbers.fixed(sae.explainedVariance().getAsDouble(), 4)
              : "-",
          widths(sae));
    }
    output.table(table);
  }

  private void fitting(List<Release> releases) {
    List<SaeEntry> saes =
        releases.stream()
            .filter(filter::accepts)
            .flatMap(release -> release.saes().stream())
            .filter(filter::accepts)
            .toList();
    if (output.isJson()) {
      ObjectNode result = Output.object();
      ArrayNode array = result.putArray("saes");
      saes.forEach(sae -> SaeJson.put(array.addObject().put("release", sae.release()), sae));
      output.json(result);
      return;
    }
    TextTable table =
        TextTable.of("release", "SAE id", ">layer", "site", ">d_in", ">d_sae", ">k", "widths");
    for (SaeEntry sae : saes) {
      table.row(
          sae.release(),
          sae.saeId(),
          layer(sae),
          sae.site(),
          sae.dIn(),
          sae.dSae(),
          k(sae),
          widths(sae));
    }
    output.table(table);
  }

  private static Object layer(SaeEntry sae) {
    return sae.layer().isPresent() ? sae.layer().getAsInt() : "-";
  }

  private static Object k(SaeEntry sae) {
    return sae.trainingK().isPresent() ? sae.trainingK().getAsInt() : "-";
  }

  /** The trained widths; none are known where all latents are the only one. */
  private static String widths(SaeEntry sae) {
    return sae.widths().size() == 1
        ? "-"
        : sae.widths().stream().map(String::valueOf).collect(Collectors.joining("/"));
  }
}
