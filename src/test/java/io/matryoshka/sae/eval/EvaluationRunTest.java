package io.matryoshka.sae.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.safetensors.Dtype;
import io.matryoshka.sae.safetensors.SafetensorsWriter;
import io.matryoshka.sae.stream.ActivationException;
import io.matryoshka.sae.stream.ActivationSource;
import io.matryoshka.sae.stream.RowMask;
import io.matryoshka.sae.stream.RowRules;
import io.matryoshka.sae.support.ChildJvm;
import io.matryoshka.sae.support.HandSae;
import io.matryoshka.sae.support.ScaledDecoder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluationRunTest {

  private static final int BATCH = 50;

  @TempDir private Path folder;

  @Test
  void run_shards_isEvaluatorOnAllRows() throws IOException {
    try (SAE sae = DemoActivations.sae()) {
      Evaluator evaluator = Evaluator.of(sae, EvaluationOptions.defaults().batchRows(BATCH));
      evaluator.add(DemoActivations.activations());
      assertThat(EvaluationRun.run(sae, shards(), options())).isEqualTo(evaluator.result());
    }
  }

  @Test
  void run_interruptedAnywhere_resumesToSameBits() throws IOException {
    try (SAE sae = DemoActivations.sae()) {
      ActivationSource source = shards();
      Evaluation whole = EvaluationRun.run(sae, source, options());
      for (int stop : new int[] {0, BATCH, 4 * BATCH, 512}) {
        Path state = folder.resolve("state-" + stop + ".json");
        EvaluationRunOptions saving = options().checkpoint(state).checkpointRows(2 * BATCH);
        assertThatThrownBy(() -> EvaluationRun.run(sae, source, saving.progress(stopAt(stop))))
            .isInstanceOf(Stop.class);
        long[] first = {-1};
        LongConsumer progress = rows -> first[0] = first[0] < 0 ? rows : first[0];
        assertThat(EvaluationRun.run(sae, source, saving.progress(progress))).isEqualTo(whole);
        assertThat(first[0]).isEqualTo(stop == 512 ? 512 : stop / (2 * BATCH) * (2 * BATCH));
        assertThat(EvaluationRun.run(sae, source, saving)).isEqualTo(whole);
      }
    }
  }

  @Test
  void run_killedJvm_resumesToSameBits() throws Exception {
    try (SAE sae = DemoActivations.sae()) {
      ActivationSource source = shards();
      Path state = folder.resolve("state.json");
      try (ChildJvm child = ChildJvm.start(EvaluationMain.class, folder, state, BATCH)) {
        child.awaitLine("rows 300");
        child.kill();
      }
      assertThat(state).exists();
      long[] first = {-1};
      EvaluationRunOptions saving =
          options().checkpoint(state).progress(rows -> first[0] = first[0] < 0 ? rows : first[0]);
      assertThat(EvaluationRun.run(sae, source, saving))
          .isEqualTo(EvaluationRun.run(sae, source, options()));
      assertThat(first[0]).isBetween(250L, 300L);
    }
  }

  @Test
  void run_otherInput_isRefused() throws IOException {
    try (SAE sae = DemoActivations.sae()) {
      EvaluationRunOptions saving = options().checkpoint(folder.resolve("state.json"));
      EvaluationRun.run(sae, shards(), saving);
      float[] changed = DemoActivations.activations();
      changed[0]++;
      write("part-1.safetensors", changed, 0, 200);
      assertThatThrownBy(
              () -> EvaluationRun.run(sae, ActivationSource.open(files(), sae.dIn()), saving))
          .isInstanceOf(EvaluationException.class)
          .hasMessageContaining("state.json")
          .hasMessageContaining("source[0].ends_sha256")
          .hasMessageContaining("delete this one");
    }
  }

  @Test
  void run_otherSaeOrOptions_isRefused() throws IOException {
    try (SAE sae = DemoActivations.sae();
        SAE prefix = sae.prefix(512)) {
      ActivationSource source = shards();
      EvaluationRunOptions saving = options().checkpoint(folder.resolve("state.json"));
      EvaluationRun.run(sae, source, saving);
      assertThatThrownBy(() -> EvaluationRun.run(prefix, source, saving))
          .isInstanceOf(EvaluationException.class)
          .hasMessageContaining("width");
      assertThatThrownBy(
              () ->
                  EvaluationRun.run(
                      sae, source, saving.evaluation(EvaluationOptions.defaults().batchRows(7))))
          .isInstanceOf(EvaluationException.class)
          .hasMessageContaining("batch_rows was 50, now it is 7");
    }
  }

  @Test
  void run_saeWithOneOtherDecoderRow_isRefused() throws IOException {
    Path first = folder.resolve("first");
    float[][] rows = new float[100][2];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = new float[] {1 + i, 1};
    }
    HandSae.write(first, "none", rows);
    Path second = ScaledDecoder.copy(first, folder.resolve("second"), 33, 0.5f);
    Path file = folder.resolve("x.safetensors");
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder().tensor("x", Dtype.F32, 60, 2).create(file)) {
      float[] x = new float[120];
      for (int i = 0; i < x.length; i++) {
        x[i] = i % 7;
      }
      writer.writeFloats("x", x);
      writer.finish();
    }
    ActivationSource source = ActivationSource.open(List.of(file), 2);
    EvaluationRunOptions saving = options().checkpoint(folder.resolve("state.json"));
    try (SAE sae = SAE.load(first);
        SAE other = SAE.load(second)) {
      assertThat(EvaluationRun.run(other, source, options()))
          .isNotEqualTo(EvaluationRun.run(sae, source, saving));
      assertThatThrownBy(() -> EvaluationRun.run(other, source, saving))
          .isInstanceOf(EvaluationException.class)
          .hasMessageContaining("sae.decoder_sha256 was");
    }
  }

  @Test
  void run_checkpointOfAnotherVersion_isNamed() throws IOException {
    try (SAE sae = DemoActivations.sae()) {
      Path state = folder.resolve("state.json");
      Files.writeString(state, "{\"evaluation_state\": 2, \"settings\": {}, \"totals\": {}}");
      ActivationSource source = shards();
      assertThatThrownBy(() -> EvaluationRun.run(sae, source, options().checkpoint(state)))
          .isInstanceOf(EvaluationException.class)
          .hasMessageContaining("another version of this program (evaluation_state 2, expected 3)");
    }
  }

  @Test
  void run_damagedCheckpoint_isRefused() throws IOException {
    try (SAE sae = DemoActivations.sae()) {
      Path state = folder.resolve("state.json");
      EvaluationRunOptions saving = options().checkpoint(state);
      ActivationSource source = shards();
      EvaluationRun.run(sae, source, saving);
      String good = Files.readString(state);
      List<String> damaged =
          List.of(
              "",
              "{",
              "[]",
              good + "{}",
              good.replaceFirst("\\{", "{\"evaluation_state\":3,"),
              good.substring(0, good.length() / 2),
              good.replace("\"mean\"", "\"men\""),
              good.replace("\"masked_rows\":0", "\"masked_rows\":1"),
              good.replace("\"masked_rows\":0", "\"masked_rows\":-1000"),
              good.replace("\"masked_rows\":0", "\"masked_rows\":-1"),
              good.replaceFirst("\"firings\":\\[\\d+,", "\"firings\":["),
              good.replaceFirst("\"firings\":\\[\\d+,", "\"firings\":[\"a\","));
      for (String content : damaged) {
        assertThat(content).isNotEqualTo(good);
        Files.writeString(state, content, StandardCharsets.UTF_8);
        assertThatThrownBy(() -> EvaluationRun.run(sae, source, saving))
            .as(content.substring(0, Math.min(20, content.length())))
            .isInstanceOf(EvaluationException.class)
            .hasMessageContaining("delete");
      }
    }
  }

  @Test
  void run_mask_leavesRowsOut() throws IOException {
    byte[] bits = new byte[DemoActivations.ROWS];
    boolean[] counted = new boolean[bits.length];
    for (int row = 0; row < bits.length; row++) {
      counted[row] = row % 3 != 0;
      bits[row] = (byte) (counted[row] ? 1 : 0);
    }
    Path file = folder.resolve("mask.npy");
    byte[] header =
        ("{'descr': '|b1', 'fortran_order': False, 'shape': (512,), }\n")
            .getBytes(StandardCharsets.US_ASCII);
    byte[] npy =
        Arrays.copyOf(
            new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0},
            10 + header.length + bits.length);
    npy[8] = (byte) header.length;
    System.arraycopy(header, 0, npy, 10, header.length);
    System.arraycopy(bits, 0, npy, 10 + header.length, bits.length);
    Files.write(file, npy);
    try (SAE sae = DemoActivations.sae()) {
      Evaluator evaluator = Evaluator.of(sae, EvaluationOptions.defaults().batchRows(BATCH));
      evaluator.add(DemoActivations.activations(), counted);
      EvaluationRunOptions masked =
          options().rows(RowRules.all().mask(RowMask.open(file, Optional.empty())));
      Evaluation evaluation = EvaluationRun.run(sae, shards(), masked);
      assertThat(evaluation).isEqualTo(evaluator.result());
      assertThat(evaluation.maskedRows()).isEqualTo(171);
    }
  }

  @Test
  void run_maskOrWidthThatDoesNotFit_isRefused(@TempDir Path tiny) throws IOException {
    shards();
    ActivationSource source = ActivationSource.open(files().subList(0, 1));
    RowMask mask =
        RowMask.open(
            DemoActivations.path("/io/matryoshka/sae/releases/demo/activations.safetensors"),
            Optional.of("token_id"));
    try (SAE sae = DemoActivations.sae();
        SAE other = TinySae.load(tiny)) {
      assertThatThrownBy(
              () -> EvaluationRun.run(sae, source, options().rows(RowRules.all().mask(mask))))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("expected 200, got 512");
      assertThatThrownBy(() -> EvaluationRun.run(other, source, options()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("width 384")
          .hasMessageContaining("d_in = 2");
      assertThatThrownBy(() -> RowMask.open(mask.file(), Optional.empty()))
          .isInstanceOf(ActivationException.class)
          .hasMessageContaining("token_id")
          .hasMessageContaining("name the one");
    }
  }

  @Test
  void save_partsInTwoFiles_mergeToWhole() throws IOException {
    float[] x = DemoActivations.activations();
    EvaluationOptions options = EvaluationOptions.defaults().batchRows(256);
    try (SAE sae = DemoActivations.sae()) {
      Evaluator first = Evaluator.of(sae, options);
      first.add(Arrays.copyOf(x, x.length / 2));
      first.save(folder.resolve("first"));
      Evaluator second = Evaluator.of(sae, options);
      second.add(Arrays.copyOfRange(x, x.length / 2, x.length));
      second.save(folder.resolve("second"));
      Evaluator joined = Evaluator.load(folder.resolve("first"), sae, options);
      joined.merge(Evaluator.load(folder.resolve("second"), sae, options));
      first.merge(second);
      assertThat(joined.result()).isEqualTo(first.result());
      assertThat(joined.result().rows()).isEqualTo(512);
      assertThatThrownBy(
              () -> Evaluator.load(folder.resolve("first"), sae, EvaluationOptions.defaults()))
          .isInstanceOf(EvaluationException.class);
    }
  }

  private static EvaluationRunOptions options() {
    return EvaluationRunOptions.defaults()
        .evaluation(EvaluationOptions.defaults().batchRows(BATCH))
        .checkpointRows(BATCH);
  }

  private ActivationSource shards() throws IOException {
    float[] x = DemoActivations.activations();
    write("part-1.safetensors", x, 0, 200);
    write("part-2.safetensors", x, 200, 201);
    write("part-10.safetensors", x, 201, 512);
    return ActivationSource.open(files(), DemoActivations.D_IN);
  }

  private List<Path> files() {
    return List.of(
        folder.resolve("part-1.safetensors"),
        folder.resolve("part-2.safetensors"),
        folder.resolve("part-10.safetensors"));
  }

  private void write(String name, float[] x, int from, int to) throws IOException {
    try (SafetensorsWriter writer =
        SafetensorsWriter.builder()
            .tensor("activations", Dtype.F32, to - from, DemoActivations.D_IN)
            .create(folder.resolve(name))) {
      writer.writeFloats(
          "activations",
          Arrays.copyOfRange(x, from * DemoActivations.D_IN, to * DemoActivations.D_IN));
      writer.finish();
    }
  }

  private static LongConsumer stopAt(long stop) {
    return rows -> {
      if (rows >= stop) {
        throw new Stop();
      }
    };
  }

  private static final class Stop extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }
}
