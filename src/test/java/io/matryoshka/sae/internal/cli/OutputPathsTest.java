package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.support.HandSae;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** Where results go is checked before the work, and a result that is lost is a failure. */
class OutputPathsTest {

  @TempDir Path folder;

  /** An SAE that does not exist shows that the path of the result is looked at first. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "encode -i x.npy -o OUT.safetensors",
        "encode -i x.npy -o OUT",
        "decode -i x.safetensors -o OUT.npy",
        "decode -i x.safetensors -o OUT.safetensors",
        "evaluate -i x.npy --html OUT.html",
        "evaluate -i x.npy --csv OUT.csv",
        "evaluate -i x.npy --latents-csv OUT.csv",
        "evaluate -i x.npy --checkpoint OUT.json",
        "explore -i x.npy --html OUT.html",
        "explore -i x.npy --csv OUT.csv",
        "benchmark --results OUT.json",
        "benchmark --svg OUT.svg"
      })
  void output_inNoFolder_isNamedBeforeTheWork(String command) {
    Path out = folder.resolve("no").resolve("such");
    Cli.Result result =
        Cli.run(
            Stream.concat(
                    Arrays.stream(command.replace("OUT", out.toString()).split(" ")),
                    Stream.of("--dir", folder.resolve("no-sae").toString()))
                .toArray());
    assertThat(result.code()).isEqualTo(ExitCode.NOT_FOUND.code());
    assertThat(result.err()).contains(out.getParent().toString());
    assertThat(result.out()).isEmpty();
  }

  @Test
  void encode_toAFolderBelowAFile_isNamedBeforeTheWork() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    Cli.Result result =
        Cli.run("encode", "-i", "x.npy", "-o", file.resolve("run"), "--dir", folder.resolve("no"));
    assertThat(result.code()).isEqualTo(ExitCode.IO.code());
    assertThat(result.err()).contains(file + " is a file");
  }

  @Test
  void evaluate_htmlIsAFolder_isNamedBeforeTheWork() {
    Cli.Result result =
        Cli.run("evaluate", "-i", "x.npy", "--html", folder, "--dir", folder.resolve("no"));
    assertThat(result.code()).isEqualTo(ExitCode.IO.code());
    assertThat(result.err()).contains(folder.toString()).contains("is a folder");
  }

  /** S is an SAE, LINK a folder with a link to its weights, RUN a folder with an encode run. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "encode --dir S -i in.safetensors -o in.safetensors",
        "encode --dir S -i in.safetensors -o S/../in.safetensors",
        "encode --dir S -i acts -o acts/in.safetensors",
        "encode --dir S -i acts -o acts",
        "encode --dir S -i acts/in.safetensors -o acts",
        "encode --dir S -i acts/*.safetensors -o acts/in.safetensors",
        "encode --dir S -i acts -o S/sae_weights.safetensors",
        "encode --dir S -i acts -o S",
        "encode --dir LINK -i acts -o S/sae_weights.safetensors",
        "encode --dir S -i acts --mask m.safetensors -o m.safetensors",
        "decode --dir S -i in.safetensors -o in.safetensors",
        "decode --dir S -i acts -o acts/in.safetensors",
        "decode --dir S -i acts -o S/new.npy",
        "evaluate --dir S -i in.npy --csv in.npy",
        "evaluate --dir S -i in.npy --html in.npy",
        "evaluate --dir S -i in.npy --latents-csv in.npy",
        "evaluate --dir S -i in.npy --checkpoint in.npy",
        "evaluate --dir S -i acts --target in.npy --csv in.npy",
        "evaluate --dir S -i acts --html S/cfg.json",
        "explore --dir S -i acts --tokens tokens.json --html tokens.json",
        "explore --dir S -i acts --against-input in.npy --csv in.npy",
        "activations --model S --text-file tokens.json --hooks h -o tokens.json",
        "loss --dir S --text-file tokens.json --checkpoint tokens.json"
      })
  void output_thatIsAnInput_isRefusedAndLeftAsItIs(String command) throws IOException {
    Path sae = folder.resolve("S");
    Path link = Files.createDirectories(folder.resolve("LINK"));
    HandSae.write(sae, "none", new float[][] {{1, 0}, {0, 1}});
    Files.createSymbolicLink(
        link.resolve("sae_weights.safetensors"), sae.resolve("sae_weights.safetensors"));
    Files.createDirectories(folder.resolve("acts"));
    for (String name : new String[] {"acts/in.safetensors", "in.safetensors", "m.safetensors"}) {
      Files.copy(Samples.ACTIVATIONS, folder.resolve(name));
    }
    Files.writeString(folder.resolve("in.npy"), "kept");
    Files.writeString(folder.resolve("tokens.json"), "kept");
    Map<Path, String> before = contents();
    Cli.Result result = Cli.run(inFolder(command));
    assertThat(result.code()).isEqualTo(ExitCode.USAGE.code());
    assertThat(result.err())
        .hasLineCount(1)
        .containsAnyOf("would be overwritten", "whose files are read", "is the folder of");
    assertThat(contents()).isEqualTo(before);
  }

  /** R is a table of one's own, of the SAE S and the model M; H is a cache of the Hub. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "evaluate --registry R mine S -i acts --html S/sae_weights.safetensors",
        "evaluate --registry R mine S -i acts --csv S/cfg.json",
        "evaluate --registry R mine S -i acts --latents-csv S/cfg.json",
        "evaluate --registry R mine --layers 0 --ids tokens.json --csv S/cfg.json",
        "encode --registry R mine S -i acts -o S/sae_weights.safetensors",
        "encode --registry R mine S -i acts -o S/.",
        "encode --registry R mine --layers 0 --ids tokens.json -o OUT",
        "explore --registry R mine S -i acts --csv S/cfg.json",
        "explore --registry R mine S -i acts --csv M/tokenizer.model",
        "encode --registry R mine S --ids tokens.json -o M/model.safetensors",
        "activations --registry R --model m --ids tokens.json --hooks h -o M/model.safetensors",
        "encode --cache-dir H a/b x -i acts -o H/models--a--b/snapshots/1/x.safetensors",
        "evaluate --cache-dir H a/b x -i acts --html H/models--a--b/blobs/1",
        "evaluate --cache-dir H a/b x -i acts --html LINK"
      })
  void output_thatARelease_orACacheHolds_isRefusedAndLeftAsItIs(String command) throws IOException {
    for (String sae : new String[] {"S", "OUT/S"}) {
      HandSae.write(folder.resolve(sae), "none", new float[][] {{1, 0}, {0, 1}});
    }
    Files.createDirectories(folder.resolve("acts"));
    Files.copy(Samples.ACTIVATIONS, folder.resolve("acts/in.safetensors"));
    Files.createDirectories(folder.resolve("M"));
    for (String name : new String[] {"M/model.safetensors", "M/tokenizer.model", "tokens.json"}) {
      Files.writeString(folder.resolve(name), "kept");
    }
    Path blobs = Files.createDirectories(folder.resolve("H/models--a--b/blobs"));
    Files.createDirectories(folder.resolve("H/models--a--b/snapshots/1"));
    Files.createSymbolicLink(folder.resolve("LINK"), Files.writeString(blobs.resolve("1"), "kept"));
    String saePath = command.contains("OUT") ? "OUT/S" : "S";
    Files.writeString(
        folder.resolve("R"),
        """
        {"format_version": 1, "release": "mine", "description": "d", "model": "m",
         "location": {"type": "directory"}, "model_folder": "M",
         "saes": [{"id": "S", "path": "%s", "layer": 0, "hook_point": "h", "d_in": 2, "d_sae": 2}]}
        """
            .formatted(saePath));
    Map<String, String> names = new HashMap<>();
    for (String name : new String[] {"R", "H", "LINK", "OUT", "acts", "tokens.json"}) {
      names.put(name, folder.resolve(name).toString());
    }
    Map<Path, String> before = contents();
    Cli.Result result =
        Cli.run(
            Arrays.stream(command.split(" "))
                .map(word -> word.matches("[SMH]/.*") ? folder + "/" + word : word)
                .map(word -> names.getOrDefault(word, word))
                .toArray());
    assertThat(result.code()).as(result.err()).isEqualTo(ExitCode.USAGE.code());
    assertThat(result.err())
        .hasLineCount(1)
        .containsAnyOf("would be overwritten", "whose files are read");
    assertThat(contents()).isEqualTo(before);
  }

  /** Commands of a cluster name files by paths and by URIs. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "encode --dir S -i acts -o S",
        "encode --dir file:S -i acts -o file:S",
        "encode --dir S --ids x.json -o OUT --work file:S",
        "evaluate --dir S -i acts --html file:S/sae_weights.safetensors",
        "evaluate --dir file:S -i acts --csv S/cfg.json",
        "explore --dir S -i acts --csv file:S/cfg.json",
        "activations --model S --ids x.json --hooks h -o file:S"
      })
  void outputOfACluster_thatIsAnInput_isRefused(String command) throws IOException {
    HandSae.write(folder.resolve("S"), "none", new float[][] {{1, 0}, {0, 1}});
    Console nowhere =
        new Console(
            new PrintWriter(new StringWriter()), new PrintWriter(new StringWriter()), false, false);
    CommandLine program =
        ClusterProgram.commandLine(new ClusterProgram(nowhere))
            .setCaseInsensitiveEnumValuesAllowed(true);
    CommandLine.ParseResult parsed =
        program.parseArgs(
            Arrays.stream(command.split(" "))
                .map(word -> word.replaceFirst("^(file:)?(S|OUT|acts)\\b", "$1" + folder + "/$2"))
                .toArray(String[]::new));
    assertThatThrownBy(() -> OutputPaths.check(parsed.subcommand().commandSpec()))
        .isInstanceOf(CommandLine.ParameterException.class)
        .message()
        .containsAnyOf("would be overwritten", "whose files are read");
  }

  private Object[] inFolder(String command) {
    return Arrays.stream(command.split(" "))
        .map(
            word -> word.matches("(S|LINK|acts|in|m|tokens)([./].*)?") ? folder + "/" + word : word)
        .toArray();
  }

  private Map<Path, String> contents() throws IOException {
    Map<Path, String> contents = new HashMap<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        contents.put(file, HexFormat.of().formatHex(Files.readAllBytes(file)));
      }
    }
    return contents;
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".", "-", "./", "/"})
  void output_withoutAName_isRefused(String name) {
    for (String command : new String[] {"encode", "decode"}) {
      Cli.Result result = Cli.run(command, "--dir", folder, "-i", Samples.ACTIVATIONS, "-o", name);
      assertThat(result.code()).isEqualTo(ExitCode.USAGE.code());
      assertThat(result.err()).contains("--output: expected the name of a file");
    }
  }

  @Test
  void outputs_ofOneName_areRefused() {
    Cli.Result result =
        Cli.run(
            "evaluate",
            Samples.RELEASE,
            "--html",
            folder.resolve("rr"),
            "--csv",
            folder + "/../" + folder.getFileName() + "/rr");
    assertThat(result.code()).isEqualTo(ExitCode.USAGE.code());
    assertThat(result.err()).contains("--html and --csv both name");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void reports_besideTheInputs_areWritten() throws IOException {
    Path acts = Files.copy(Samples.ACTIVATIONS, folder.resolve("a.safetensors"));
    for (int run = 0; run < 2; run++) {
      Cli.Result result =
          Cli.run(
              "evaluate", Samples.RELEASE, "-i", folder, "--html", folder.resolve("report.html"));
      assertThat(result.code()).isZero();
    }
    assertThat(acts).hasSameBinaryContentAs(Samples.ACTIVATIONS);
  }

  @Test
  void evaluate_goodPaths_leavesThemAndNothingElse() throws IOException {
    Cli.Result result =
        Cli.run(
            "evaluate",
            "all-minilm-l6-v2-matryoshka-demo",
            "--html",
            folder.resolve("r.html"),
            "--csv",
            folder.resolve("r.csv"));
    assertThat(result.err()).isEmpty();
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder("r.html", "r.csv");
    }
  }

  private static int list(Optional<IOException> loss, StringWriter err) {
    Console console =
        new Console(
            new PrintWriter(new StringWriter()), new PrintWriter(err), false, false, () -> loss);
    return Main.run(console, "list");
  }

  @Test
  void stdout_lost_isAFailureThatIsTold() {
    StringWriter err = new StringWriter();
    assertThat(list(Optional.of(new IOException("No space left on device")), err))
        .isEqualTo(ExitCode.IO.code());
    assertThat(err.toString()).contains("stdout cannot be written: No space left on device");
  }

  @Test
  void recordingStream_fullDisk_tellsTheLoss_andAClosedPipeIsNone() {
    for (String reason : new String[] {"No space left on device", "Broken pipe"}) {
      RecordingStream stream =
          new RecordingStream(
              new java.io.OutputStream() {
                @Override
                public void write(int b) throws IOException {
                  throw new IOException(reason);
                }
              });
      PrintWriter writer = new PrintWriter(stream);
      writer.println("result");
      writer.flush();
      assertThat(stream.loss().map(IOException::getMessage))
          .isEqualTo(Optional.of(reason).filter(r -> r.startsWith("No space")));
    }
  }
}
