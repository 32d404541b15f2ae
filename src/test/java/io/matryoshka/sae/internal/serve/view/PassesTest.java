package io.matryoshka.sae.internal.serve.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.lm.HookPoint;
import io.matryoshka.sae.lm.Intervention;
import io.matryoshka.sae.lm.LanguageModel;
import io.matryoshka.sae.lm.Tokens;
import io.matryoshka.sae.support.SourceFiles;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Computations that nobody waits for any more end, and disturb no other. */
class PassesTest {

  private final Passes passes = new Passes();

  @Test
  void passOfLosses_whosePageGoes_endsBeforeTheNextLayer() throws Exception {
    Cancellation cancellation = new Cancellation();
    AtomicBoolean nextLayer = new AtomicBoolean();
    List<Intervention> changes =
        List.of(
            Intervention.at(
                HookPoint.residPost(2),
                x -> {
                  cancellation.cancel();
                  return x;
                }),
            Intervention.at(
                HookPoint.residPost(3),
                x -> {
                  nextLayer.set(true);
                  return x;
                }));
    Tokens tokens = Tokens.of(2, 40, 41, 42);
    try (LanguageModel model =
        LanguageModel.load(SourceFiles.PROJECT.resolve("releases/bookworm-3m/model"))) {
      assertThatThrownBy(
              () -> passes.run(cancellation, () -> model.losses(tokens, List.of(changes))))
          .isInstanceOf(CancellationException.class);
      assertThat(nextLayer).isFalse();
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
      assertThat(passes.run(new Cancellation(), () -> model.losses(tokens, List.of())))
          .isNotEmpty();
    }
  }

  @Test
  void cancellation_reachesAComputationOnAnotherThread() throws Exception {
    Cancellation cancellation = new Cancellation();
    Thread page = new Thread(cancellation::cancel);
    assertThatThrownBy(
            () ->
                passes.run(
                    cancellation,
                    () -> {
                      page.start();
                      Thread.sleep(Long.MAX_VALUE);
                      return null;
                    }))
        .isInstanceOf(InterruptedException.class);
    page.join();
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
  }

  @Test
  void whatIsDoneAside_isNotInterrupted() {
    Cancellation cancellation = new Cancellation();
    AtomicBoolean interrupted = new AtomicBoolean(true);
    assertThatThrownBy(
            () ->
                passes.run(
                    cancellation,
                    () -> {
                      passes.stepAside(
                          cancellation,
                          () -> {
                            cancellation.cancel();
                            interrupted.set(Thread.currentThread().isInterrupted());
                          });
                      return null;
                    }))
        .isInstanceOf(CancellationException.class);
    assertThat(interrupted).isFalse();
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
  }
}
