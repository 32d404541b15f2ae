package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.matryoshka.sae.npy.NpyWriter;
import io.matryoshka.sae.support.HandSae;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The command line as people type it. */
class TypedInputTest {

  private static final float[][] ROWS = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};

  @TempDir private Path folder;

  private Path sae;
  private Path acts;

  @BeforeEach
  void writeFiles() throws IOException {
    sae = folder.resolve("sae");
    HandSae.write(sae, "none", ROWS);
    acts = npy("acts.npy", 3, 1, 1, 2, 2, -1);
  }

  private Path npy(String name, float... values) throws IOException {
    Path file = folder.resolve(name);
    try (NpyWriter writer = NpyWriter.create(file, values.length / 2, 2)) {
      writer.write(values, 0, values.length);
      writer.finish();
    }
    return file;
  }

  // ---- order of words -------------------------------------------------------------------------

  @Test
  void input_beforeRelease_leavesItTheRelease() {
    Cli.Result result =
        Cli.run("top", "-i", Samples.ACTIVATIONS, Samples.RELEASE, Samples.SAE_ID, "--rows", "0");
    assertThat(result.err()).isEmpty();
    assertThat(result.code()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"-i %s %s", "-i %s -i %s", "--input=%s %s", "-i %s --rows 0-9 -i %s"})
  void input_severalFiles_areReadInOrder(String form) throws IOException {
    Path more = npy("more.npy", 9, 9);
    Object[] args = ("top --dir %s " + form + " -q --json").formatted(sae, acts, more).split(" ");
    Cli.Result result = Cli.run(args);
    assertThat(result.err()).isEmpty();
    JsonNode rows = result.json().path("rows");
    assertThat(rows).hasSize(4);
    assertThat(rows.get(3).path("latents").get(0).path("activation").asDouble()).isEqualTo(9);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "explore --dir %s -i %s --masc m.npy",
        "explore --dir %s --masc m.npy -i %s",
        "encode --dir %s -i %s --outptu x",
        "encode --dir %s -i %s -z"
      })
  void option_thatDoesNotExist_isNamedWhereverItStands(String words) {
    Object[] args = words.formatted(sae, acts).split(" ");
    Cli.Result result = Cli.run(args);
    assertThat(result.code()).isEqualTo(ExitCode.USAGE.code());
    assertThat(result.err()).contains("there is no option '-");
  }

  @Test
  void input_withoutValue_isAUsageError() {
    assertThat(Cli.run("top", "--dir", sae, "-i").err()).contains("--input", "got none");
    assertThat(Cli.run("top", "--dir", sae, "-i", "--json").err())
        .contains("--input", "the option '--json'");
  }

  @Test
  void input_missing_isToldBeforeTheSaeIsLoaded() {
    Cli.Result result = Cli.run("encode", "--dir", "nowhere", "-i", "none.npy", "-o", "x");
    assertThat(result.code()).isEqualTo(ExitCode.NOT_FOUND.code());
    assertThat(result.err()).contains("none.npy: no such file or folder");
  }

  @ParameterizedTest
  @CsvSource({"1 3, '1,3'", "'1,3', '1,3'", "0-2, '0,1,2'", "'0-1,3', '0,1,3'"})
  void latent_numbersAndRanges_areTaken(String words, String expected) throws IOException {
    String line = "explore --json -i %s --latent %s --dir %s".formatted(acts, words, sae);
    Object[] args = line.split(" ");
    Cli.Result result = Cli.run(args);
    assertThat(result.err()).isEmpty();
    assertThat(result.json().path("latents").findValuesAsText("level")).isNotEmpty();
    assertThat(
            String.join(
                ",",
                StreamSupport.stream(result.json().path("latents").spliterator(), false)
                    .map(latent -> latent.path("latent").asText())
                    .toList()))
        .isEqualTo(expected);
  }

  @Test
  void latent_thatIsNoNumber_isRefused() {
    Cli.Result result = Cli.run("explore", "--dir", sae, "-i", acts, "--latent", "x");
    assertThat(result.code()).isEqualTo(ExitCode.USAGE.code());
    assertThat(result.err()).contains("--latent", "got 'x'");
  }

  // ---- standard input -------------------------------------------------------------------------

  @Test
  void input_dash_isStandardInput() throws IOException {
    InputStream before = System.in;
    try {
      System.setIn(new ByteArrayInputStream(Files.readAllBytes(acts)));
      Cli.Result result = Cli.run("top", "--dir", sae, "-i", "-", "--json");
      assertThat(result.err()).isEmpty();
      assertThat(result.json().path("rows")).hasSize(3);
      System.setIn(new ByteArrayInputStream(new byte[0]));
      assertThat(Cli.run("top", "--dir", sae, "-i", "-").err()).contains("which is empty");
    } finally {
      System.setIn(before);
    }
  }

  // ---- output ---------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(strings = {"x.npy", "x.npz", "x.pt", "X.NPY", "x.json"})
  void output_ofAnotherKindOfFile_makesNoFolder(String name) {
    Path target = folder.resolve(name);
    Cli.Result result = Cli.run("encode", "--dir", sae, "-i", acts, "-o", target);
    assertThat(result.code()).isEqualTo(ExitCode.USAGE.code());
    assertThat(result.err()).contains(".safetensors file or a folder");
    assertThat(target).doesNotExist();
  }

  @Test
  void encode_counts_areInTheSingularForOne() throws IOException {
    Path one = npy("one.npy", 1, 0);
    Cli.Result result =
        Cli.run("encode", "--dir", sae, "-i", one, "-o", folder.resolve("o.safetensors"));
    assertThat(result.out()).contains("1 row, 1 active latent, mean L0 1.00");
  }

  // ---- rows that do not count -----------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(strings = {"encode", "evaluate", "explore", "top"})
  void skipNonFinite_meansTheSameInEveryCommand(String command) throws IOException {
    Path bad = npy("bad.npy", 1, 1, Float.NaN, 1, 2, 1);
    Object[] words = {command, "--dir", sae, "-i", bad, "--json", "-o", folder.resolve("out")};
    Object[] args = command.equals("encode") ? words : Arrays.copyOf(words, 6);
    Cli.Result stopped = Cli.run(args);
    assertThat(stopped.code()).isEqualTo(ExitCode.BAD_FILE.code());
    assertThat(stopped.err()).contains("bad.npy, row 1", "--skip-non-finite");

    Object[] skipping = Arrays.copyOf(args, args.length + 1);
    skipping[args.length] = "--skip-non-finite";
    Cli.Result skipped = Cli.run(skipping);
    assertThat(skipped.code()).isZero();
    assertThat(skipped.out()).doesNotContain("NaN", "Infinity");
  }

  @ParameterizedTest
  @ValueSource(strings = {"encode", "evaluate", "explore", "top"})
  void mask_isTakenByEveryCommand(String command) throws IOException {
    Path bad = npy("bad.npy", 1, 1, Float.NaN, 1, 2, 1);
    Path mask = folder.resolve("mask.npy");
    try (NpyWriter writer = NpyWriter.create(mask, 3)) {
      writer.write(new float[] {1, 0, 1}, 0, 3);
      writer.finish();
    }
    Object[] words = {
      command, "--dir", sae, "-i", bad, "--mask", mask, "--json", "-o", folder.resolve("out")
    };
    Object[] args = command.equals("encode") ? words : Arrays.copyOf(words, 8);
    Cli.Result result = Cli.run(args);
    assertThat(result.err()).isEmpty();
    assertThat(result.code()).isZero();
    String counted =
        switch (command) {
          case "encode" -> "\"masked_rows\" : 1";
          case "evaluate" -> "\"masked_rows\" : 1";
          case "explore" -> "\"rows_left_out\" : 1";
          default -> "\"row\" : 2";
        };
    assertThat(result.out()).contains(counted).doesNotContain("\"row\" : 1,");
  }

  @ParameterizedTest
  @ValueSource(strings = {"encode", "evaluate", "explore", "top"})
  void input_withoutRows_isRefusedInEveryCommand(String command) throws IOException {
    Cli.Result result = run(command, npy("none.npy"));
    assertThat(result.code()).isEqualTo(ExitCode.USAGE.code());
    assertThat(result.err())
        .contains("the input has no rows", "none.npy")
        .doesNotContain("--rows")
        .hasLineCount(1);
    assertThat(folder.resolve("out.safetensors")).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"encode", "evaluate", "explore", "top"})
  void input_ofWhichNoRowCounts_isRefusedInEveryCommand(String command) throws IOException {
    Path bad = npy("bad.npy", 1, 1, Float.NaN, 1, 2, Float.POSITIVE_INFINITY);
    Cli.Result result = run(command, bad, "--mask", mask(0, 1, 1), "--skip-non-finite");
    assertThat(result.code()).isEqualTo(ExitCode.USAGE.code());
    assertThat(result.err()).contains("all 3 rows were left out: 1 by the mask, 2 as they cannot");
    assertThat(result.out()).isEmpty();
    assertThat(folder.resolve("out.safetensors")).doesNotExist();
  }

  @Test
  void encode_ofWhichNoRowCounts_leavesNoIndex() throws IOException {
    Path bad = npy("bad.npy", Float.NaN, 1, 2, Float.NaN);
    Path run = folder.resolve("run");
    for (int attempt = 0; attempt < 2; attempt++) {
      Cli.Result result =
          Cli.run("encode", "--dir", sae, "-i", bad, "-o", run, "--skip-non-finite");
      assertThat(result.code()).isEqualTo(ExitCode.USAGE.code());
      assertThat(run.resolve("index.json")).doesNotExist();
    }
  }

  @Test
  void top_rowsThatAreAllMasked_saysSo() throws IOException {
    Cli.Result result =
        Cli.run("top", "--dir", sae, "-i", acts, "--mask", mask(1, 0, 0), "--rows", "1-2");
    assertThat(result.code()).isEqualTo(ExitCode.USAGE.code());
    assertThat(result.err()).contains("all 2 rows were left out: 2 by the mask");
  }

  @Test
  void maskTensor_withoutATensorToName_isRefused() throws IOException {
    Cli.Result alone = Cli.run("top", "--dir", sae, "-i", acts, "--mask-tensor", "m");
    assertThat(alone.code()).isEqualTo(ExitCode.USAGE.code());
    assertThat(alone.err()).contains("--mask-tensor", "give its file with --mask");
    Path mask = mask(1, 1, 1);
    Cli.Result ofNpy =
        Cli.run("top", "--dir", sae, "-i", acts, "--mask", mask, "--mask-tensor", "m");
    assertThat(ofNpy.code()).isEqualTo(ExitCode.USAGE.code());
    assertThat(ofNpy.err()).contains("--mask-tensor", "mask.npy is a .npy file");
  }

  @ParameterizedTest
  @ValueSource(strings = {"encode", "evaluate", "explore", "top"})
  void tensor_ofNpy_isRefused(String command) {
    Cli.Result result = run(command, acts, "--tensor", "x");
    assertThat(result.code()).isEqualTo(ExitCode.USAGE.code());
    assertThat(result.err()).contains("--tensor: the input is .npy");
  }

  @ParameterizedTest
  @ValueSource(strings = {"encode", "evaluate", "explore", "top"})
  void input_thatIsAnSae_isRefused(String command) {
    Cli.Result result = run(command, sae);
    assertThat(result.code()).isEqualTo(ExitCode.USAGE.code());
    assertThat(result.err()).contains("is the folder of an SAE", "--dir");
  }

  private Cli.Result run(String command, Path input, Object... more) {
    List<Object> words = new ArrayList<>(List.of(command, "--dir", sae, "-i", input));
    if (command.equals("encode")) {
      words.addAll(List.of("-o", folder.resolve("out.safetensors")));
    }
    words.addAll(List.of(more));
    return Cli.run(words.toArray());
  }

  private Path mask(float... values) throws IOException {
    Path mask = folder.resolve("mask.npy");
    try (NpyWriter writer = NpyWriter.create(mask, values.length)) {
      writer.write(values, 0, values.length);
      writer.finish();
    }
    return mask;
  }

  // ---- hints and tables -----------------------------------------------------------------------

  @Test
  void evaluate_worseThanTheMean_isNoted() throws IOException {
    HandSae.write(sae, "none", new float[][] {{5, 0}, {0, 5}});
    Path many = npy("many.npy", 1, 2, 2, 1, 3, 1, 1, 3, 2, 2, 1, 1, 3, 3, 2, 1);
    Cli.Result result = Cli.run("evaluate", "--dir", sae, "-i", many);
    assertThat(result.code()).isZero();
    assertThat(result.err()).contains("note: explained variance is -", "hook point");
  }

  @Test
  void input_ofTheWidthOfAnotherRelease_isTold() throws IOException {
    Path wide = folder.resolve("wide.npy");
    try (NpyWriter writer = NpyWriter.create(wide, 1, 3584)) {
      writer.write(new float[3584], 0, 3584);
      writer.finish();
    }
    assertThat(Cli.run("top", "--dir", sae, "-i", wide).err())
        .contains("[1, 3584]", "3584 is the d_in of gemma-2-9b-res-matryoshka-dc");
  }

  @Test
  void table_onANarrowTerminal_cutsTextColumns() {
    TextTable table = TextTable.of(">row", "a", "b").row(1, "x".repeat(40), "short");
    table.row(2, "\u001b[36m" + "y".repeat(40) + "\u001b[0m", "z");
    for (String line : table.lines(30)) {
      assertThat(line.replaceAll("\u001b\\[[0-9;]*m", "").length()).isLessThanOrEqualTo(30);
    }
    assertThat(table.lines(30).get(1)).contains("xxx…");
    assertThat(table.lines(30).get(2)).contains("\u001b[36m").contains("…\u001b[0m");
    assertThat(table.lines()).allMatch(line -> !line.contains("…"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "demo",
        "list",
        "info",
        "top",
        "encode",
        "explore",
        "decode",
        "evaluate",
        "benchmark",
        "download",
        "cache"
      })
  void help_ofEveryCommand_showsAnExample(String command) {
    assertThat(Cli.run(command, "--help").out()).contains("Example:\n  matryoshka-sae " + command);
  }
}
