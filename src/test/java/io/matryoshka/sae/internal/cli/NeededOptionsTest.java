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
        "top --dir S -i a.npy --model M | --model is for text",
        "encode --dir S -i a.npy -o o --bfloat16-products | --bfloat16-products is for text",
        "evaluate all-minilm-l6-v2-matryoshka-demo --model M | --model is for text",
        "explore --dir S -i a.npy --model M | --model is for text",
        "top --dir S --text a --tensor x | --tensor is for files of activations",
        "explore --dir S --text a --as bfloat16 | --as is for files of activations",
        "benchmark --tensor x | --tensor is for files of activations",
        "serve --corpus-tokens 9 | --corpus-tokens says how much of a corpus is read",
        "serve --context-size 9 | --context-size is for documents",
        "serve --corpus-tokens 0 --text-file pom.xml --no-open | --corpus-tokens: expected at least 1",
        "encode --dir S -i a.npy -o o.safetensors --restart | --restart is for a folder",
        "encode --dir S -i a.npy -o o.safetensors --rows-per-shard 9 | --rows-per-shard is for a folder",
        "activations --model M --text a --hooks x -o o.safetensors --texts-per-file 9 | --texts-per-file is for a folder",
        "top --dir S -i pom.xml --labels --labels-file F | expected either --labels or --labels-file",
        "evaluate bookworm-3m-res-matryoshka-demo --text a -i pom.xml --layers 5 | expected either --input or text, got both",
        "evaluate --dir S -i a.npy --checkpoint-rows 9 | --checkpoint-rows is for a checkpoint"
      })
  void option_withoutWhatItNeeds_isRefusedByName(String command, String message) {
    Cli.Result result = Cli.run((Object[]) command.split(" "));
    assertThat(result.code()).as(result.err()).isEqualTo(ExitCode.USAGE.code());
    assertThat(result.err()).hasLineCount(1).contains(message);
  }
}
