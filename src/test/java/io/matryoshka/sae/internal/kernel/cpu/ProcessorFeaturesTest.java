package io.matryoshka.sae.internal.kernel.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProcessorFeaturesTest {

  @ParameterizedTest
  @CsvSource({
    "fpu avx2 avx512f avx512bw avx512_vnni amx_int8, FAST, the processor has amx_int8",
    "fpu avx2 avx512f avx512bw avx512_vnni, FAST, the processor has avx512_vnni",
    "fpu avx2 avx_vnni fpu, FAST, the processor has avx_vnni",
    "fpu avx2 avx512f avx512bw, UNKNOWN, the processor has avx512bw but no int8 instructions",
    "fpu sse2 avx2 fma, SLOW, the processor has no int8 instructions"
  })
  void of_flagsOfX86_sayHowFastInt8Is(
      String flags, ProcessorFeatures.Int8 expected, String reason) {
    Stream<String> lines = Stream.of("processor\t: 0", "vmx flags\t: vnmi", "flags\t\t: " + flags);
    assertThat(ProcessorFeatures.of(lines)).isEqualTo(new ProcessorFeatures(expected, reason));
  }

  @Test
  void of_processorWithoutFlags_isUnknown() {
    Stream<String> arm = Stream.of("processor\t: 0", "Features\t: fp asimd asimddp i8mm");
    assertThat(ProcessorFeatures.of(arm).int8()).isEqualTo(ProcessorFeatures.Int8.UNKNOWN);
  }
}
