package io.matryoshka.sae.internal.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.hub.EntryNotFoundException;
import io.matryoshka.sae.hub.HubOptions;
import io.matryoshka.sae.internal.fetch.SaeLocator;
import io.matryoshka.sae.internal.format.SaeFormat;
import io.matryoshka.sae.registry.Release;
import io.matryoshka.sae.registry.ReleaseRegistry;
import io.matryoshka.sae.registry.SaeEntry;
import io.matryoshka.sae.registry.SaeLocation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Fetches SAEs from the Hub into the cache. */
@Command(
    name = "download",
    description =
        "Fetches SAEs from the Hugging Face Hub into the cache, where this program and Python find"
            + " them. What is cached is not fetched again.",
    footer = {
      "",
      "Example:",
      "  matryoshka-sae download gemma-2-2b-res-matryoshka-dc --layers 0-12"
    })
final class DownloadCommand implements Callable<Integer> {

  @Parameters(
      index = "0",
      paramLabel = "RELEASE",
      description = "A release ('list' shows them), or owner/repo on the Hugging Face Hub.")
  private String releaseId;

  @Parameters(
      index = "1..*",
      paramLabel = "SAE_ID",
      description = "SAEs of the release, or their folders in the repository.")
  private List<String> saeIds = new ArrayList<>();

  @Option(names = "--all", description = "Fetch every SAE of the release.")
  private boolean all;

  @Mixin private LayersMixin layers;

  @Option(
      names = "--prefix",
      paramLabel = "WIDTH",
      description = "Fetch only what the first WIDTH latents need, where that saves much.")
  private Integer prefix;

  @Mixin private RegistryMixin registry;

  @Mixin private HubMixin hub;

  @Mixin private Output output;

  @Spec private CommandSpec spec;

  /** One SAE to fetch. */
  private record Wanted(String saeId, SaeLocation location, Optional<String> format) {}

  @Override
  @SuppressWarnings("try") // The hint does its work by being open.
  public Integer call() throws IOException {
    ReleaseRegistry known = registry.registry();
    ObjectNode result = Output.object().put("release", releaseId);
    ArrayNode saes = result.putArray("saes");
    try (ResumeHint hint =
        ResumeHint.whileOpen(output, "run the same command to go on with what is there")) {
      for (Wanted sae : wanted(known)) {
        Optional<Path> folder = fetch(sae);
        ObjectNode node = saes.addObject().put("id", sae.saeId());
        folder.ifPresent(path -> node.put("path", path.toString()));
        if (!output.isJson()) {
          String name = sae.saeId().isEmpty() ? releaseId : sae.saeId();
          output.line(name + "  " + folder.map(Path::toString).orElse("prefix " + prefix));
        }
      }
    }
    if (output.isJson()) {
      output.json(result);
    }
    return ExitCode.OK.code();
  }

  private List<Wanted> wanted(ReleaseRegistry known) {
    int choices = (saeIds.isEmpty() ? 0 : 1) + (all ? 1 : 0) + (layers.isGiven() ? 1 : 0);
    if (choices > 1) {
      throw usage("expected one of SAE_ID, --all and --layers, got several");
    }
    if (!known.contains(releaseId) && releaseId.contains("/")) {
      List<String> folders = saeIds.isEmpty() ? List.of("") : saeIds;
      return folders.stream()
          .map(id -> new Wanted(id, new SaeLocation.Hub(releaseId, id), Optional.empty()))
          .toList();
    }
    Release release = known.release(releaseId);
    if (choices == 0 && release.saes().size() > 1) {
      throw usage(
          "release %s has %d SAEs; name some of them, or give --all or --layers"
              .formatted(releaseId, release.saes().size()));
    }
    List<SaeEntry> entries =
        saeIds.isEmpty() ? layers.of(release) : saeIds.stream().map(release::sae).toList();
    return entries.stream()
        .map(e -> new Wanted(e.saeId(), e.location(), Optional.of(e.format())))
        .toList();
  }

  /** Returns the folder that holds the files; empty where only a prefix was fetched. */
  private Optional<Path> fetch(Wanted sae) throws IOException {
    if (!(sae.location() instanceof SaeLocation.Hub folder)) {
      throw new IllegalArgumentException(
          "%s %s lies on this machine already; there is nothing to download"
              .formatted(releaseId, sae.saeId()));
    }
    HubOptions options = hub.options(output.downloadBars());
    OptionalInt width = prefix == null ? OptionalInt.empty() : OptionalInt.of(prefix);
    Optional<SaeFormat> format = sae.format().flatMap(SaeFormat::find);
    SaeLocator locator = new SaeLocator(options, width, Optional.empty(), format);
    try {
      locator.repair(folder);
      Path weights = locator.locate(folder).weights();
      return Optional.of(weights.toAbsolutePath().getParent()).filter(parent -> prefix == null);
    } catch (EntryNotFoundException e) {
      if (sae.saeId().isEmpty()) {
        throw usage(
            "expected the folders of SAEs in the repository %s, as there is no SAE at its top (%s)"
                .formatted(releaseId, e.getMessage()));
      }
      throw e;
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
