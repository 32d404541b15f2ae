package io.matryoshka.sae.internal.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An option that would do nothing is refused, before the SAE or the model is looked for. */
class NeededOptionsTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "loss --dir S --text a --checkpoint F --ablate 3 | --checkpoint is for the losses of an SAE",
        "loss --model M --text a --checkpoint F | --checkpoint is for the losses of an SAE",
        "loss --dir S --text a --positions 1 | --positions says where a change is made",
        "loss --dir S --text a --skip-bos | --skip-bos says where a change is made",
        "generate --dir S --text a --positions 1 | --positions says where a change is made",
        "loss --model M --text a --prefix 3 | --prefix is for an SAE",
        "loss --model M --text a --engine reference | --engine is for an SAE",
        "generate --model M --text a --dtype float16 | --dtype is for an SAE",
        "generate --model M --text a --top-k 3 | --top-k is for tokens that are drawn",
        "generate --model M --text a --seed 3 | --seed is for tokens that are drawn",
        "top --dir S --text a --context-size 5 | --context-size is for documents",
        "encode --dir S -i a.npy -o o --context-size 5 | --context-size is for documents",
        "evaluate --dir S -i a.npy --checkpoint-rows 9 | --checkpoint-rows is for a checkpoint"
      })
  void option_withoutWhatItNeeds_isRefusedByName(String command, String message) {
    Cli.Result result = Cli.run((Object[]) command.split(" "));
    assertThat(result.code()).as(result.err()).isEqualTo(ExitCode.USAGE.code());
    assertThat(result.err()).hasLineCount(1).contains(message);
  }
}
