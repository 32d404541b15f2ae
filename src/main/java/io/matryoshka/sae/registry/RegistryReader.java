package io.matryoshka.sae.registry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Reads one registry file; docs/data-formats.md describes the format. */
final class RegistryReader {

  private static final int FORMAT_VERSION = 1;

  /** Fields that stand at the release, or at an SAE that differs. */
  private static final Set<String> SHARED_FIELDS =
      Set.of("d_in", "d_sae", "widths", "training_k", "training", "norm_scaling_factor");

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
          "saes");

  private static final Set<String> SAE_FIELDS =
      with(
          SHARED_FIELDS,
          "id",
          "path",
          "layer",
          "hook_point",
          "explained_variance",
          "neuronpedia_id");

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private RegistryReader() {}

  /**
   * Reads a release.
   *
   * @param file the name for messages
   * @param folder what a location of type {@code directory} is relative to
   */
  static Release read(String file, byte[] json, Path folder) throws RegistryException {
    JsonFields fields = JsonFields.root(file, parse(file, json));
    int version = fields.integer("format_version");
    if (version != FORMAT_VERSION) {
      throw new RegistryException(
          file,
          "$.format_version",
          "expected %d, got %d; a newer version of this library may read it"
              .formatted(FORMAT_VERSION, version));
    }
    fields.requireOnly(RELEASE_FIELDS);
    String release = fields.text("release");
    Function<String, SaeLocation> locations = readLocation(fields.object("location"), folder);
    List<SaeEntry> saes = new ArrayList<>();
    for (JsonFields sae : fields.objects("saes")) {
      saes.add(readSae(release, locations, sae));
    }
    try {
      return new Release(
          release,
          fields.text("description"),
          fields.text("model"),
          fields.optionalText("model_repo"),
          fields.optionalText("model_folder").map(locations),
          saes);
    } catch (IllegalArgumentException e) {
      throw fields.problem(e);
    }
  }

  /** Reads the list of the files that ship with the library. */
  static List<String> readIndex(String file, byte[] json) throws RegistryException {
    List<String> names = new ArrayList<>();
    for (JsonNode name : parse(file, json)) {
      names.add(name.textValue());
    }
    return names;
  }

  private static JsonNode parse(String file, byte[] json) throws RegistryException {
    try {
      return MAPPER.readTree(json);
    } catch (JsonProcessingException e) {
      String where =
          e.getLocation() == null
              ? ""
              : " (line %d, column %d)"
                  .formatted(e.getLocation().getLineNr(), e.getLocation().getColumnNr());
      throw new RegistryException(file, "$", "not JSON: " + e.getOriginalMessage() + where, e);
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

  private static TrainingFacts readTraining(JsonFields training) throws RegistryException {
    training.requireOnly(Set.of("tokens", "dataset", "loss"));
    return new TrainingFacts(
        training.longInteger("tokens"), training.text("dataset"), training.text("loss"));
  }

  private static Set<String> with(Set<String> shared, String... more) {
    Set<String> all = new HashSet<>(shared);
    all.addAll(List.of(more));
    return Set.copyOf(all);
  }
}
