package io.matryoshka.sae.internal.fetch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.LoadOptions;
import io.matryoshka.sae.SAE;
import io.matryoshka.sae.SparseLatents;
import io.matryoshka.sae.config.SaeConfig;
import io.matryoshka.sae.hub.FakeHub;
import io.matryoshka.sae.registry.ReleaseRegistry;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsFile;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import io.matryoshka.sae.support.OwnCache;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** SAEs of other programs on the Hub: recognised by their files, and prefixes by ranges. */
class FormatsOnHubTest {

  private static final Path FORMATS = Path.of("src/test/resources/formats");
  private static final int D_IN = 64;
  private static final int D_SAE = 32768;

  @TempDir private Path hubCache;
  @TempDir private Path ownCache;
  @TempDir private Path folder;
  private FakeHub hub;
  private OwnCache cache;

  @BeforeEach
  void startHub() throws IOException {
    cache = OwnCache.in(ownCache);
    hub = FakeHub.start();
  }

  @AfterEach
  void stopHub() throws IOException {
    cache.close();
    hub.close();
  }

  private LoadOptions options() {
    return LoadOptions.defaults().endpoint(hub.endpoint()).cacheDir(hubCache);
  }

  private void serve(String repo, String path, Path source) throws IOException {
    try (Stream<Path> files = Files.list(source)) {
      for (Path file : files.toList()) {
        String name = (path.isEmpty() ? "" : path + "/") + file.getFileName();
        if (name.endsWith(".json")) {
          hub.file(repo, name, Files.readAllBytes(file));
        } else {
          hub.lfs(repo, name, file);
        }
      }
    }
  }

  private static float[] x(String format) throws IOException {
    try (SafetensorsFile file =
        SafetensorsFile.open(FORMATS.resolve(format).resolve("expected.safetensors"))) {
      return file.readFloats("x");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "gemma-scope-1",
        "gemma-scope-2-sae",
        "gemma-scope-2-transcoder-affine",
        "dictionary-learning-matryoshka",
        "dictionary-learning-batchtopk",
        "saelens-jumprelu-transcoder",
        "saelens-matryoshka-new-metadata"
      })
  void repository_isRecognisedByItsFiles(String format) throws IOException {
    Path source = FORMATS.resolve(format).resolve("sae");
    serve("owner/saes", "a/b", source);
    serve("owner/top", "", source);
    SparseLatents expected;
    try (SAE local = SAE.load(source)) {
      expected = local.encodeSparse(x(format));
    }
    for (String place : List.of("owner/saes a/b", "owner/top ")) {
      String[] names = place.split(" ", -1);
      try (SAE sae = SAE.fromPretrained(names[0], names[1], options())) {
        SparseLatents found = sae.encodeSparse(x(format));
        assertThat(found.latents()).isEqualTo(expected.latents());
        assertThat(found.activations()).isEqualTo(expected.activations());
      }
    }
    try (SAE offline = SAE.fromPretrained("owner/saes", "a/b", options().offline(true))) {
      assertThat(offline.encodeSparse(x(format)).latents()).isEqualTo(expected.latents());
    }
  }

  @Test
  void repository_withoutAnSae_namesTheFileOfSaeLens() throws IOException {
    hub.file("owner/none", "a/readme.txt", new byte[1]);
    assertThatThrownBy(() -> SAE.fromPretrained("owner/none", "a", options()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("cfg.json");
  }

  @Test
  void entry_ofTheRegistry_namesTheFormat() throws IOException {
    serve(
        "google/gemma-scope-2-1b-pt",
        "resid_post/layer_13_width_16k_l0_medium",
        FORMATS.resolve("gemma-scope-2-sae/sae"));
    String id = "layer_13_width_16k_l0_medium";
    assertThat(ReleaseRegistry.bundled().find("gemma-scope-2-1b-pt-res", id).format())
        .isEqualTo("gemma-scope-2");
    try (SAE sae = SAE.fromPretrained("gemma-scope-2-1b-pt-res", id, options())) {
      assertThat(sae.dIn()).isEqualTo(24);
      assertThat(sae.hookPoint()).contains("blocks.13.hook_resid_post");
    }
    assertThat(hub.requests()).noneMatch(request -> request.path().endsWith("cfg.json"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"gemma-scope-2", "ae.pt", "ae.pt turned"})
  void prefix_isFetchedByRanges(String kind) throws IOException {
    Map<String, float[]> tensors = tensors();
    Path source = Files.createDirectories(folder.resolve("sae"));
    Path weights =
        kind.equals("gemma-scope-2")
            ? gemmaScope(source, tensors)
            : torch(source, tensors, kind.endsWith("turned"));
    serve("owner/wide", "s", source);
    long whole = Files.size(weights);
    float[] x = random(40 * D_IN, 9);
    try (SAE all = SAE.load(source);
        SAE view = all.prefix(512);
        SAE part = SAE.fromPretrained("owner/wide", "s", options().prefix(512))) {
      SparseLatents expected = view.encodeSparse(x);
      SparseLatents found = part.encodeSparse(x);
      assertThat(expected.activeCount()).isPositive();
      assertThat(found.latents()).isEqualTo(expected.latents());
      assertThat(found.activations()).isEqualTo(expected.activations());
      assertThat(part.decode(found)).isEqualTo(view.decode(expected));
      assertThat(part.hookPoint()).isEqualTo(all.hookPoint());
    }
    assertThat(hub.bodyBytes()).as("of %d bytes", whole).isLessThan(whole / 2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gemma-scope-2", "ae.pt"})
  void configuration_needsNoMoreOfTheWeightsThanTheirHeader(String kind) throws IOException {
    Path source = Files.createDirectories(folder.resolve("sae"));
    Map<String, float[]> tensors = tensors();
    Path weights =
        kind.equals("ae.pt") ? torch(source, tensors, false) : gemmaScope(source, tensors);
    serve("owner/wide", "s", source);
    SaeConfig config = SAE.readConfig("owner/wide", "s", options());
    assertThat(hub.bodyBytes()).isLessThan(Files.size(weights) / 10);
    try (SAE sae = SAE.load(source)) {
      assertThat(config.architecture()).isEqualTo(sae.config().architecture());
      assertThat(config.dIn()).isEqualTo(sae.dIn());
      assertThat(config.dSae()).isEqualTo(sae.dSae());
      assertThat(config.hookPoint()).isEqualTo(sae.hookPoint());
      assertThat(SAE.readConfig("owner/wide", "s", options().dtype(Dtype.BF16)).dtype())
          .isEqualTo(Dtype.BF16);
    }
  }

  @Test
  void configuration_ofSaeLens_needsNoWeights() throws IOException {
    Path source = FORMATS.resolve("saelens-matryoshka-new-metadata/sae");
    serve("owner/saes", "a", source);
    SaeConfig config = SAE.readConfig("owner/saes", "a", options());
    assertThat(hub.requests()).noneMatch(request -> request.path().endsWith(".safetensors"));
    try (SAE sae = SAE.load(source)) {
      assertThat(config.matryoshkaWidths()).isEqualTo(sae.widths());
      assertThat(config.metadata()).isEqualTo(sae.config().metadata());
    }
  }

  private static float[] random(int count, long seed) {
    Random random = new Random(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian() / 8;
    }
    return values;
  }

  private static Map<String, float[]> tensors() {
    Map<String, float[]> tensors = new LinkedHashMap<>();
    tensors.put("W_enc", random(D_IN * D_SAE, 1));
    tensors.put("W_dec", random(D_IN * D_SAE, 2));
    tensors.put("b_enc", random(D_SAE, 3));
    tensors.put("b_dec", random(D_IN, 4));
    return tensors;
  }

  private static Path gemmaScope(Path source, Map<String, float[]> tensors) throws IOException {
    Files.writeString(
        source.resolve("config.json"),
        """
        {"model_name": "google/gemma-3-1b-pt", "architecture": "jump_relu", "type": "sae",
         "hf_hook_point_in": "model.layers.3.output", "affine_connection": false, "l0": 20}""");
    Path file = source.resolve("params.safetensors");
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder()
            .tensor("w_enc", Dtype.F32, D_IN, D_SAE)
            .tensor("w_dec", Dtype.F32, D_SAE, D_IN)
            .tensor("b_enc", Dtype.F32, D_SAE)
            .tensor("b_dec", Dtype.F32, D_IN)
            .tensor("threshold", Dtype.F32, D_SAE)
            .create(file)) {
      writer.writeFloats("w_enc", tensors.get("W_enc"));
      writer.writeFloats("w_dec", tensors.get("W_dec"));
      writer.writeFloats("b_enc", tensors.get("b_enc"));
      writer.writeFloats("b_dec", tensors.get("b_dec"));
      writer.writeFloats("threshold", random(D_SAE, 5));
      writer.finish();
    }
    return file;
  }

  /** A file of torch.save, of a MatryoshkaBatchTopKSAE or of a BatchTopKSAE. */
  private static Path torch(Path source, Map<String, float[]> tensors, boolean turned)
      throws IOException {
    Files.writeString(
        source.resolve("config.json"),
        """
        {"trainer": {"dict_class": "BatchTopKSAE", "layer": 3, "lm_name": "a/b", "k": 5,
         "submodule_name": "resid_post_layer_3"}, "buffer": {"ctx_len": 1024}}""");
    Map<String, byte[]> members = new LinkedHashMap<>();
    StringBuilder pickle = new StringBuilder("\u0080\u0002}(");
    long[][] shapes = {{D_IN, D_SAE}, {D_SAE, D_IN}, {D_SAE}, {D_IN}, {}};
    String[] names = {"W_enc", "W_dec", "b_enc", "b_dec", "threshold"};
    String[] other = {"encoder.weight", "decoder.weight", "encoder.bias", "b_dec", "threshold"};
    for (int i = 0; i < names.length; i++) {
      float[] values = i < 4 ? tensors.get(names[i]) : new float[] {0.5f};
      long[] shape = shapes[i];
      if (turned && shape.length == 2) {
        shape = new long[] {shape[1], shape[0]};
      }
      members.put("ae/data/" + i, bytes(values));
      pickle.append(tensor(turned ? other[i] : names[i], i, values.length, shape));
    }
    Path file = source.resolve("ae.pt");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
      put(zip, "ae/data.pkl", pickle.append("u.").toString().getBytes(StandardCharsets.ISO_8859_1));
      for (Map.Entry<String, byte[]> member : members.entrySet()) {
        put(zip, member.getKey(), member.getValue());
      }
    }
    return file;
  }

  private static String tensor(String name, int key, int count, long[] shape) {
    String sizes = "";
    String strides = "";
    long stride = 1;
    for (int axis = shape.length - 1; axis >= 0; axis--) {
      sizes = whole(shape[axis]) + sizes;
      strides = whole(stride) + strides;
      stride *= shape[axis];
    }
    return text(name)
        + "ctorch._utils\n_rebuild_tensor_v2\n(("
        + text("storage")
        + "ctorch\nFloatStorage\n"
        + text(String.valueOf(key))
        + text("cpu")
        + whole(count)
        + "tQK\0("
        + sizes
        + "t("
        + strides
        + "t\u0089ccollections\nOrderedDict\n)RtR";
  }

  private static String text(String value) {
    return "X" + (char) value.length() + "\0\0\0" + value;
  }

  private static String whole(long value) {
    StringBuilder bytes = new StringBuilder("J");
    for (int i = 0; i < 4; i++) {
      bytes.append((char) (value >> 8 * i & 0xff));
    }
    return bytes.toString();
  }

  private static byte[] bytes(float[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes.array();
  }

  private static void put(ZipOutputStream zip, String name, byte[] bytes) throws IOException {
    CRC32 sum = new CRC32();
    sum.update(bytes);
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(bytes.length);
    entry.setCrc(sum.getValue());
    zip.putNextEntry(entry);
    zip.write(bytes);
    zip.closeEntry();
  }
}
