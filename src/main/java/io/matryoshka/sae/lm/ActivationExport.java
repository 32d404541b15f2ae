package io.matryoshka.sae.lm;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.io.ProcessLock;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsException;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import io.matryoshka.sae.stream.RunSettings;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes activations of texts to safetensors files for later runs: one tensor {@code [tokens,
 * width]} for each hook point, named by it, and {@code row_offsets [texts + 1]} int32. All hook
 * points come from one pass of the model.
 */
public final class ActivationExport {

  /** Tokens that go through the model between two writes. */
  private static final int TOKENS_AT_ONCE = 4096;

  private static final String ROW_OFFSETS = "row_offsets";
  private static final String SETTINGS = "matryoshka_sae_settings";
  private static final String LOCK = ".lock";

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Logger LOG = LoggerFactory.getLogger(ActivationExport.class);

  private final LanguageModel model;
  private final Map<String, HookPoint> hooks;
  private final boolean bfloat16;
  private final LongConsumer progress;
  private final String modelName;
  private final Optional<String> identity;

  /**
   * Prepares an export.
   *
   * @param model runs the texts
   * @param hookNames the hook points, at least one, as {@link HookPoint#parse} reads them; tensors
   *     get these names
   * @param bfloat16 whether activations are rounded to bfloat16, which halves the files
   * @param progress is told the number of tokens that are done
   * @throws IllegalArgumentException if a name is not known, or the model has no such place
   */
  public ActivationExport(
      LanguageModel model, List<String> hookNames, boolean bfloat16, LongConsumer progress) {
    this.model = model;
    this.bfloat16 = bfloat16;
    this.progress = progress;
    this.modelName = model.name();
    this.identity = Optional.empty();
    this.hooks = new LinkedHashMap<>();
    Requirements requirements = new Requirements(model.name(), model.config());
    for (String name : hookNames) {
      hooks.put(name, requirements.parse(name));
    }
    if (hooks.isEmpty()) {
      throw new IllegalArgumentException("expected at least one hook point, got none");
    }
  }

  private ActivationExport(ActivationExport other, String modelName, Optional<String> identity) {
    this.model = other.model;
    this.hooks = other.hooks;
    this.bfloat16 = other.bfloat16;
    this.progress = other.progress;
    this.modelName = modelName;
    this.identity = identity;
  }

  /**
   * Sets what files say of the model, for hosts that have it in different folders.
   *
   * @param name the name in each file; default: {@link LanguageModel#name}
   * @param model what tells runs of other models apart; default: its files and how it is run
   * @return changed export
   */
  public ActivationExport as(String name, String model) {
    return new ActivationExport(this, name, Optional.of(model));
  }

  /**
   * Returns the name of a file in a folder.
   *
   * @param number counted from 0
   * @return the name
   */
  public static String fileName(int number) {
    return "activations-%05d.safetensors".formatted(number);
  }

  /**
   * Writes one file, which appears when it is whole.
   *
   * @param texts the texts, at least one
   * @param file the file; replaced if it exists
   * @return the number of rows
   * @throws IllegalArgumentException if a text does not fit the model
   * @throws IOException if the file cannot be written
   */
  public long toFile(List<Tokens> texts, Path file) throws IOException {
    model.requireFits(texts);
    return write(texts, file, 0);
  }

  /**
   * Writes a folder of files with a number of texts each. Files that an earlier run with the same
   * settings has finished are kept, so a run that was stopped at any moment goes on where it was.
   * One run at a time may write to a folder.
   *
   * @param texts the texts, at least one
   * @param folder the folder, made if need be
   * @param textsPerFile texts of each file but the last
   * @return the number of rows in all files, and of those that were there
   * @throws IllegalArgumentException if a text does not fit the model, or the folder holds files of
   *     another run, in which case the message says what differs
   * @throws IOException if another run is writing to the folder, or a file cannot be written
   */
  public ExportResult toFolder(List<Tokens> texts, Path folder, int textsPerFile)
      throws IOException {
    model.requireFits(texts);
    Files.createDirectories(folder);
    try (ProcessLock lock = lock(folder)) {
      if (!lock.excludesProcesses()) {
        LOG.warn(
            "{}: this file system has no locks, so nothing keeps two runs that write to this folder"
                + " apart; start one at a time",
            folder);
      }
      return writeMissing(texts, folder, textsPerFile);
    }
  }

  private static ProcessLock lock(Path folder) throws IOException {
    return ProcessLock.tryAcquire(folder.resolve(LOCK))
        .orElseThrow(
            () ->
                new FileSystemException(
                    folder.toString(),
                    null,
                    "another run is writing activations to this folder; wait for it, or use another one"));
  }

  private ExportResult writeMissing(List<Tokens> texts, Path folder, int textsPerFile)
      throws IOException {
    long rows = 0;
    long resumed = 0;
    for (int first = 0, shard = 0; first < texts.size(); first += textsPerFile, shard++) {
      List<Tokens> part = texts.subList(first, Math.min(texts.size(), first + textsPerFile));
      Path file = folder.resolve(fileName(shard));
      if (isDone(file, part)) {
        long there = part.stream().mapToLong(Tokens::size).sum();
        rows += there;
        resumed += there;
        progress.accept(rows);
      } else {
        rows += write(part, file, rows);
      }
    }
    return new ExportResult(rows, resumed);
  }

  private boolean isDone(Path file, List<Tokens> texts) throws IOException {
    if (!Files.exists(file)) {
      return false;
    }
    Optional<String> difference;
    try (SafetensorsFile found = SafetensorsFile.open(file)) {
      difference = difference(found, texts);
    } catch (SafetensorsException e) {
      throw new IllegalArgumentException(
          file + " is damaged; delete it and start again: " + e.getMessage(), e);
    }
    if (difference.isPresent()) {
      throw new IllegalArgumentException(foreign(file.toString(), difference.get()));
    }
    return true;
  }

  /**
   * Says what to do about a file of another run.
   *
   * @param file its name
   * @param difference what {@link #difference} says
   * @return a message
   */
  public static String foreign(String file, String difference) {
    return "%s is of a run with another model, other texts or other settings: %s; name another folder, or delete this one"
        .formatted(file, difference);
  }

  /**
   * Says how a file differs from what this export writes of some texts: in the model or how it is
   * run, the hook points, the type, or the texts.
   *
   * @param file a file that is whole
   * @param texts the texts
   * @return the setting and both values, in words for a message; empty if the file is the same
   * @throws IOException if a file of the model cannot be read
   */
  public Optional<String> difference(SafetensorsFile file, List<Tokens> texts) throws IOException {
    JsonNode now = JSON.readTree(settings(texts).toString());
    String before = file.metadata().get(SETTINGS);
    if (before == null) {
      return Optional.of("it does not say of which");
    }
    try {
      return RunSettings.difference(JSON.readTree(before), now);
    } catch (JsonProcessingException e) {
      return Optional.of("what it says of them is not JSON");
    }
  }

  /** What the content of a file depends on. */
  private ObjectNode settings(List<Tokens> texts) throws IOException {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    if (identity.isPresent()) {
      json.put("model", identity.get());
    } else {
      json.set("model", TextRunSettings.of(model));
    }
    hooks.forEach((name, point) -> json.withArray("hooks").add(name));
    json.put("dtype", bfloat16 ? "bfloat16" : "float32");
    TextRunSettings.add(json, texts);
    return json;
  }

  private long write(List<Tokens> texts, Path file, long before) throws IOException {
    int[] offsets = new BatchPlan(texts).rowOffsets();
    int rows = offsets[texts.size()];
    Requirements requirements = new Requirements(model.name(), model.config());
    SafetensorsWriter.Builder builder =
        SafetensorsWriter.builder()
            .metadata("model", modelName)
            .metadata(SETTINGS, settings(texts).toString())
            .tensor(ROW_OFFSETS, Dtype.I32, offsets.length);
    hooks.forEach(
        (name, point) ->
            builder.tensor(
                name, bfloat16 ? Dtype.BF16 : Dtype.F32, rows, requirements.width(point.site())));
    try (SafetensorsWriter writer = builder.create(file)) {
      writer.writeInts(ROW_OFFSETS, offsets);
      int done = 0;
      for (List<Tokens> part : parts(texts)) {
        append(part, writer);
        done += part.size();
        progress.accept(before + offsets[done]);
      }
      writer.finish();
    }
    return rows;
  }

  /**
   * Cuts texts into parts that go through the model together. Files of whole parts hold the same
   * values to the last bit as one file of all texts.
   *
   * @param texts the texts
   * @return views of the list, one after the other
   */
  public static List<List<Tokens>> parts(List<Tokens> texts) {
    List<List<Tokens>> parts = new ArrayList<>();
    for (int first = 0; first < texts.size(); ) {
      int end = endOfPart(texts, first);
      parts.add(texts.subList(first, end));
      first = end;
    }
    return parts;
  }

  private static int endOfPart(List<Tokens> texts, int first) {
    long tokens = texts.get(first).size();
    int end = first + 1;
    while (end < texts.size() && tokens + texts.get(end).size() <= TOKENS_AT_ONCE) {
      tokens += texts.get(end++).size();
    }
    return end;
  }

  private void append(List<Tokens> texts, SafetensorsWriter writer) throws IOException {
    try (Trace trace = model.trace(texts, new ArrayList<>(hooks.values()), List.of())) {
      for (Map.Entry<String, HookPoint> hook : hooks.entrySet()) {
        float[] values = trace.at(hook.getValue()).toFloatArray();
        if (bfloat16) {
          writer.write(hook.getKey(), Bfloat16.bytes(values));
        } else {
          writer.writeFloats(hook.getKey(), values);
        }
      }
    }
  }
}
