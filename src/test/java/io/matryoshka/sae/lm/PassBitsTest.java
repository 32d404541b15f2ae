package io.matryoshka.sae.lm;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import io.matryoshka.sae.support.ChildJvm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A pass whose products are many tiles: what it computes, on any number of threads. */
class PassBitsTest {

  @TempDir static Path folder;

  @BeforeAll
  static void write() throws IOException {
    RandomGemma.write(folder, RandomGemma.TWO_LAYERS);
  }

  @Test
  void pass_anyNumberOfThreads_hasTheSameBits() throws Exception {
    List<String> here;
    try (LanguageModel model = LanguageModel.load(folder)) {
      here = PassBitsMain.lines(model);
      assertThat(PassBitsMain.lines(model)).isEqualTo(here);
    }
    for (int threads : new int[] {1, 3}) {
      List<String> options = List.of("-Dai.djl.pytorch.num_threads=" + threads);
      try (ChildJvm child =
          ChildJvm.start(List.of(), options, PassBitsMain.class, folder.toString())) {
        assertThat(child.finish()).as("%d threads", threads).containsSubsequence(here);
      }
    }
  }

  @Test
  void pass_hooksInsideTheLayers_hasTheSameBitsAsWithout() throws IOException {
    HookPoint last = HookPoint.residPost(1);
    HookPoint inner = HookPoint.parse("blocks.0.mlp.hook_post");
    try (LanguageModel model = LanguageModel.load(folder);
        Trace plain = model.trace(PassBitsMain.tokens(300), last);
        Trace hooked = model.trace(PassBitsMain.tokens(300), last, inner)) {
      assertThat(hooked.at(last).toFloatArray()).isEqualTo(plain.at(last).toFloatArray());
      assertThat(hooked.at(inner).getShape().get(1)).isEqualTo(6000);
    }
  }

  /** The first tokens of a text do not see those after them, whatever tiles they share. */
  @Test
  void pass_beginningOfAText_isThatOfTheWhole() throws IOException {
    HookPoint last = HookPoint.residPost(1);
    Tokens whole = PassBitsMain.tokens(300);
    Tokens begin = Tokens.of(Arrays.copyOf(whole.ids(), 90));
    try (LanguageModel model = LanguageModel.load(folder);
        Trace long300 = model.trace(whole, last);
        Trace short90 = model.trace(begin, last)) {
      NDArray expected = short90.at(last);
      float[] actual = Arrays.copyOf(long300.at(last).toFloatArray(), (int) expected.size());
      ReferenceModel.assertClose("stream", actual, expected.toFloatArray());
    }
  }
}
