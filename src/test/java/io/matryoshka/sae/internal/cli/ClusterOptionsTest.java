package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.matryoshka.sae.support.SourceFiles;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** The options of the commands on a cluster against those of the command line. */
@Tag("spark")
class ClusterOptionsTest {

  private static final Console NOWHERE =
      new Console(
          new PrintWriter(new StringWriter()), new PrintWriter(new StringWriter()), false, false);

  private static Set<String> options(CommandLine program, String command) {
    Set<String> names = new TreeSet<>();
    program
        .getSubcommands()
        .get(command)
        .getCommandSpec()
        .options()
        .forEach(option -> names.add(option.longestName()));
    return names;
  }

  private static Set<String> ofCluster(String command) {
    return options(ClusterProgram.commandLine(new ClusterProgram(NOWHERE)), command);
  }

  private static Set<String> refused() {
    Set<String> names = new TreeSet<>();
    RefusedOptions.names().forEach(names::add);
    return names;
  }

  @ParameterizedTest
  @ValueSource(strings = {"encode", "evaluate", "explore", "activations"})
  void options_ofTheCommandLine_areTakenOrRefused(String command) {
    Set<String> missing = options(new CommandLine(new Main(NOWHERE)), command);
    missing.removeAll(ofCluster(command));
    missing.removeAll(refused());

    assertThat(missing).isEmpty();
    assertThat(ofCluster(command)).doesNotContainAnyElementsOf(refused());
  }

  /** Those that one machine does not need, and those that it alone has. */
  @Test
  void options_thatDiffer_areInTheDocument() throws IOException {
    String document = Files.readString(SourceFiles.PROJECT.resolve("docs/spark.md"));
    Set<String> differing = refused();
    CommandLine local = new CommandLine(new Main(NOWHERE));
    for (String command : new String[] {"encode", "evaluate", "explore", "activations"}) {
      Set<String> own = ofCluster(command);
      own.removeAll(options(local, command));
      differing.addAll(own);
    }

    assertThat(differing)
        .contains("--work", "--parquet", "--layers")
        .allSatisfy(option -> assertThat(document).contains("`" + option + "`"));
  }

  @ParameterizedTest
  @CsvSource({
    "encode, --layers=0-3, a job runs one SAE",
    "evaluate, --layers 0-3, a job runs one SAE",
    "explore, --layers 0-3, a job runs one SAE",
    "encode, --registry my.json, name the SAE by OWNER/REPO",
    "activations, --registry my.json, name the SAE by OWNER/REPO",
    "encode, --force-download, each host fetches with its first task",
    "evaluate, --loss, evaluate --loss of the command line",
    "evaluate, --checkpoint x.bin, Spark itself repeats",
    "evaluate, --checkpoint-rows=7, there is no checkpoint",
    "activations, --texts-per-file 4, use --tokens-per-file"
  })
  void command_withAnOptionOfOneMachine_saysWhyNot(String command, String option, String reason) {
    Cli.Result result = ClusterCli.run((Object[]) (command + " " + option).split(" "));

    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err())
        .startsWith(
            "SparkMain " + command + ": " + option.split("[ =]")[0] + " is not for clusters")
        .contains(reason)
        .hasLineCount(1);
    assertThat(result.out()).isEmpty();
  }

  @Test
  void help_namesTheCommandsAndTheirOptions() {
    assertThat(ClusterCli.run("--help").out())
        .contains("encode", "evaluate", "explore", "activations", "Exit codes:");
    assertThat(ClusterCli.run("encode", "--help").out())
        .contains("--work=URI", "--parquet")
        .doesNotContain("--layers", "--registry");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "| expected a command, got none",
        "encod | there is no command 'encod'; did you mean encode?",
        "encode r s -o out -i a.npy --restrat | Unknown option: '--restrat'",
        "encode demo x | --output",
        "encode -o out -i a.npy | expected RELEASE and SAE_ID, or --dir FOLDER, got none",
        "encode r s -o out | expected activations with --input, or text",
        "encode r s -o out --text a | name it with --work",
        "encode r s -o out -i a.npy --work w | --work is for text",
        "encode r s -o out -i a.npy --model m | --model is for text",
        "explore r s -i a.npy --tokens-per-file 9 | --tokens-per-file is for text",
        "encode r s -o out.safetensors -i a.npy | a cluster writes a folder",
        "encode r s -o out -i a.npy --parquet --restart | --restart: Parquet files",
        "evaluate r s -i a.npy --skip-special-tokens | --skip-special-tokens is for text",
        "encode r s -i a -o ./a/ | './a/' is what --input names and would be overwritten",
        "encode r s --text a --work w -o w | --work and --output both name 'w'",
        "evaluate r s -i a.npy --html x --csv ./x | --html and --csv both name './x'",
        "explore r s -i a.npy --against nonsense | --against: expected RELEASE:SAE_ID",
        "activations --hooks a -o out --text b | expected a language model with --model",
        "activations --hooks a -o out --model m | expected one of --text, --text-file and --ids"
      })
  void command_notUnderstood_isTwoAndOneLine(String words, String message) {
    Object[] args = words == null ? new Object[0] : words.split(" ");

    Cli.Result result = ClusterCli.run(args);

    assertThat(result.code()).as(result.err()).isEqualTo(2);
    assertThat(result.err()).contains(message).hasLineCount(1);
    assertThat(result.out()).isEmpty();
  }
}
