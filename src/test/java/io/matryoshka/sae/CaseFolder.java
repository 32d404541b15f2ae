package io.matryoshka.sae;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.fetch.SaeFiles;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import io.matryoshka.sae.safetensors.TensorInfo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/** A copy of a case of config/ (d_in 8, d_sae 24) that a test spoils. */
final class CaseFolder {

  static final int D_IN = 8;
  static final int D_SAE = 24;

  private static final ObjectMapper JSON = new ObjectMapper();

  final Path path;

  private CaseFolder(Path path) {
    this.path = path;
  }

  /** Loads a case as it is. */
  static SAE load(String name, LoadOptions options) throws IOException {
    return SAE.load(DemoData.path("/config/cases/" + name), options);
  }

  static CaseFolder copy(String name, Path target) throws IOException {
    for (String file : new String[] {SaeFiles.CONFIG, SaeFiles.WEIGHTS}) {
      Files.copy(
          DemoData.path("/config/cases/" + name).resolve(file),
          target.resolve(file),
          StandardCopyOption.REPLACE_EXISTING);
    }
    return new CaseFolder(target);
  }

  CaseFolder config(Consumer<ObjectNode> change) throws IOException {
    Path file = path.resolve(SaeFiles.CONFIG);
    ObjectNode root = (ObjectNode) JSON.readTree(file.toFile());
    change.accept(root);
    JSON.writeValue(file.toFile(), root);
    return this;
  }

  CaseFolder configText(String text) throws IOException {
    Files.writeString(path.resolve(SaeFiles.CONFIG), text);
    return this;
  }

  /** A tensor to write. */
  record Tensor(Dtype dtype, long[] shape, byte[] bytes) {

    static Tensor zeros(Dtype dtype, long... shape) {
      long bytes = dtype.bits() / 8;
      for (long dimension : shape) {
        bytes *= dimension;
      }
      return new Tensor(dtype, shape, new byte[Math.toIntExact(bytes)]);
    }
  }

  /** Writes the weights again after a change of the tensors. */
  CaseFolder weights(Consumer<Map<String, Tensor>> change) throws IOException {
    Path file = path.resolve(SaeFiles.WEIGHTS);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    try (SafetensorsFile in = SafetensorsFile.open(file)) {
      for (TensorInfo info : in.tensors()) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(info.byteCount()));
        in.read(info.name(), 0, bytes);
        tensors.put(info.name(), new Tensor(info.dtype(), info.shape(), bytes.array()));
      }
    }
    change.accept(tensors);
    SafetensorsWriter.Builder builder = SafetensorsWriter.builder();
    tensors.forEach((name, t) -> builder.tensor(name, t.dtype(), t.shape()));
    try (SafetensorsWriter out = builder.create(file)) {
      for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
        out.write(entry.getKey(), ByteBuffer.wrap(entry.getValue().bytes()));
      }
      out.finish();
    }
    return this;
  }
}
