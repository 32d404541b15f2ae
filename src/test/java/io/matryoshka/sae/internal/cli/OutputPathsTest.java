package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where results go is checked before the work, and a result that is lost is a failure. */
class OutputPathsTest {

  @TempDir Path folder;

  /** An SAE that does not exist shows that the path of the result is looked at first. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "encode -i x.npy -o OUT.safetensors",
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
