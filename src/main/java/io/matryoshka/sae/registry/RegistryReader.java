package io.matryoshka.sae.registry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.matryoshka.sae.internal.filetype.JsonProblems;
import io.matryoshka.sae.internal.filetype.JsonRules;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Reads one table; docs/data-formats.md describes the format. */
final class RegistryReader {

  private static final int FORMAT_VERSION = 1;

  /** Fields that stand at the release, or at an SAE that differs. */
  static final Set<String> SHARED_FIELDS =
      Set.of("d_in", "d_sae", "widths", "training_k", "training", "norm_scaling_factor", "format");

  private static final Set<String> RELEASE_FIELDS =
      with(
          SHARED_FIELDS,
          "format_version",
          "release",
          "description",
          "model",
          "model_repo",
          "model_folder",
          "location",
          "saes",
          "grids");

  private static final Set<String> SAE_FIELDS =
      with(
          SHARED_FIELDS,
          "id",
          "path",
          "layer",
          "hook_point",
          "hook_point_out",
          "explained_variance",
          "neuronpedia_id");

  private RegistryReader() {}

  /**
   * Reads a table.
   *
   * @param file the name for messages
   * @param folder what a location of type {@code directory} is relative to
   * @return its releases, at least one
   */
  static List<Release> read(String file, byte[] json, Path folder) throws RegistryException {
    JsonFields fields = JsonFields.root(file, parse(file, json));
    int version = fields.integer("format_version");
    if (version != FORMAT_VERSION) {
      throw new RegistryException(
          file,
          "$.format_version",
          "expected %d, got %d; a newer version of this library may read it"
              .formatted(FORMAT_VERSION, version));
    }
    if (!fields.has("releases")) {
      return List.of(readRelease(fields, folder));
    }
    fields.requireOnly(with(RELEASE_FIELDS, "releases"));
    List<Release> releases = new ArrayList<>();
    for (JsonFields release : fields.objects("releases")) {
      releases.add(readRelease(release, folder));
    }
    if (releases.isEmpty()) {
      throw fields.problem("releases: expected at least one release, got none");
    }
    return releases;
  }

  private static Release readRelease(JsonFields fields, Path folder) throws RegistryException {
    fields.requireOnly(RELEASE_FIELDS);
    String release = fields.text("release");
    Function<String, SaeLocation> locations = readLocation(fields.object("location"), folder);
    try {
      return new Release(
          release,
          fields.text("description"),
          fields.text("model"),
          fields.optionalText("model_repo"),
          fields.optionalText("model_folder").map(locations),
          fields.has("grids")
              ? readGrids(release, locations, fields)
              : readSaes(release, locations, fields));
    } catch (IllegalArgumentException e) {
      throw fields.problem(e);
    }
  }

  private static List<SaeEntry> readSaes(
      String release, Function<String, SaeLocation> locations, JsonFields fields)
      throws RegistryException {
    List<SaeEntry> saes = new ArrayList<>();
    for (JsonFields sae : fields.objects("saes")) {
      saes.add(readSae(release, locations, sae));
    }
    return saes;
  }

  private static List<SaeEntry> readGrids(
      String release, Function<String, SaeLocation> locations, JsonFields fields)
      throws RegistryException {
    List<SaeGrid> grids = new ArrayList<>();
    for (JsonFields grid : fields.objects("grids")) {
      grids.add(SaeGridReader.read(release, locations, grid));
    }
    return new GridEntries(grids);
  }

  /**
   * Reads the list of the tables that ship with the library.
   *
   * @return the file of each release, in the order of the list
   */
  static Map<String, String> readIndex(String file, byte[] json) throws RegistryException {
    Map<String, String> files = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> table : parse(file, json).properties()) {
      table.getValue().forEach(release -> files.put(release.textValue(), table.getKey()));
    }
    return files;
  }

  private static JsonNode parse(String file, byte[] json) throws RegistryException {
    try {
      return JsonRules.STRICT.parse(json);
    } catch (JsonProcessingException e) {
      throw new RegistryException(file, "$", JsonProblems.sentence(e), e);
    } catch (IOException e) {
      throw new RegistryException(file, "$", "cannot be read: " + e.getMessage(), e);
    }
  }

  private static SaeEntry readSae(
      String release, Function<String, SaeLocation> locations, JsonFields sae)
      throws RegistryException {
    sae.requireOnly(SAE_FIELDS);
    int dSae = sae.integer("d_sae");
    Optional<JsonFields> training = sae.optionalObject("training");
    try {
      return new SaeEntry(
          release,
          sae.text("id"),
          locations.apply(sae.text("path")),
          sae.optionalInteger("layer"),
          sae.text("hook_point"),
          sae.optionalText("hook_point_out"),
          sae.optionalText("format").orElse(SaeEntry.DEFAULT_FORMAT),
          sae.integer("d_in"),
          dSae,
          sae.optionalIntegers("widths").orElse(List.of(dSae)),
          sae.optionalInteger("training_k"),
          sae.optionalNumber("explained_variance"),
          sae.optionalText("neuronpedia_id"),
          sae.optionalNumber("norm_scaling_factor"),
          training.isEmpty() ? Optional.empty() : Optional.of(readTraining(training.get())));
    } catch (IllegalArgumentException e) {
      throw sae.problem(e);
    }
  }

  /** Reads what all SAEs of the release share of their location; the rest is the path of each. */
  private static Function<String, SaeLocation> readLocation(JsonFields location, Path folder)
      throws RegistryException {
    String type = location.text("type");
    switch (type) {
      case "hub":
        location.requireOnly(Set.of("type", "repo", "revision"));
        SaeLocation.Hub top = readRepository(location);
        return path -> new SaeLocation.Hub(top.repoId(), path, top.revision());
      case "bundled":
        location.requireOnly(Set.of("type"));
        return SaeLocation.Bundled::new;
      case "directory":
        location.requireOnly(Set.of("type"));
        return path -> new SaeLocation.Directory(resolve(folder, path));
      default:
        throw location.problem(
            "type: expected 'hub', 'bundled' or 'directory', got " + Messages.quote(type));
    }
  }

  private static SaeLocation.Hub readRepository(JsonFields location) throws RegistryException {
    try {
      return new SaeLocation.Hub(
          location.text("repo"),
          "",
          location.optionalText("revision").orElse(SaeLocation.Hub.DEFAULT_REVISION));
    } catch (IllegalArgumentException e) {
      throw location.problem(e);
    }
  }

  private static Path resolve(Path folder, String path) {
    try {
      return folder.resolve(path).normalize();
    } catch (InvalidPathException e) {
      throw new IllegalArgumentException(
          "path: expected a path of this system, got " + Messages.quote(path), e);
    }
  }

  static TrainingFacts readTraining(JsonFields training) throws RegistryException {
    training.requireOnly(Set.of("tokens", "dataset", "loss"));
    return new TrainingFacts(
        training.longInteger("tokens"), training.text("dataset"), training.text("loss"));
  }

  static Set<String> with(Set<String> shared, String... more) {
    Set<String> all = new HashSet<>(shared);
    all.addAll(List.of(more));
    return Set.copyOf(all);
  }
}
