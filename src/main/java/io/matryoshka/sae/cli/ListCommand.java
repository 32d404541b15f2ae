package io.matryoshka.sae.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.registry.Release;
import io.matryoshka.sae.registry.ReleaseRegistry;
import io.matryoshka.sae.registry.SaeEntry;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Lists the known releases, or the SAEs of one. */
@Command(
    name = "list",
    description = "Lists the known releases, or the SAEs of one release.",
    footer = {"", "Example:", "  matryoshka-sae list gemma-2-2b-res-matryoshka-dc"})
final class ListCommand implements Callable<Integer> {

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "RELEASE",
      description = "The release whose SAEs to list.")
  private String releaseId;

  @Mixin private RegistryMixin registry;

  @Mixin private Output output;

  @Override
  public Integer call() throws IOException {
    ReleaseRegistry known = registry.registry();
    if (releaseId == null) {
      releases(known.releases());
    } else {
      saes(known.release(releaseId));
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
          first.dSae(),
          join(first.widths()),
          r.description());
    }
    output.table(table);
  }

  private void saes(Release release) {
    if (output.isJson()) {
      ObjectNode result = SaeJson.put(Output.object(), release);
      ArrayNode array = result.putArray("saes");
      release.saes().forEach(sae -> SaeJson.put(array.addObject(), sae));
      output.json(result);
      return;
    }
    output.line(release.description());
    output.line("");
    TextTable table =
        TextTable.of("SAE id", ">layer", ">d_in", ">d_sae", ">k", ">explained variance", "widths");
    for (SaeEntry sae : release.saes()) {
      table.row(
          sae.saeId(),
          sae.layer().isPresent() ? sae.layer().getAsInt() : "-",
          sae.dIn(),
          sae.dSae(),
          sae.trainingK().isPresent() ? sae.trainingK().getAsInt() : "-",
          sae.explainedVariance().isPresent()
              ? Numbers.fixed(sae.explainedVariance().getAsDouble(), 4)
              : "-",
          join(sae.widths()));
    }
    output.table(table);
  }

  private static String join(List<Integer> widths) {
    return widths.stream().map(String::valueOf).collect(Collectors.joining("/"));
  }
}
