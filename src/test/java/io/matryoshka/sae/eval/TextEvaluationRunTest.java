package io.matryoshka.sae.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.lm.HookPoint;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.lm.Trace;
import io.matryoshka.sae.support.SourceFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Several SAEs on one pass of the bundled language model, against each of them by itself. */
class TextEvaluationRunTest {

  private static final Path FOLDER = SourceFiles.PROJECT.resolve("releases/bookworm-3m");
  private static final int BOS = 2;
  private static final EvaluationOptions OPTIONS = EvaluationOptions.defaults().batchRows(300);

  /** Bytes that hold one part of the texts at two hook points. */
  private static final long SMALL = 1;

  private static LanguageModel model;
  private static List<Tokens> texts;

  @BeforeAll
  static void loadModel() throws IOException {
    model = LanguageModel.load(FOLDER.resolve("model"));
    Random random = new Random(1);
    texts = new ArrayList<>();
    // More than one part of 4096 tokens, with ends that are no ends of batches.
    for (int t = 0; t < 73; t++) {
      int[] ids = random.ints(1 + random.nextInt(250), 3, 4096).toArray();
      ids[0] = BOS;
      texts.add(Tokens.of(ids));
    }
  }

  @AfterAll
  static void closeModel() {
    model.close();
  }

  private static SAE open() throws IOException {
    return SAE.load(FOLDER.resolve("blocks.5.hook_resid_post"));
  }

  private static TextEvaluationRun.Candidate at(int layer, boolean withoutSpecialTokens) {
    return new TextEvaluationRun.Candidate(
        HookPoint.residPost(layer), withoutSpecialTokens, TextEvaluationRunTest::open);
  }

  /** All rows of a layer in one evaluator, the straight way. */
  private static Evaluation alone(int layer, boolean withoutSpecialTokens) throws IOException {
    try (SAE sae = open()) {
      Evaluator evaluator = Evaluator.of(sae, OPTIONS);
      for (Tokens text : texts) {
        try (Trace trace = model.trace(text, HookPoint.residPost(layer))) {
          boolean[] counted = new boolean[text.size()];
          for (int i = 0; i < counted.length; i++) {
            counted[i] = !withoutSpecialTokens || text.id(i) != BOS;
          }
          evaluator.add(trace.at(HookPoint.residPost(layer)).toFloatArray(), counted);
        }
      }
      return evaluator.result();
    }
  }

  private static String json(Evaluation evaluation) {
    return new EvaluationReport("x", evaluation, Optional.empty(), Optional.empty()).json();
  }

  @Test
  void pieces_giveTheFiguresOfTheWhole() throws IOException {
    List<TextEvaluationRun.Candidate> both = List.of(at(5, true), at(2, false), at(5, false));
    List<Evaluation> whole = new TextEvaluationRun(model, OPTIONS).run(texts, both);
    List<Evaluation> pieces = new TextEvaluationRun(model, OPTIONS, SMALL).run(texts, both);
    for (int i = 0; i < both.size(); i++) {
      assertThat(json(pieces.get(i))).isEqualTo(json(whole.get(i)));
      Evaluation alone = alone(both.get(i).hookPoint().layer(), both.get(i).withoutSpecialTokens());
      assertThat(whole.get(i).rows()).isEqualTo(alone.rows());
      assertThat(whole.get(i).maskedRows()).isEqualTo(alone.maskedRows());
      assertThat(whole.get(i).full().explainedVariance().pooled())
          .isCloseTo(alone.full().explainedVariance().pooled(), within(1e-5));
    }
    assertThat(whole.get(0).maskedRows()).isEqualTo(73);
    assertThat(whole.get(2).maskedRows()).isZero();
  }

  @Test
  void run_takesEachTokenThroughTheModelOnce() throws IOException {
    List<Long> steps = new ArrayList<>();
    new TextEvaluationRun(model, OPTIONS, SMALL)
        .progress(
            (stage, done, total) -> {
              if (stage.equals("language model")) {
                steps.add(done);
              }
            })
        .run(texts, List.of(at(1, true), at(5, true), at(7, true)));
    long tokens = texts.stream().mapToLong(Tokens::size).sum();
    assertThat(steps).isSorted().doesNotHaveDuplicates().hasSizeGreaterThan(1).endsWith(tokens);
  }

  @Test
  void textsOfBosAlone_areRefused() {
    assertThatThrownBy(
            () ->
                new TextEvaluationRun(model, OPTIONS)
                    .run(List.of(Tokens.of(BOS)), List.of(at(5, true))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("all 1 rows were left out");
  }

  @Test
  void candidate_saysWhatTheSaeReads() throws IOException {
    try (SAE sae = open()) {
      TextEvaluationRun.Candidate candidate =
          TextEvaluationRun.Candidate.of(sae, TextEvaluationRunTest::open);
      assertThat(candidate.hookPoint()).isEqualTo(HookPoint.residPost(5));
      assertThat(candidate.withoutSpecialTokens()).isTrue();
    }
  }
}
